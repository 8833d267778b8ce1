//! What there is to see of a device, written by its thread and read by the loop.
//!
//! Invariant: the loop hears of every change, and of nothing else.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use device_api::DeviceClass;
use host_protocol::{Capabilities, DeviceDescription, DeviceState, Make};

use super::OnChange;

/// What there is to see of a device.
pub(crate) struct Sheet {
    id: String,
    on_change: OnChange,
    page: Mutex<Page>,
}

struct Page {
    there: bool,
    seen: DeviceDescription,
}

impl Sheet {
    /// A device of this class and name that has not been seen yet. Its id is `class:name`.
    pub(crate) fn new(class: DeviceClass, name: &str, on_change: OnChange) -> Self {
        let id = format!("{}:{name}", class.as_str());
        let seen = DeviceDescription {
            id: id.clone(),
            class: class.as_str().to_owned(),
            name: name.to_owned(),
            state: DeviceState::Ready,
            fault: None,
            warnings: Vec::new(),
            capabilities: Capabilities::default(),
            make: Make::default(),
            counters: std::collections::BTreeMap::new(),
        };
        let there = false;
        Self {
            id,
            on_change,
            page: Mutex::new(Page { there, seen }),
        }
    }

    /// The device's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The device, where it is there.
    pub(crate) fn shown(&self) -> Option<DeviceDescription> {
        let page = self.lock();
        page.there.then(|| page.seen.clone())
    }

    /// Changes what is seen of a device that is there. One that was not is there from now on.
    pub(crate) fn write(&self, change: impl FnOnce(&mut DeviceDescription)) {
        let mut page = self.lock();
        let before = page.there.then(|| page.seen.clone());
        change(&mut page.seen);
        page.there = true;
        let changed = before.as_ref() != Some(&page.seen);
        drop(page);
        if changed {
            (self.on_change)();
        }
    }

    /// The device is gone. What is known of it is kept for when it is back.
    pub(crate) fn gone(&self) {
        let was_there = std::mem::replace(&mut self.lock().there, false);
        if was_there {
            (self.on_change)();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
