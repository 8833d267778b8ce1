//! One WebSocket, spoken in JSON messages: bounded, patient for a while, erased after reading.
//!
//! Invariants: a message that is no message of the API is an error of that connection and of nothing else;
//! a peer that takes nothing is given up after [`WRITE_TIMEOUT`]; the bytes of a message are erased once it
//! has been read, because it can be a PIN.

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use device_api::FaultCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroize as _;

use crate::limits::{MAX_BODY, MAX_SAID, WRITE_TIMEOUT, is_shallow};
use crate::refusal::Refusal;

/// What a peer did.
#[derive(Debug)]
pub enum Heard<M> {
    /// It said something.
    Message(M),
    /// It said something that is no message.
    Nonsense(Refusal),
    /// It showed that it lives, by a ping or its answer; the library answers pings by itself.
    Sign,
    /// It has gone.
    Gone,
}

/// Sets the limits of a connection before it is one.
pub fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_BODY)
        .max_frame_size(MAX_BODY)
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_SAID)
}

/// Waits for the next message. Can be dropped and called again without losing one.
pub async fn hear<M: DeserializeOwned>(socket: &mut WebSocket) -> Heard<M> {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => match read(Bytes::from(text)) {
            Ok(message) => Heard::Message(message),
            Err(refusal) => Heard::Nonsense(refusal),
        },
        Some(Ok(Message::Binary(_))) => {
            Heard::Nonsense(Refusal::new(FaultCode::DoorSchema).about("binary message"))
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Sign,
        Some(Ok(Message::Close(_)) | Err(_)) | None => Heard::Gone,
    }
}

/// Says something; `false` where the peer does not take it.
pub async fn say(socket: &mut WebSocket, message: &impl Serialize) -> bool {
    let Ok(text) = serde_json::to_string(message) else {
        return false;
    };
    matches!(
        timeout(WRITE_TIMEOUT, socket.send(Message::Text(text.into()))).await,
        Ok(Ok(()))
    )
}

/// Closes the connection in order.
pub async fn close(mut socket: WebSocket, reason: &'static str) {
    let frame = CloseFrame {
        code: close_code::POLICY,
        reason: reason.into(),
    };
    // Who does not take the closing is closed by dropping the connection.
    let _taken = timeout(WRITE_TIMEOUT, socket.send(Message::Close(Some(frame)))).await;
}

/// Reads JSON strictly and erases it.
///
/// # Errors
/// `DOR-SCHEMA`; what was wrong is said without repeating it.
pub fn read<M: DeserializeOwned>(bytes: Bytes) -> Result<M, Refusal> {
    let wrong = Refusal::new(FaultCode::DoorSchema);
    let read = if is_shallow(&bytes) {
        serde_json::from_slice(&bytes).map_err(|error| {
            // The text of the error can repeat the content; its place and class cannot.
            tracing::debug!(line = error.line(), column = error.column(), class = ?error.classify(), "no message");
            wrong.about("not a message of this API")
        })
    } else {
        Err(wrong.about("nested too deeply"))
    };
    erase(bytes);
    read
}

/// Overwrites bytes where nobody else holds them.
pub fn erase(bytes: Bytes) {
    if let Ok(mut owned) = bytes.try_into_mut() {
        owned.zeroize();
    }
}
