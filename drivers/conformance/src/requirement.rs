//! The requirements on a host, as `docs/protocol/driver-host.md` numbers them.
//!
//! Invariant: every number on that page is in this table and the other way round; a test holds it.

/// One requirement on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// Its number.
    pub id: &'static str,
    /// In short; the page says it whole.
    pub title: &'static str,
    /// Whether this suite can see it.
    pub seen: Seen,
}

/// Whether a requirement can be examined over the pipes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It can.
    FromOutside,
    /// It needs a person, a card, paper, or the source.
    NotFromOutside,
}

const fn seen(id: &'static str, title: &'static str) -> Requirement {
    Requirement {
        id,
        title,
        seen: Seen::FromOutside,
    }
}

const fn unseen(id: &'static str, title: &'static str) -> Requirement {
    Requirement {
        id,
        title,
        seen: Seen::NotFromOutside,
    }
}

/// All requirements on hosts, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    seen("DH-001", "nothing but messages on standard output"),
    seen("DH-002", "an oversized line is thrown away unanswered"),
    seen("DH-003", "what is no message is thrown away unanswered"),
    seen("DH-004", "an unfinished last line is no line"),
    seen(
        "DH-005",
        "standard error shows nothing that was sent or read",
    ),
    seen("DH-010", "hello comes first, once, unasked"),
    seen("DH-011", "hello offers version 1"),
    seen(
        "DH-012",
        "a version that was not offered ends the host with 3",
    ),
    seen("DH-013", "no devices and no word of a job before welcome"),
    seen("DH-014", "a second welcome changes nothing"),
    seen("DH-015", "settings that cannot be used end the host with 5"),
    seen(
        "DH-016",
        "a start before welcome is finished with HST-UNUSABLE",
    ),
    seen(
        "DH-017",
        "the end of the input ends jobs, each with finished",
    ),
    seen(
        "DH-018",
        "the end of the input ends the host with 0 within a second",
    ),
    unseen("DH-019", "exit codes mean what they say"),
    unseen("DH-020", "may be killed at any moment"),
    seen(
        "DH-021",
        "devices are told after welcome, always the whole list",
    ),
    seen("DH-022", "ids are stable over restarts"),
    seen("DH-023", "a vendor's ids begin with the driver's name"),
    seen("DH-024", "classes, faults and warnings are documented ones"),
    unseen("DH-025", "a change is told at once"),
    seen(
        "DH-030",
        "accepted is the first word of a job that is taken on",
    ),
    seen(
        "DH-031",
        "exactly one finished for each start, and nothing after",
    ),
    seen(
        "DH-032",
        "a job for an unknown device is finished, not accepted",
    ),
    seen(
        "DH-033",
        "a task of another class is finished, not accepted",
    ),
    seen(
        "DH-034",
        "a second job for a device is finished, the first goes on",
    ),
    seen("DH-035", "a cancelled job is finished within three seconds"),
    seen("DH-036", "a job ends by itself at its deadline"),
    seen("DH-037", "words for a job that does not run are ignored"),
    seen("DH-038", "faults of jobs are documented ones"),
    seen("DH-039", "the tasks of the class are taken"),
    seen(
        "DH-050",
        "ping is answered within a second, also during a job",
    ),
    seen("DH-051", "pong returns the number as it came"),
    unseen("DH-060", "one question at a time, counted from 1"),
    unseen("DH-061", "no card is held while a person thinks"),
    unseen("DH-062", "a secret is sent to a card at most once"),
    unseen("DH-063", "tries are read before each secret"),
    unseen("DH-064", "the last try is spent only with leave"),
    unseen("DH-065", "secrets are kept nowhere and erased"),
    unseen("DH-066", "a card is powered off before it is let go of"),
    seen("DH-070", "items count from 1 in each job"),
    seen(
        "DH-071",
        "the next code is held back until the last was received",
    ),
    seen("DH-072", "a code that nobody waits for reaches nobody"),
    seen("DH-073", "the count of codes is right at the end"),
    seen("DH-074", "a device takes the next job after the last"),
    seen(
        "DH-080",
        "attachments come whole, in order, before they are named",
    ),
    unseen("DH-081", "attachments of a task are taken up to 96 MiB"),
    unseen("DH-082", "a ticket comes out at most once"),
];
