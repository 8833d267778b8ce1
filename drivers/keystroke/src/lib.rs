//! Keystrokes into a legacy form, visible and abortable.
//!
//! For systems that can be reached in no other way, values are typed into a window as a person would.
//! A [`Form`] describes window and steps; with values it becomes a [`Plan`]; [`fill`] carries the plan out
//! through a [`Typist`].
//!
//! What holds:
//!
//! - Nothing is typed unless the expected window has the focus. Each step looks at title and class, each stroke
//!   at the window itself.
//! - A banner stands above everything for the whole time. Escape, any other key, a click on the banner,
//!   cancelling and the deadline end the typing at once, and the error says how far it came.
//! - What cannot be typed is reported before anything is typed.
//! - Enter and function keys, which submit forms, are typed only where the form allows it.
//!   Control characters are never typed, and key combinations do not exist here.
//! - The Escape key cannot be part of a plan: it belongs to the person at the keyboard, and does not reach the
//!   form.
//!
//! | module | job |
//! |---|---|
//! | `form` | the file that describes a window and its steps |
//! | `plan` | what is to be typed, checked |
//! | `typist` | what an operating system must offer |
//! | `fill` | the rules above |
//! | `platform` | a typist for X11 |
//!
//! There is no typist for Windows and none for Wayland: there, keystrokes are not offered.

mod error;
mod fill;
mod form;
mod plan;
pub mod platform;
mod typist;

pub use error::{Abort, KeystrokeError, Untypable};
pub use fill::{Progress, Typed, fill};
pub use form::{Form, FormError};
pub use plan::{Key, Pattern, Plan, Repertoire, Step, Timing, Title};
pub use typist::{Interference, Session, Stroke, Stroked, Typist, TypistError, Window, WindowId};
