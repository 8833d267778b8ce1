//! A typist for X11, by the XTEST extension.
//!
//! | question | answer |
//! |---|---|
//! | how is any character typed | spare key codes are given the characters beforehand, without any modifier |
//! | how is the focus certain | focus is asked and the key typed while the server serves nobody else (GrabServer) |
//! | how is a person heard | XInput2 raw key events, which come whatever has the focus (XI 2.1, "Raw events") |
//! | why does Escape not reach the form | the key is claimed for us while the banner stands (GrabKey) |
//! | which keys are ours | ours come back in the order typed; any other one is a person's |
//! | what if we are killed | the server takes the banner away with the connection; codes are listed on the root window and given back at the next start |
//!
//! The characters are given to the keys before the announcement, since programs fetch the keyboard's table when
//! they come to it, and not when it changes.
//! An input method is seen by its entry as an XIM server, which IBus and fcitx make; whether it converts at the
//! moment cannot be asked.

mod desk;
mod keys;
mod windows;

use std::{os::fd::AsFd as _, sync::Arc, time::Duration};

use ab_glyph::FontVec;
use device_api::Patience;
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fd::OwnedFd,
    io::{Errno, read, write},
};
use x11rb::protocol::{
    Event,
    xproto::{ConfigureWindowAux, ConnectionExt as _, KeyButMask, StackMode, Visibility},
    xtest::ConnectionExt as _,
};

use self::{desk::Desk, keys::Keys, windows::Windows};
use super::banner;
use crate::typist::{
    Interference, Session, Stroke, Stroked, Typist, TypistError, Window, WindowId,
};

const PRESS: u8 = 2;
const RELEASE: u8 = 3;
/// Num Lock is Mod2 on all common layouts and changes no character; everything else does.
const MODIFIERS: [KeyButMask; 7] = [
    KeyButMask::SHIFT,
    KeyButMask::LOCK,
    KeyButMask::CONTROL,
    KeyButMask::MOD1,
    KeyButMask::MOD3,
    KeyButMask::MOD4,
    KeyButMask::MOD5,
];
/// How often the banner is put on top again before something is taken to hide it on purpose.
const RAISES: u32 = 20;

/// Types into the windows of an X server.
#[derive(Debug)]
pub struct X11Typist {
    display: String,
    font: FontVec,
}

impl X11Typist {
    /// A typist for the display of this name, such as `:0`, with the bytes of a font for the banner.
    ///
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// The font cannot be read, or lacks a character of the banner.
    pub fn new(display: &str, font: Vec<u8>) -> Result<Self, TypistError> {
        Ok(Self {
            display: display.to_owned(),
            font: banner::font(font)?,
        })
    }
}

impl Typist for X11Typist {
    /// Every character has a keysym (X Protocol, appendix A), so this is all but those that no plan may have.
    fn types(&self, one: char) -> bool {
        keys::keysym(one).is_some()
    }

    fn begin(&mut self, characters: &[char]) -> Result<Box<dyn Session + '_>, TypistError> {
        let desk = Desk::connect(&self.display)?;
        let picture = banner::draw(&self.font, desk.screen().width_in_pixels);
        let banner = desk.show(&picture)?;
        let windows = Windows::listen(&desk, banner)?;
        let woken = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let woken = woken.map_err(|errno| TypistError::Wait {
            source: errno.into(),
        })?;
        // Last, so that nothing can fail while the keyboard is changed and nobody gives it back.
        let keys = Keys::prepare(&desk, characters)?;
        let session = X11Session {
            keys,
            windows,
            banner,
            woken: Arc::new(woken),
            interference: None,
            raises: 0,
            open: true,
            desk,
        };
        Ok(Box::new(session))
    }
}

#[derive(Debug)]
struct X11Session {
    desk: Desk,
    keys: Keys,
    windows: Windows,
    banner: u32,
    woken: Arc<OwnedFd>,
    interference: Option<Interference>,
    raises: u32,
    open: bool,
}

impl Session for X11Session {
    fn input_method(&mut self) -> Result<bool, TypistError> {
        self.windows.input_method(&self.desk)
    }

    fn front(&mut self) -> Result<Option<Window>, TypistError> {
        self.windows.front(&self.desk)
    }

    fn stroke(&mut self, stroke: Stroke, into: WindowId) -> Result<Stroked, TypistError> {
        let code = match stroke {
            Stroke::Character(one) => self.keys.code(&self.desk, one)?,
            Stroke::Key(key) => Some(self.keys.key(key)?),
        };
        let Some(code) = code else {
            return Ok(Stroked::NotYet);
        };
        self.desk.alone(|desk| {
            let pointer = desk.reply(desk.connection.query_pointer(desk.root()))?;
            if MODIFIERS.iter().any(|one| pointer.mask.contains(*one)) {
                return Ok(Stroked::ModifierHeld);
            }
            if self.windows.focused(desk)? != Some(into) {
                return Ok(Stroked::Elsewhere);
            }
            for kind in [PRESS, RELEASE] {
                desk.done(
                    desk.connection
                        .xtest_fake_input(kind, code, 0, desk.root(), 0, 0, 0),
                )?;
            }
            self.keys.sent(code);
            Ok(Stroked::Typed)
        })
    }

    fn interference(&mut self) -> Result<Option<Interference>, TypistError> {
        // A round trip, so that what happened before now is in the queue.
        self.desk.sync()?;
        self.take_events()?;
        Ok(self.interference)
    }

    fn wait(&mut self, span: Duration, patience: &Patience) -> Result<(), TypistError> {
        let woken = Arc::clone(&self.woken);
        let _waker = patience.when_stopped(move || {
            // Fails only where the counter is full, and then the wait ends anyway.
            let _outcome = write(&woken, &1_u64.to_ne_bytes());
        });
        let left = patience
            .deadline()
            .remaining(patience.clock().now())
            .unwrap_or_default();
        self.desk.flush()?;
        if self.take_events()? {
            return Ok(());
        }
        let timeout = Timespec::try_from(span.min(left)).ok();
        let mut waited = [
            PollFd::from_borrowed_fd(self.desk.connection.stream().as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.woken.as_fd(), PollFlags::IN),
        ];
        match poll(&mut waited, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => {
                return Err(TypistError::Wait {
                    source: errno.into(),
                });
            }
        }
        let mut counter = [0_u8; 8];
        let _drained = read(&self.woken, &mut counter);
        self.take_events()?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), TypistError> {
        self.close()
    }
}

impl X11Session {
    /// Takes what the server has told; says whether there was anything.
    fn take_events(&mut self) -> Result<bool, TypistError> {
        let mut any = false;
        while let Some(event) = self.desk.next_event()? {
            any = true;
            self.take(&event)?;
        }
        Ok(any)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign enum with hundreds of events"
    )]
    fn take(&mut self, event: &Event) -> Result<(), TypistError> {
        let interference = match event {
            Event::XinputRawKeyPress(press) => self.keys.pressed(press.detail),
            Event::ButtonPress(press) if press.event == self.banner => Some(Interference::Banner),
            Event::VisibilityNotify(seen)
                if seen.window == self.banner && seen.state != Visibility::UNOBSCURED =>
            {
                self.raises += 1;
                let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
                self.desk
                    .done(self.desk.connection.configure_window(self.banner, &above))?;
                (self.raises > RAISES).then_some(Interference::Covered)
            }
            _ => None,
        };
        self.interference = self.interference.or(interference);
        Ok(())
    }

    fn close(&mut self) -> Result<(), TypistError> {
        self.open = false;
        self.keys.give_back(&self.desk)?;
        self.desk
            .done(self.desk.connection.destroy_window(self.banner))?;
        self.desk.sync()
    }
}

impl Drop for X11Session {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the keyboard could not be given back");
        }
    }
}
