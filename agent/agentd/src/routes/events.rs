//! The event stream of a counter application.
//!
//! The door has checked host, origin and context at the upgrade; the token comes in the first message,
//! because a browser can put no header on a WebSocket and a token in an address would end up in logs.

use std::sync::Arc;

use agent_api::error::ErrorBody;
use agent_api::event::{ClientMessage, ServerMessage};
use agent_core::access::Caller;
use agent_core::ids::SessionLink;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use device_api::FaultCode;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Office;
use crate::door::Visitor;
use crate::input::Input;
use crate::limits::{FIRST_MESSAGE_TIMEOUT, MAX_UNREAD, Standing};
use crate::refusal::Refusal;
use crate::socket::{self, Heard};
use crate::translate;

/// Opens the event stream, a WebSocket. Its messages are described by the AsyncAPI document.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    responses(
        (status = 101, description = "The stream is open; the first message carries the token."),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn events(
    State(office): State<Arc<Office>>,
    Extension(visitor): Extension<Visitor>,
    upgrade: WebSocketUpgrade,
) -> Response {
    socket::bounded(upgrade).on_upgrade(move |socket| serve(office, visitor, socket))
}

async fn serve(office: Arc<Office>, visitor: Visitor, mut socket: WebSocket) {
    let first = timeout(FIRST_MESSAGE_TIMEOUT, socket::hear(&mut socket)).await;
    let hello = match first {
        Ok(Heard::Message(ClientMessage::Hello { token, after })) => {
            admit(&office, &visitor, &token).map(|caller| (caller, after))
        }
        Ok(Heard::Message(_) | Heard::Sign) => {
            Err(Refusal::new(FaultCode::DoorSchema).about("the first message must be hello"))
        }
        Ok(Heard::Nonsense(refusal)) => Err(refusal),
        Ok(Heard::Gone) => return,
        Err(_elapsed) => Err(Refusal::new(FaultCode::DoorToken).because("no hello in time")),
    };
    let (caller, after) = match hello {
        Ok(hello) => hello,
        Err(refusal) => return refuse(socket, &visitor, refusal).await,
    };
    let link = SessionLink(office.desk.next_link());
    let (out, told) = mpsc::channel(MAX_UNREAD);
    let after = after.map(translate::api::position);
    if office
        .desk
        .tell(Input::SessionOpened {
            link,
            caller,
            after,
            out,
        })
        .await
    {
        converse(&office, &visitor, Session { link, socket, told }).await;
        office.desk.tell(Input::SessionClosed { link }).await;
    }
}

struct Session {
    link: SessionLink,
    socket: WebSocket,
    told: mpsc::Receiver<ServerMessage>,
}

/// Passes messages on until one side ends.
async fn converse(office: &Office, visitor: &Visitor, mut session: Session) {
    let refusal = loop {
        tokio::select! {
            message = session.told.recv() => match message {
                Some(message) if socket::say(&mut session.socket, &message).await => {}
                Some(_unread) => return,
                None => return socket::close(session.socket, "ended by the agent").await,
            },
            heard = socket::hear(&mut session.socket) => match counted(office, visitor, heard) {
                Heard::Message(ClientMessage::Token { token }) => {
                    match admit(office, visitor, &token) {
                        Ok(caller) => {
                            let link = session.link;
                            office.desk.tell(Input::SessionRenewed { link, caller }).await;
                        }
                        Err(refusal) => break refusal,
                    }
                }
                Heard::Message(message) => match translate::api::session_says(message) {
                    Some(said) => {
                        let link = session.link;
                        office.desk.tell(Input::SessionSaid { link, said }).await;
                    }
                    None => {
                        break Refusal::new(FaultCode::DoorConflict).about("hello was said before");
                    }
                },
                Heard::Nonsense(refusal) => break refusal,
                Heard::Sign => {}
                Heard::Gone => return,
            },
        }
    };
    refuse(session.socket, visitor, refusal).await;
}

/// Whatever comes on an open stream costs as much of the origin's rate as a request.
fn counted<M>(office: &Office, visitor: &Visitor, heard: Heard<M>) -> Heard<M> {
    let limits = office.door.limits();
    match limits.request(&visitor.origin, Standing::Proven, office.door.now()) {
        Ok(()) => heard,
        Err(_too_many) if matches!(heard, Heard::Gone) => heard,
        Err(too_many) => Heard::Nonsense(too_many),
    }
}

/// A native client needs no token; for everybody else an empty one is as bad as a false one.
fn admit(office: &Office, visitor: &Visitor, token: &str) -> Result<Caller, Refusal> {
    match &visitor.caller {
        Some(peer) if token.is_empty() => Ok(peer.clone()),
        _ => office.door.admit_stream(token, visitor),
    }
}

async fn refuse(mut socket: WebSocket, visitor: &Visitor, refusal: Refusal) {
    let request = visitor.request_id.as_str();
    tracing::info!(
        request,
        fault = refusal.code.as_str(),
        why = refusal.internal,
        "stream refused"
    );
    if socket::say(
        &mut socket,
        &ServerMessage::Refused {
            error: refusal.body(request),
        },
    )
    .await
    {
        socket::close(socket, refusal.code.as_str()).await;
    }
}

#[cfg(test)]
mod tests;
