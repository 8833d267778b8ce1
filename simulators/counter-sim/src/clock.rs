//! The wall clock: tokens carry the time of day, and cards expire by the calendar.
//!
//! The one place of this program that reads ambient time.

use std::time::SystemTime;

/// Seconds since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "this is the program's clock")]
pub(crate) fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
