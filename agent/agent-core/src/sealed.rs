//! A value that the core stores and hands over, and cannot look into or print.

use std::fmt;

/// What was read from a card, closed: no `Debug` content, no `Clone`, no access but taking it out.
pub struct Sealed<R>(R);

impl<R> Sealed<R> {
    /// Closes `content` in.
    #[must_use]
    pub const fn new(content: R) -> Self {
        Self(content)
    }

    /// Takes the content out, for the one client that may have it.
    #[must_use]
    pub fn open(self) -> R {
        self.0
    }
}

impl<R> fmt::Debug for Sealed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}
