//! Signatures sealed to what was shown: ink formats, container, PDF.
mod calendar;
mod cbor;
pub mod container;
mod ink;
pub mod inkml;
pub mod iso;
#[cfg(test)]
mod sample_ink;

pub use cbor::CborError;
pub use ink::{
    Axis, CapturedBy, ClockSource, Digitizer, Ink, InkError, LONGEST_NAME, LONGEST_US,
    MOST_SAMPLES, Sample,
};
