//! How often a thread has woken up, as the kernel counts it (proc(5), `status`).

use std::fs;

/// How often this thread has slept, and so woken up; `None` where the kernel does not tell.
pub(crate) fn wake_ups() -> Option<u64> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
