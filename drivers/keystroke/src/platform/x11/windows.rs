//! Which window has the focus, and what it is.
//!
//! The focus may lie on a window deep inside a program's own; the program's window is the nearest one above
//! that has a class (ICCCM 4.1.2.5).

use x11rb::protocol::xproto::{AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

use super::desk::Desk;
use crate::typist::{TypistError, Window, WindowId};

/// No window is nested deeper; a longer way up would be a server that answers in circles.
const DEEPEST: usize = 64;

/// What is needed to recognise windows.
#[derive(Debug)]
pub(super) struct Windows {
    name: u32,
    utf8: u32,
    banner: u32,
    listened: Option<(u32, u32)>,
    resolved: Option<(u32, u32)>,
}

impl Windows {
    /// Begins to listen to windows that come, go and change their names.
    pub(super) fn listen(desk: &Desk, banner: u32) -> Result<Self, TypistError> {
        let events =
            EventMask::SUBSTRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE | EventMask::FOCUS_CHANGE;
        let aux = ChangeWindowAttributesAux::new().event_mask(events);
        desk.done(desk.connection.change_window_attributes(desk.root(), &aux))?;
        Ok(Self {
            name: desk.atom("_NET_WM_NAME")?,
            utf8: desk.atom("UTF8_STRING")?,
            banner,
            listened: None,
            resolved: None,
        })
    }

    /// The window that has the focus, as it is now; its next change wakes whoever waits.
    pub(super) fn front(&mut self, desk: &Desk) -> Result<Option<Window>, TypistError> {
        self.resolved = None;
        let Some((focus, own)) = self.resolve(desk)? else {
            return Ok(None);
        };
        if self.listened != Some((focus, own)) {
            let events = EventMask::FOCUS_CHANGE | EventMask::PROPERTY_CHANGE;
            let aux = ChangeWindowAttributesAux::new().event_mask(events);
            for window in [focus, own] {
                desk.attempt(desk.connection.change_window_attributes(window, &aux))?;
            }
            self.listened = Some((focus, own));
        }
        let title = self.title(desk, own)?;
        let class = class(desk, own)?.unwrap_or_default();
        // The focus may have moved while we asked.
        let still = self.focused(desk)? == Some(WindowId(u64::from(own)));
        Ok(still.then(|| Window::new(WindowId(u64::from(own)), title, class)))
    }

    /// Whether any input method serves this desktop: listed on the root window, and alive, which its ownership
    /// of its own name shows (XIM protocol, appendix on X transport).
    pub(super) fn input_method(&self, desk: &Desk) -> Result<bool, TypistError> {
        let listed = desk.property(desk.root(), desk.atom("XIM_SERVERS")?)?;
        for name in listed.iter().flat_map(|(_, bytes)| bytes.chunks_exact(4)) {
            let name = name.try_into().map_or(0, u32::from_ne_bytes);
            let owner = desk.perhaps(desk.connection.get_selection_owner(name))?;
            if owner.is_some_and(|reply| reply.owner != 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The program's window that has the focus at this moment.
    pub(super) fn focused(&mut self, desk: &Desk) -> Result<Option<WindowId>, TypistError> {
        Ok(self.resolve(desk)?.map(|(_, own)| WindowId(u64::from(own))))
    }

    fn resolve(&mut self, desk: &Desk) -> Result<Option<(u32, u32)>, TypistError> {
        let focus = desk.reply(desk.connection.get_input_focus())?.focus;
        if let Some(resolved) = self.resolved.filter(|(known, _)| *known == focus) {
            return Ok(Some(resolved));
        }
        // 0 is nothing, 1 is "whatever lies under the pointer", and the root window is nobody's.
        if focus <= 1 || focus == desk.root() || focus == self.banner {
            return Ok(None);
        }
        let own = own_window(desk, focus)?;
        self.resolved = own.map(|own| (focus, own));
        Ok(self.resolved)
    }

    /// The title in UTF-8, or the older one where it is Latin-1 (ICCCM 2.7.1). One in COMPOUND_TEXT is not read:
    /// it stays empty, and no pattern matches it.
    fn title(&self, desk: &Desk, window: u32) -> Result<String, TypistError> {
        let new = desk.property(window, self.name)?;
        if let Some((_, bytes)) = new.filter(|(kind, _)| *kind == self.utf8) {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let old = desk.property(window, u32::from(AtomEnum::WM_NAME))?;
        let old = old.filter(|(kind, _)| *kind == u32::from(AtomEnum::STRING));
        Ok(old
            .map(|(_, bytes)| bytes.into_iter().map(char::from).collect())
            .unwrap_or_default())
    }
}

fn own_window(desk: &Desk, focus: u32) -> Result<Option<u32>, TypistError> {
    let mut window = focus;
    for _ in 0..DEEPEST {
        if class(desk, window)?.is_some() {
            return Ok(Some(window));
        }
        match desk.perhaps(desk.connection.query_tree(window))? {
            Some(tree) if tree.parent > 1 && tree.parent != desk.root() => window = tree.parent,
            Some(_) | None => return Ok(None),
        }
    }
    Ok(None)
}

/// The second of the two names of a class: the program's, not the instance's (ICCCM 4.1.2.5).
fn class(desk: &Desk, window: u32) -> Result<Option<String>, TypistError> {
    let found = desk.property(window, u32::from(AtomEnum::WM_CLASS))?;
    Ok(found.map(|(_, bytes)| {
        let class = bytes.split(|byte| *byte == 0).nth(1).unwrap_or_default();
        class.iter().copied().map(char::from).collect()
    }))
}
