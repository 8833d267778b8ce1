//! How typing into a form can end, and which stable code people are told.

use device_api::{FaultCode, Stop};
use thiserror::Error;

use crate::{
    fill::Progress,
    typist::{Interference, TypistError},
};

/// Why a form is not filled in, or not to its end.
#[derive(Debug, Error)]
pub enum KeystrokeError {
    /// Characters that cannot be typed, or keys that the plan may not type. Nothing was typed.
    #[error("{} characters or keys cannot be typed", .0.len())]
    Untypable(Vec<Untypable>),
    /// The window that has the focus is not the one that is expected.
    #[error("expected window does not have the focus, after {} steps", .done.steps)]
    Focus {
        /// What was typed before.
        done: Progress,
    },
    /// A person, the requester or the deadline ended the typing.
    #[error("typing was stopped after {} steps", .done.steps)]
    Aborted {
        /// Who.
        by: Abort,
        /// What was typed before.
        done: Progress,
    },
    /// The desktop cannot be used, or was lost.
    #[error("desktop cannot be typed on, after {} steps", .done.steps)]
    Unavailable {
        /// Why.
        source: TypistError,
        /// What was typed before.
        done: Progress,
    },
}

impl KeystrokeError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Untypable(_) => FaultCode::KeystrokeUntypable,
            Self::Focus { .. } => FaultCode::KeystrokeFocus,
            Self::Aborted { by, .. } => match by {
                Abort::Person(_) => FaultCode::KeystrokeAborted,
                Abort::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
                Abort::Stopped(Stop::Deadline) => FaultCode::JobDeadline,
            },
            Self::Unavailable { .. } => FaultCode::KeystrokeUnavailable,
        }
    }

    /// How far the typing came; a form may be half filled in.
    #[must_use]
    pub fn done(&self) -> Progress {
        match self {
            Self::Untypable(_) => Progress::default(),
            Self::Focus { done } | Self::Aborted { done, .. } | Self::Unavailable { done, .. } => {
                *done
            }
        }
    }
}

/// Who ended the typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// The person at the machine.
    Person(Interference),
    /// The requester, or the deadline.
    Stopped(Stop),
}

/// Something in a plan that cannot be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untypable {
    /// The step, counted from 1.
    pub step: usize,
    /// The position in the step's text, in characters, counted from 1.
    pub position: usize,
    /// The character; `None` where the step is a key that the plan may not type.
    pub character: Option<char>,
}
