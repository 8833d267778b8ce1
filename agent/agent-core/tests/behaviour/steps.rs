//! What can happen in a random sequence of events, and how often.

use proptest::prelude::*;

/// One thing that happens. Numbers choose among what there is at that moment.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Pass(u64),
    Exit,
    /// A host that is away comes back.
    Recover,
    Hello,
    Devices(u8),
    Accept(usize),
    Progress(usize),
    Ask(usize, u8),
    Done(usize),
    Fail(usize, usize),
    Nonsense,
    LateWord,
    Lease(usize, bool, bool),
    Renew(usize),
    Release(usize),
    Start(usize, u8, u8),
    Cancel(usize),
    Answer(usize, u8),
    Take(usize, bool),
    OpenSession(usize),
    CloseSession(usize),
    Screen,
    Pair(usize),
    Type(usize, bool),
    Decline(usize),
    CloseScreen(usize),
    Audit(usize, bool),
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    let choice = proptest::bool::ANY;
    prop_oneof![
        6 => prop_oneof![8 => 0..900_u64, 3 => 0..20_000_u64, 1 => 0..700_000_u64].prop_map(Step::Pass),
        1 => Just(Step::Exit),
        12 => Just(Step::Recover),
        3 => Just(Step::Hello),
        4 => prop_oneof![6 => Just(0_u8), 1 => 1..5_u8].prop_map(Step::Devices),
        8 => which.clone().prop_map(Step::Accept),
        4 => which.clone().prop_map(Step::Progress),
        24 => (which.clone(), 0..12_u8)
            .prop_map(|(work, tries)| Step::Ask(work, tries.div_ceil(4))),
        8 => which.clone().prop_map(Step::Done),
        4 => (which.clone(), which.clone()).prop_map(|(work, code)| Step::Fail(work, code)),
        1 => Just(Step::Nonsense),
        2 => Just(Step::LateWord),
        8 => (which.clone(), choice, choice)
            .prop_map(|(who, device, bound)| Step::Lease(who, device, bound)),
        2 => which.clone().prop_map(Step::Renew),
        2 => which.clone().prop_map(Step::Release),
        24 => (which.clone(), 0..5_u8, 0..8_u8)
            .prop_map(|(lease, task, key)| Step::Start(lease, task, key)),
        2 => which.clone().prop_map(Step::Cancel),
        24 => (which.clone(), 0..5_u8).prop_map(|(job, kind)| Step::Answer(job, kind)),
        8 => (which.clone(), choice).prop_map(|(job, waiting)| Step::Take(job, waiting)),
        3 => which.clone().prop_map(Step::OpenSession),
        1 => which.clone().prop_map(Step::CloseSession),
        2 => Just(Step::Screen),
        3 => which.clone().prop_map(Step::Pair),
        30 => (which.clone(), 0..5_u8).prop_map(|(screen, form)| Step::Type(screen, form > 0)),
        1 => which.clone().prop_map(Step::Decline),
        1 => which.clone().prop_map(Step::CloseScreen),
        12 => (which, 0..5_u8).prop_map(|(ticket, fate)| Step::Audit(ticket, fate > 0)),
    ]
}
