//! What an operating system must offer so that a form can be filled in.
//!
//! A [`Session`] holds the banner and whatever was changed of the keyboard; its end takes both away.

use std::{fmt, io, time::Duration};

use device_api::Patience;
use thiserror::Error;

use crate::plan::Key;

/// Where keys can be typed.
pub trait Typist: Send + fmt::Debug {
    /// Whether this character can be typed at all.
    fn types(&self, one: char) -> bool;

    /// Shows the banner and prepares the keyboard for these characters, each once, in the order of their first
    /// use. Types nothing.
    ///
    /// # Errors
    /// There is no desktop, or it lacks what typing needs. Nothing is left behind.
    fn begin(&mut self, characters: &[char]) -> Result<Box<dyn Session + '_>, TypistError>;
}

/// The time during which the banner is visible.
///
/// Dropping it ends it too, without a report.
pub trait Session: fmt::Debug {
    /// Whether an input method is there that may convert what is typed.
    ///
    /// # Errors
    /// The desktop is lost.
    fn input_method(&mut self) -> Result<bool, TypistError>;

    /// The window that has the focus, or `None` where nothing that can be recognised has it.
    ///
    /// # Errors
    /// The desktop is lost.
    fn front(&mut self) -> Result<Option<Window>, TypistError>;

    /// Types one stroke if, and only if, `into` has the focus and no modifier is held.
    ///
    /// # Errors
    /// The desktop is lost.
    fn stroke(&mut self, stroke: Stroke, into: WindowId) -> Result<Stroked, TypistError>;

    /// What a person did since the session began, if it ends the typing. Once it has answered, it answers the
    /// same for ever.
    ///
    /// # Errors
    /// The desktop is lost.
    fn interference(&mut self) -> Result<Option<Interference>, TypistError>;

    /// Blocks for `span`, or until something happened on the desktop or `patience` was stopped.
    ///
    /// # Errors
    /// The desktop is lost.
    fn wait(&mut self, span: Duration, patience: &Patience) -> Result<(), TypistError>;

    /// Takes the banner away and gives the keyboard back.
    ///
    /// # Errors
    /// The desktop is lost.
    fn finish(self: Box<Self>) -> Result<(), TypistError>;
}

/// Names a window for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowId(pub u64);

/// A window. Its title may name a citizen, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Window {
    id: WindowId,
    title: String,
    class: String,
}

impl Window {
    /// A window with this title and class.
    #[must_use]
    pub const fn new(id: WindowId, title: String, class: String) -> Self {
        Self { id, title, class }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> WindowId {
        self.id
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its class, which names the program.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.class
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What one press types. It is of a citizen, so `Debug` does not show a character.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// A character.
    Character(char),
    /// A key.
    Key(Key),
}

impl fmt::Debug for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(_) => f.write_str("Character(..)"),
            Self::Key(key) => write!(f, "Key({key:?})"),
        }
    }
}

/// What became of a stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroked {
    /// It was typed.
    Typed,
    /// Another window has the focus; nothing was typed.
    Elsewhere,
    /// The keyboard is being prepared for this character: nothing was typed, ask again after the settling time.
    NotYet,
    /// A modifier is held or locked; nothing was typed.
    ModifierHeld,
}

/// What a person did that ends the typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interference {
    /// Pressed Escape.
    Escape,
    /// Pressed another key.
    Key,
    /// Clicked on the banner.
    Banner,
    /// Holds Shift, Control or the like, or Caps Lock is on.
    Modifier,
    /// Something covers the banner again and again.
    Covered,
}

/// Why a desktop cannot be typed on.
#[derive(Debug, Error)]
pub enum TypistError {
    /// No desktop answers.
    #[error("no desktop answers")]
    NoDesktop {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The desktop lacks something that typing safely needs.
    #[error("desktop lacks {what}")]
    Lacks {
        /// What.
        what: &'static str,
    },
    /// An input method runs, and would turn letters into kana; the plan does not say that the form keeps it off.
    #[error("an input method runs")]
    InputMethod,
    /// The banner cannot be drawn, and without it nothing is typed.
    #[error("banner cannot be drawn: {why}")]
    Banner {
        /// Why.
        why: &'static str,
    },
    /// The connection to the desktop broke.
    #[error("connection to the desktop broke")]
    Lost {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system cannot wait.
    #[error("cannot wait for the desktop")]
    Wait {
        /// Why.
        source: io::Error,
    },
}
