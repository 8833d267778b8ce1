//! The connection to an X server, and the banner's window.

use std::fmt;

use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    cookie::{Cookie, VoidCookie},
    errors::{ConnectionError, ReplyError},
    protocol::{
        Event,
        xinput::{self, ConnectionExt as _},
        xproto::{
            AtomEnum, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, ImageFormat,
            ImageOrder, Screen, WindowClass,
        },
        xtest,
    },
    rust_connection::RustConnection,
    x11_utils::TryParse,
};

use crate::{platform::banner, typist::TypistError};

/// Rows of a picture are sent in portions below the smallest limit of a request (262,140 bytes).
const PORTION: usize = 200_000;

/// A connection with what typing needs.
pub(super) struct Desk {
    pub(super) connection: RustConnection,
    screen: Screen,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("root", &self.screen.root)
            .finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn connect(display: &str) -> Result<Self, TypistError> {
        let connected = RustConnection::connect(Some(display));
        let (connection, number) = connected.map_err(|source| TypistError::NoDesktop {
            source: Box::new(source),
        })?;
        let screen = connection.setup().roots.get(number).cloned();
        let desk = Self {
            connection,
            screen: screen.ok_or(TypistError::Lacks { what: "a screen" })?,
        };
        desk.must_have(xtest::X11_EXTENSION_NAME, "the extension XTEST")?;
        desk.must_have(xinput::X11_EXTENSION_NAME, "the extension XInput")?;
        // Before 2.1 raw events are withheld while another program holds the keyboard.
        let version = desk.reply(desk.connection.xinput_xi_query_version(2, 2))?;
        if (version.major_version, version.minor_version) < (2, 1) {
            return Err(TypistError::Lacks { what: "XInput 2.1" });
        }
        Ok(desk)
    }

    fn must_have(&self, name: &'static str, what: &'static str) -> Result<(), TypistError> {
        let found = self.connection.extension_information(name).map_err(lost)?;
        found.map(|_| ()).ok_or(TypistError::Lacks { what })
    }

    pub(super) const fn screen(&self) -> &Screen {
        &self.screen
    }

    pub(super) const fn root(&self) -> u32 {
        self.screen.root
    }

    pub(super) fn atom(&self, name: &str) -> Result<u32, TypistError> {
        Ok(self
            .reply(self.connection.intern_atom(false, name.as_bytes()))?
            .atom)
    }

    /// A reply that the server owes us.
    pub(super) fn reply<R: TryParse>(
        &self,
        asked: Result<Cookie<'_, RustConnection, R>, ConnectionError>,
    ) -> Result<R, TypistError> {
        asked.map_err(lost)?.reply().map_err(lost)
    }

    /// A reply about a window of another program, which may be gone by now: then `None`.
    pub(super) fn perhaps<R: TryParse>(
        &self,
        asked: Result<Cookie<'_, RustConnection, R>, ConnectionError>,
    ) -> Result<Option<R>, TypistError> {
        match asked.map_err(lost)?.reply() {
            Ok(reply) => Ok(Some(reply)),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(error @ ReplyError::ConnectionError(_)) => Err(lost(error)),
        }
    }

    /// A request that must have been carried out.
    pub(super) fn done(
        &self,
        asked: Result<VoidCookie<'_, RustConnection>, ConnectionError>,
    ) -> Result<(), TypistError> {
        asked.map_err(lost)?.check().map_err(lost)
    }

    /// A request about a window of another program, which may be gone by now.
    pub(super) fn attempt(
        &self,
        asked: Result<VoidCookie<'_, RustConnection>, ConnectionError>,
    ) -> Result<(), TypistError> {
        match asked.map_err(lost)?.check() {
            Ok(()) | Err(ReplyError::X11Error(_)) => Ok(()),
            Err(error @ ReplyError::ConnectionError(_)) => Err(lost(error)),
        }
    }

    pub(super) fn flush(&self) -> Result<(), TypistError> {
        self.connection.flush().map_err(lost)
    }

    pub(super) fn sync(&self) -> Result<(), TypistError> {
        self.reply(self.connection.get_input_focus()).map(|_| ())
    }

    pub(super) fn next_event(&self) -> Result<Option<Event>, TypistError> {
        self.connection.poll_for_event().map_err(lost)
    }

    /// Does something while the server serves nobody else, so that what was asked still holds when it is acted on.
    pub(super) fn alone<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, TypistError>,
    ) -> Result<T, TypistError> {
        self.done(self.connection.grab_server())?;
        let outcome = work(self);
        self.done(self.connection.ungrab_server())?;
        outcome
    }

    /// Shows a picture above everything, beyond the reach of window managers.
    pub(super) fn show(&self, picture: &banner::Picture) -> Result<u32, TypistError> {
        let setup = self.connection.setup();
        let four_bytes = setup
            .pixmap_formats
            .iter()
            .any(|format| format.depth == self.screen.root_depth && format.bits_per_pixel == 32);
        if !four_bytes || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(TypistError::Banner {
                why: "the screen has no true colours",
            });
        }
        let (width, height) = (picture.width, banner::HEIGHT);
        let pixmap = self.new_id()?;
        self.done(self.connection.create_pixmap(
            self.screen.root_depth,
            pixmap,
            self.root(),
            width,
            height,
        ))?;
        self.paint(pixmap, picture)?;
        let window = self.new_id()?;
        let aux = CreateWindowAux::new()
            .override_redirect(1)
            .background_pixmap(pixmap)
            .event_mask(EventMask::VISIBILITY_CHANGE | EventMask::BUTTON_PRESS);
        self.done(self.connection.create_window(
            self.screen.root_depth,
            window,
            self.root(),
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &aux,
        ))?;
        let name = banner::TEXT.as_bytes();
        let (property, kind) = (self.atom("_NET_WM_NAME")?, self.atom("UTF8_STRING")?);
        self.done(x11rb::wrapper::ConnectionExt::change_property8(
            &self.connection,
            x11rb::protocol::xproto::PropMode::REPLACE,
            window,
            property,
            kind,
            name,
        ))?;
        self.done(self.connection.map_window(window))?;
        self.done(self.connection.free_pixmap(pixmap))?;
        Ok(window)
    }

    fn paint(&self, pixmap: u32, picture: &banner::Picture) -> Result<(), TypistError> {
        let context = self.new_id()?;
        self.done(
            self.connection
                .create_gc(context, pixmap, &CreateGCAux::new()),
        )?;
        let row = usize::from(picture.width) * 4;
        let rows = (PORTION / row.max(1)).max(1);
        let mut top = 0_i16;
        for portion in picture.pixels.chunks(row * rows) {
            let height = u16::try_from(portion.len() / row.max(1)).unwrap_or(0);
            self.done(self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                pixmap,
                context,
                picture.width,
                height,
                0,
                top,
                0,
                self.screen.root_depth,
                portion,
            ))?;
            top = top.saturating_add_unsigned(height);
        }
        self.done(self.connection.free_gc(context))
    }

    fn new_id(&self) -> Result<u32, TypistError> {
        self.connection.generate_id().map_err(lost)
    }

    /// The beginning of a window's property, as bytes.
    pub(super) fn property(
        &self,
        window: u32,
        property: u32,
    ) -> Result<Option<(u32, Vec<u8>)>, TypistError> {
        const LONGEST: u32 = 4096 / 4;
        let any = u32::from(AtomEnum::ANY);
        let asked = self
            .connection
            .get_property(false, window, property, any, 0, LONGEST);
        let found = self.perhaps(asked)?.filter(|reply| reply.type_ != 0);
        Ok(found.map(|reply| (reply.type_, reply.value)))
    }
}

pub(super) fn lost(source: impl std::error::Error + Send + Sync + 'static) -> TypistError {
    TypistError::Lost {
        source: Box::new(source),
    }
}
