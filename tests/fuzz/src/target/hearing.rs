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
    let mut run = HostRun {
        host: HostId(1),
        run: 0,
    };
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(message) = decode(line) else {
            hearing.forget_host(run);
            run = after(run);
            continue;
        };
        let heard = hearing.hear(run, message, "2026-11-21");
        assert!(!matches!(heard, Heard::ToSeal(_)), "nobody ordered it");
    }
}

/// The other host's turn; the first begins another life with each of its own.
fn after(gone: HostRun) -> HostRun {
    if gone.host == HostId(1) {
        HostRun {
            host: HostId(0),
            ..gone
        }
    } else {
        HostRun {
            host: HostId(1),
            run: gone.run + 1,
        }
    }
}
