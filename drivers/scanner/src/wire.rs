//! What passes between scanner and machine, as bytes: codecs without I/O and without a clock.
//!
//! From the outside inwards: how one reading is delimited ([`framer`], [`hid_pos`], [`keymap`]), what the
//! scanner says of the symbol ([`aim`], [`eci`], [`append`]), and what the content says ([`text`], [`gs1`]).
//! Everything here reads bytes that a stranger printed or a device made up: nothing panics, and nothing
//! grows beyond the limit that it was given.

pub mod aim;
pub mod append;
pub mod base45;
pub mod descriptor;
pub mod eci;
pub mod framer;
pub mod gs1;
pub mod hid_pos;
pub mod keymap;
pub mod text;
pub mod typing;
