//! Keystrokes into a legacy form, visible and abortable.
