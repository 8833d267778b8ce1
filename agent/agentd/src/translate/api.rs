//! Between the local API and the core.

use std::time::Duration;

use agent_api::item::Item;
use agent_api::job::{
    CardFacts, Job, JobAnswer, JobRequest, JobState, Question, QuestionKind, Step,
};
use agent_api::lease::{Lease, LeaseState};
use agent_api::pin_screen::{ScreenInstruction, ScreenMessage};
use agent_api::screen::{PinScreen, PinScreenList};
use agent_api::{event, secret::SecretText};
use agent_core::effect::{Closed, Happening, LeaseView, PinScreenView, Place, ScreenTell};
use agent_core::event as happens;
use agent_core::event::ScreenSays;
use agent_core::ids::{JobId, LeaseId};
use agent_core::{Position, Sealed, task};
use device_api::Secret;

use super::work::{self, Divided};
use crate::keeping;
use crate::parcel::Parcel;
use crate::refusal::error_body;

/// A time span in whole milliseconds.
#[must_use]
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A call that starts a job.
#[must_use]
pub fn start_job(key: String, request: JobRequest) -> happens::Call<Parcel> {
    let digest = keeping::digest_of(&request.task);
    let Divided {
        task,
        assignment,
        documents,
    } = work::divide(request.task);
    let order = task::JobOrder {
        lease: LeaseId::new(request.lease),
        fence: request.fence,
        purpose: request.purpose,
        within: Duration::from_millis(u64::from(request.deadline_ms)),
        task,
        digest,
        documents,
    };
    let content =
        assignment.map(|assignment| Sealed::new(Parcel::Assignment(Box::new(assignment))));
    happens::Call::StartJob {
        key,
        order,
        content,
    }
}

/// An answer to a job's question, with the question's number.
#[must_use]
pub fn answer(answer: JobAnswer) -> (u32, happens::JobAnswer) {
    match answer {
        JobAnswer::Secret { ask, value } => (ask, happens::JobAnswer::Secret(secret(&value))),
        JobAnswer::AllowLastTry { ask } => (ask, happens::JobAnswer::AllowLastTry),
        JobAnswer::Decline { ask } => (ask, happens::JobAnswer::Decline),
    }
}

fn secret(text: &SecretText) -> Secret {
    Secret::new(text.expose().as_bytes().to_vec())
}

/// A secret that the core drew itself, on its way out. It is ASCII; anything else becomes nothing.
fn secret_text(secret: &Secret) -> SecretText {
    SecretText::new(String::from_utf8(secret.expose().to_vec()).unwrap_or_default())
}

/// A job.
#[must_use]
pub fn job(view: task::JobView) -> Job {
    let about = view.about.as_deref();
    let error = view
        .fault
        .map(|fault| error_body(fault.code, fault.tries_left, about, view.id.as_str()));
    Job {
        word: view.word.to_owned(),
        device: view.device.as_str().to_owned(),
        state: match view.state {
            task::JobState::Accepted => JobState::Accepted,
            task::JobState::Running => JobState::Running,
            task::JobState::Succeeded => JobState::Succeeded,
            task::JobState::Failed => JobState::Failed,
            task::JobState::Cancelled => JobState::Cancelled,
        },
        step: view.step.map(|step| match step {
            task::Step::WaitingForCard => Step::WaitingForCard,
            task::Step::Identifying => Step::Identifying,
            task::Step::Reading => Step::Reading,
            task::Step::Verifying => Step::Verifying,
            task::Step::WaitingForCode => Step::WaitingForCode,
            task::Step::Showing => Step::Showing,
            task::Step::Signing => Step::Signing,
            task::Step::Printing => Step::Printing,
            task::Step::WaitingForPaper => Step::WaitingForPaper,
            task::Step::Scanning => Step::Scanning,
            task::Step::Processing => Step::Processing,
            task::Step::Announcing => Step::Announcing,
            task::Step::Typing => Step::Typing,
            task::Step::Writing => Step::Writing,
            task::Step::WaitingForReceipt => Step::WaitingForReceipt,
        }),
        card: view.card.map(|card| CardFacts {
            municipality_code: card.municipality_code,
            expires_on: card.expires_on,
            expired: card.expired.unwrap_or(false),
        }),
        question: view.question.map(|question| Question {
            ask: question.ask,
            kind: match question.kind {
                task::QuestionKind::PinOnScreen => QuestionKind::PinOnScreen,
                task::QuestionKind::PinByApi => QuestionKind::PinByApi,
                task::QuestionKind::PinOnDevice => QuestionKind::PinOnDevice,
                task::QuestionKind::VerificationNumberB => QuestionKind::VerificationNumberB,
            },
            tries_left: question.tries_left,
            last_try_allowed: question.last_try_allowed,
        }),
        error,
        result_waiting: view.result_waiting,
        id: view.id.as_str().to_owned(),
    }
}

/// A lease.
#[must_use]
pub fn lease(view: LeaseView) -> Lease {
    let (state, fence, ahead) = match view.place {
        Place::Granted { fence } => (LeaseState::Granted, Some(fence), None),
        Place::Waiting { ahead } => (LeaseState::Waiting, None, Some(ahead)),
    };
    Lease {
        id: view.id.as_str().to_owned(),
        device: view.device.as_str().to_owned(),
        state,
        fence,
        ahead,
        expires_in_ms: millis(view.expires_in),
    }
}

/// The PIN screens of a counter; `address` is where their page is served.
#[must_use]
pub fn pin_screens(screens: Vec<PinScreenView>, address: &str) -> PinScreenList {
    let one = |view: PinScreenView| PinScreen {
        id: view.id.as_str().to_owned(),
        connected: view.connected,
    };
    PinScreenList {
        screens: screens.into_iter().map(one).collect(),
        address: address.to_owned(),
    }
}

/// An event for a counter application.
#[must_use]
pub fn happening(happening: Happening, pin_address: &str) -> event::Event {
    match happening {
        Happening::Devices(view) => event::Event::Devices {
            devices: super::device::list(view),
        },
        Happening::Lease(view) => event::Event::Lease { lease: lease(view) },
        Happening::LeaseEnded(id) => event::Event::LeaseEnded {
            id: id.as_str().to_owned(),
        },
        Happening::Job(view) => event::Event::Job {
            job: Box::new(job(*view)),
        },
        Happening::PinScreens(views) => event::Event::PinScreens {
            screens: pin_screens(views, pin_address),
        },
    }
}

/// A position in the stream, on its way in.
#[must_use]
pub fn position(position: event::Position) -> Position {
    Position {
        run: position.run,
        seq: position.seq,
    }
}

/// A position in the stream, on its way out.
#[must_use]
pub fn position_out(position: Position) -> event::Position {
    event::Position {
        run: position.run,
        seq: position.seq,
    }
}

/// What a PIN page said.
#[must_use]
pub fn screen_says(message: ScreenMessage) -> ScreenSays<Parcel> {
    match message {
        ScreenMessage::Register { key } => ScreenSays::Register {
            key: key.map(|key| secret(&key)),
        },
        ScreenMessage::Secret { job, ask, value } => ScreenSays::Secret {
            job: JobId::new(job),
            ask,
            value: secret(&value),
        },
        ScreenMessage::Act { job, act } => ScreenSays::Act {
            job: JobId::new(job),
            act: Sealed::new(Parcel::Act(Box::new(work::act(act)))),
        },
        ScreenMessage::Decline { job, ask } => ScreenSays::Decline {
            job: JobId::new(job),
            ask,
        },
    }
}

/// What an application said on its event stream, besides tokens.
#[must_use]
pub fn session_says(message: event::ClientMessage) -> Option<happens::SessionSays<Parcel>> {
    match message {
        event::ClientMessage::Hello { .. } | event::ClientMessage::Token { .. } => None,
        event::ClientMessage::Received { job, n } => Some(happens::SessionSays::Received {
            job: JobId::new(job),
            n,
        }),
        event::ClientMessage::Act { job, act } => Some(happens::SessionSays::Act {
            job: JobId::new(job),
            act: Sealed::new(Parcel::Act(Box::new(work::act(act)))),
        }),
    }
}

/// What a citizen's screen is told of an item that is no ink; nothing of items that are not for it.
#[must_use]
pub fn screen_item(job: &JobId, word: &str, item: Item) -> Option<ScreenInstruction> {
    let job = job.as_str().to_owned();
    match item {
        Item::Show { page } => Some(ScreenInstruction::Show {
            job,
            word: word.to_owned(),
            page: Box::new(page),
        }),
        Item::Ink { .. } | Item::Scan { .. } | Item::Page { .. } => None,
    }
}

/// What a PIN page is told.
#[must_use]
pub fn screen_tell(tell: ScreenTell) -> ScreenInstruction {
    match tell {
        ScreenTell::Pairing { code } => ScreenInstruction::Pairing { code },
        ScreenTell::Paired { key, counter } => ScreenInstruction::Paired {
            key: key.map(|key| secret_text(&key)),
            counter,
        },
        ScreenTell::Idle { last } => ScreenInstruction::Idle {
            last: last.map(|closed| {
                let word = match closed {
                    Closed::Entered => "entered",
                    Closed::Cancelled => "cancelled",
                    Closed::Wrong => "wrong",
                };
                word.to_owned()
            }),
        },
        ScreenTell::Ask {
            job,
            ask,
            word,
            tries_left,
            last_try,
            keys,
        } => ScreenInstruction::Ask {
            job: job.as_str().to_owned(),
            ask,
            word: word.to_owned(),
            tries_left,
            last_try,
            keys: keys.to_vec(),
        },
    }
}
