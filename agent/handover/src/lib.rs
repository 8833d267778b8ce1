//! Reception data as CSV for systems without an API.
//!
//! A [`Template`] says what a receiving system wants: columns, encoding, file name.
//! An [`Outbox`] writes rows by it into a folder from which a robot (RPA) or a legacy system takes them,
//! and knows of each file whether it was acknowledged.
//!
//! What holds:
//!
//! - A file under its final name is whole, and no file is ever overwritten.
//! - A number is given to one file at most, also across crashes.
//! - A character that the receiver cannot take is reported, never silently replaced.
//! - A value that is too long is refused, never cut.
//!
//! What it refuses to do: choose a folder by itself, talk to a network, keep citizens' data elsewhere than
//! in the file that was asked for. Its own records hold file names and times.
//!
//! ```
//! use handover::{CivilDate, Outbox, Places, Row, Stamp, Template};
//!
//! # let temp = tempfile::tempdir()?;
//! # for name in ["out", "ack", "state"] { std::fs::create_dir(temp.path().join(name))?; }
//! let template = Template::parse(
//!     r#"
//!     format = 1
//!     name = "certificates"
//!     encoding = "cp932"
//!     file_name = "cert_{date}_{counter}_{sequence}.csv"
//!     [[columns]]
//!     header = "氏名"
//!     field = "name"
//!     required = true
//!     max_bytes = 40
//!     "#,
//! )?;
//! let places = Places {
//!     outgoing: temp.path().join("out"),
//!     acknowledgements: temp.path().join("ack"),
//!     state: temp.path().join("state"),
//! };
//! let mut outbox = Outbox::open(template, "3", places)?;
//! let row: Row = [("name".to_owned(), "髙橋　太郎".to_owned())].into_iter().collect();
//! let today = CivilDate::new(2026, 11, 21).ok_or("no such day")?;
//! let written = outbox.write(&[row], Stamp { today, unix_millis: 1_795_000_000_000 })?;
//! assert_eq!(written.name, "cert_20261121_3_000001.csv");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | job |
//! |---|---|
//! | `template` | the file that describes a receiver, checked whole |
//! | `cell`, `transform`, `width`, `date` | one value on its way to the file |
//! | `encoding` | what a receiver's characters are, and what happens to others |
//! | `document` | rows to bytes |
//! | `outbox`, `ledger` | numbers, names, and files that appear whole |
//! | `survey`, `watch` | acknowledgements |
//! | `platform` | what differs between operating systems |

mod cell;
mod date;
mod document;
mod encoding;
mod error;
mod ledger;
mod outbox;
mod platform;
mod survey;
mod template;
mod transform;
mod watch;
mod width;

pub use cell::{Row, ValueFault};
pub use date::CivilDate;
pub use document::Replacement;
pub use encoding::{Encoding, Repertoire, Unmappable};
pub use error::HandoverError;
pub use outbox::{Outbox, Places, Stamp, Written};
pub use survey::{Handed, Reason, State};
pub use template::{Template, TemplateError};
pub use watch::{Wake, Watch};
