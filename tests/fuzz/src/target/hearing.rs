//! What a driver host says in any order: parts of attachments, items and ends of jobs that may never have
//! begun.

use agent_core::ids::{HostId, HostRun};
use agentd::hearing::{Heard, Hearing};
use host_protocol::decode;

/// Lines of driver hosts; one that is none lets the host that spoke last be gone; two hosts take turns.
///
/// Promise: nothing that hosts say in whatever order ends the agent, and a signature that was not ordered is
/// never sealed.
pub fn host_lines(input: &[u8]) {
    let mut hearing = Hearing::default();
    let mut gone = 0_u64;
    for line in input.split(|byte| *byte == b'\n') {
        let run = HostRun {
            host: HostId(u16::from(gone.is_multiple_of(2))),
            run: gone / 2,
        };
        let Ok(message) = decode(line) else {
            hearing.forget_host(run);
            gone += 1;
            continue;
        };
        let heard = hearing.hear(run, message, "2026-11-21");
        assert!(!matches!(heard, Heard::ToSeal(_)), "nobody ordered it");
    }
}
