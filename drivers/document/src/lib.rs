//! Document scanners over the SANE network protocol and eSCL.
//!
//! **What it is for.** Papers that a citizen brings become one file: a PDF/A for the archive, a TIFF for
//! an old document system, or PNG pages. [`open`] reaches a scanner, [`DocumentScanner::scan`] scans, with
//! progress, a deadline and an end from another thread.
//!
//! **What it refuses.** It links no scanner library: both protocols are spoken here, over TCP. It sends no
//! password. It follows no address that a scanner names. It never returns half a document.
//!
//! ```text
//! saned  --- wire::sane ---+                     +-- PDF/A-2b
//!                          +--> image --> output +-- TIFF, LZW
//! eSCL   --- wire::escl ---+    askew?           +-- PNG
//!        (ipp-usb for USB)      blank?
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`scanner`] | the trait, requests and answers |
//! | [`wire`] | codecs, without I/O |
//! | [`image`] | pictures: decoded, examined, straightened, turned |
//! | [`output`] | the files |
//! | [`fault`] | errors, and what people are told |
//! | `driver`, `connection`, `quirks` | conversations, sockets, what models call things |
//!
//! **Guarantees.** Every wait ends by data, deadline, silence or [`device_api::Patience::stop`]. Whatever
//! a scanner sends, nothing panics, and memory follows what has come. A page holds what the scanner sent:
//! with straightening, turning and conversion of colours off, sample for sample (of 16 bits the upper 8);
//! a JPEG byte for byte.
//!
//! **Limits.** A scanner that offers neither JPEG nor PNG over eSCL is not usable. Black and white pages
//! over eSCL are divided here, from gray. After a jam all pages must be scanned again.

mod connection;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod driver;
pub mod fault;
pub mod image;
pub mod output;
mod quirks;
pub mod scanner;
pub mod wire;

pub use driver::{Connection, DocumentSettings, list_sane, open};
pub use fault::ScanError;
pub use scanner::{
    Capabilities, ColourMode, DocumentScanner, FeederStatus, Format, PageSize, Progress,
    Resolutions, ScanRequest, Scanned, ScannedPage, Source, SourceCapabilities, Status, Turn,
};
