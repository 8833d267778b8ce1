//! How signing fails, and what people are told of it.

use device_api::{FaultCode, Stop};
use link::LinkError;
use thiserror::Error;

use crate::document::DocumentError;
use crate::mapping::CalibrationError;
use crate::text::FontError;
use crate::wire::digitizer::PenError;
use crate::wire::stu::BadReport;

/// Why there is no signature.
#[derive(Debug, Error)]
pub enum TabletError {
    /// The way to the tablet failed.
    #[error("{attempted} failed")]
    Link {
        /// What was being attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: LinkError,
    },
    /// The device is no signature tablet.
    #[error("device is no pen that can be read")]
    NoPen(#[source] PenError),
    /// The device is neither a pad nor a pen, or not of the kind that the settings name.
    #[error("device is no signature tablet of this kind")]
    WrongKind,
    /// The model talks only encrypted, by a protocol that is not public.
    #[error("{model} talks only encrypted, which is not supported")]
    Encrypted {
        /// The model.
        model: String,
    },
    /// A report of the pad is not what its number promises.
    #[error("pad answered with what makes no sense")]
    Report(#[source] BadReport),
    /// The pad refused a command.
    #[error("pad refused {attempted} with code {code:#04X}")]
    Refused {
        /// What was being attempted.
        attempted: &'static str,
        /// Its result code.
        code: u8,
    },
    /// The font for the pad's screen cannot be used.
    #[error("font for the pad's screen is missing")]
    Font(#[source] FontError),
    /// The calibration does not fit the device.
    #[error("calibration is of another device or orientation")]
    Mapping,
    /// The taps gave no calibration.
    #[error("calibration failed")]
    Calibration(#[source] CalibrationError),
    /// The document cannot be shown whole.
    #[error("document cannot be shown")]
    Document(#[source] DocumentError),
    /// No screen shows the pictures of this tablet, or it was closed.
    #[error("no screen shows the document")]
    NoScreen,
    /// The citizen declined.
    #[error("citizen declined to sign")]
    Declined,
    /// Nothing was signed in time.
    #[error("nothing was signed in time")]
    TimedOut,
    /// 確定 was pressed and nothing stood in the signing area.
    #[error("signing area is empty")]
    Empty,
    /// The work was cancelled.
    #[error("signing was cancelled")]
    Cancelled,
}

impl From<DocumentError> for TabletError {
    fn from(error: DocumentError) -> Self {
        if let DocumentError::Stopped(stop) = error {
            stop.into()
        } else {
            Self::Document(error)
        }
    }
}

impl From<Stop> for TabletError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            // The deadline of the job is the time that the citizen has.
            Stop::Deadline => Self::TimedOut,
        }
    }
}

impl TabletError {
    /// Says what was being attempted on the link.
    pub(crate) fn link(attempted: &'static str) -> impl Fn(LinkError) -> Self {
        move |source| Self::Link { attempted, source }
    }

    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Link { source, .. } => link_fault(source),
            Self::NoPen(_) | Self::WrongKind | Self::Encrypted { .. } | Self::Mapping => {
                FaultCode::DeviceUnsupported
            }
            Self::Report(_) | Self::Refused { .. } | Self::Font(_) => FaultCode::DeviceFailed,
            Self::Calibration(_) => FaultCode::SignatureCalibration,
            Self::Document(_) => FaultCode::SignatureDocument,
            Self::NoScreen => FaultCode::SignatureNoScreen,
            Self::Declined => FaultCode::SignatureDeclined,
            Self::TimedOut => FaultCode::SignatureTimeout,
            Self::Empty => FaultCode::SignatureEmpty,
            Self::Cancelled => FaultCode::JobCancelled,
        }
    }
}

const fn link_fault(error: &LinkError) -> FaultCode {
    match error {
        LinkError::Gone => FaultCode::DeviceGone,
        LinkError::TimedOut => FaultCode::DeviceHung,
        LinkError::Interrupted => FaultCode::JobCancelled,
        LinkError::Busy => FaultCode::DeviceBusy,
        LinkError::Denied => FaultCode::DeviceDenied,
        LinkError::Malformed { .. } | LinkError::Io { .. } => FaultCode::DeviceFailed,
    }
}
