//! Which states end a command.

use telemetry::message::outcome::CommandId;

use super::*;

fn state(progress: Progress, reason: Option<&str>) -> CommandState {
    CommandState {
        command: CommandId([7; 16]),
        progress,
        reason: reason.map(|word| word.parse().unwrap()),
        parts: None,
        digest: None,
    }
}

#[test]
fn a_refusal_of_a_message_is_not_the_end_of_the_command_that_it_names() {
    let refused = |reason: &str| is_end(&state(Progress::Refused, Some(reason)));
    for reason in [
        "signatureWrong",
        "unknownApprover",
        "counterOld",
        "oneApproverOnly",
    ] {
        assert!(!refused(reason), "{reason}");
    }
    for reason in ["expired", "challengeOld", "insideOpeningHours"] {
        assert!(refused(reason), "{reason}");
    }
    // A word of a later version ends nothing that this one could know.
    assert!(!refused("unheardOf") && !is_end(&state(Progress::Refused, None)));
}

#[test]
fn an_order_ends_once_its_effect_has_ended_or_nobody_knows() {
    for (progress, end) in [
        (Progress::Accepted, false),
        (Progress::Running, false),
        (Progress::Done, true),
        (Progress::Failed, true),
        (Progress::Unknown, true),
    ] {
        assert_eq!(is_end(&state(progress, None)), end, "{}", word(progress));
    }
}
