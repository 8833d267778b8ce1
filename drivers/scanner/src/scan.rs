//! A reading as the rest of the product sees it, and the trait of everything that reads codes.

use std::fmt;

use device_api::{Moment, Patience};
use link::Frame;

use crate::fault::ScannerError;
use crate::preapplication::PreApplication;
use crate::wire::aim::AimId;
use crate::wire::eci::EciMark;
use crate::wire::framer::ClosedBy;
use crate::wire::gs1::{Gs1Error, Gs1Message};
use crate::wire::text::DecodedText;

/// Something that reads codes.
///
/// One thread calls `next` over and over, also while nobody wants a code, so that each has its moment and
/// what nobody waited for can be thrown away. Nothing is kept between two codes but what belongs together.
pub trait CodeScanner: Send + fmt::Debug {
    /// The next code; blocks until there is one.
    ///
    /// # Errors
    /// [`ScannerError::TimedOut`] and [`ScannerError::Cancelled`] where patience ends; what was read of a
    /// code by then is kept for the next call. [`ScannerError::Gone`] for ever once the device has left.
    /// Every other error is about one code: the next call reads the next.
    fn next(&mut self, patience: &Patience) -> Result<Scan, ScannerError>;

    /// Forgets the parts of a message that is not whole yet and the codes that `next` has not told yet, and
    /// returns whether there were any. Called where the page changes that gets the codes; does not block.
    ///
    /// A code whose beginning has come and whose end has not is kept: it is being read now.
    fn forget(&mut self) -> bool;
}

/// A code that was read. All of it is a citizen's, so `Debug` shows none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The bytes of the symbol: without framing, identifier, escapes and append headers.
    pub bytes: Frame,
    /// Where the code names charsets.
    pub eci: Vec<EciMark>,
    /// The symbology, where the scanner tells it.
    pub aim: Option<AimId>,
    /// The vendor's own number of the symbology, where the scanner tells it.
    pub vendor_symbology: Option<u8>,
    /// The bytes as text, if they are text.
    pub text: Option<DecodedText>,
    /// Element strings, where the symbology says that there are some.
    pub gs1: Option<Result<Gs1Message, Gs1Error>>,
    /// What was verified, where it is a pre-application.
    pub pre_application: Option<PreApplication>,
    /// Which rule ended it; of its last part, where it had several.
    pub closed_by: ClosedBy,
    /// Of how many codes it was put together.
    pub parts: u8,
    /// When its last byte had come, by the driver's clock.
    pub at: Moment,
}
