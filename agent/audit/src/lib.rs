//! The tamper-evident record of who read what.
