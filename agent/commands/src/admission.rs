//! From the bytes of a message to an order that is proved, or a refusal.
//!
//! ```text
//! prove:   topic -> form -> target -> approvers -> rights -> signatures      the message, cheap checks first
//! admit:   expiry -> challenge -> clock -> conditions                        the order, when it arrives
//! judge:   approvers -> expiry -> clock -> time -> conditions                the order, before it begins
//! ```
//! Invariants: all of it is pure; a refusal by `prove` is of the message
//! ([`Refusal::is_of_message`]) and proves nothing of the order that it names, one by `admit` or `judge`
//! is of the order and for good; what `prove` gives was signed by as many people as its class takes.

use std::collections::BTreeSet;

use device_api::Moment;
use telemetry::message::machine::TimeQuality;
use telemetry::message::outcome::CommandId;
use telemetry::name::{Digest, Label};
use telemetry::topic::{DownKind, DownTopic};
use telemetry::{DeviceName, Word};

use crate::approval::{Approval, ApprovalError, Message};
use crate::authority::{Approver, Authority};
use crate::challenges::Challenges;
use crate::document::{Document, LONGEST_VALIDITY, Order};
use crate::refusal::Refusal;
use crate::verb::Danger;

/// How far ahead an order's time may begin, in seconds: seven days.
pub const LONGEST_WAIT: u64 = LONGEST_VALIDITY;

/// How things stand while it is decided.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Monotonic time.
    pub moment: Moment,
    /// Wall-clock time, in seconds since 1970; never before a moment that has certainly passed.
    pub unix_seconds: u64,
    /// How good the wall clock is.
    pub quality: TimeQuality,
    /// Whether it is within opening hours.
    pub open: bool,
    /// The agent's version.
    pub version: &'a Word,
    /// The SHA-256 of the configuration in force.
    pub configuration: &'a Digest,
}

/// An order that was signed by as many people as its class takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proved {
    pub(crate) document: Document,
    pub(crate) approvers: Vec<Label>,
}

/// A message that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnedAway {
    /// The order that it names, where it can be read.
    pub(crate) command: Option<CommandId>,
    pub(crate) reason: Refusal,
}

/// Whether an order begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Begin,
    Wait,
    Refuse(Refusal),
}

/// Proves that a message is of people who may order what it orders from this device.
pub(crate) fn prove(
    bytes: &[u8],
    topic: &DownTopic,
    me: &DeviceName,
    authority: &Authority,
) -> Result<Proved, TurnedAway> {
    let unread = |reason| TurnedAway {
        command: None,
        reason,
    };
    if topic.kind != DownKind::Command || topic.to != *me {
        return Err(unread(Refusal::NotForThisDevice));
    }
    let message = Message::read(bytes).map_err(|error| match error {
        ApprovalError::TooLong
        | ApprovalError::Form
        | ApprovalError::Document(_)
        | ApprovalError::Differ => unread(Refusal::Malformed),
    })?;
    let document = message.document();
    let order = document.order();
    let turned_away = |reason| TurnedAway {
        command: Some(order.id),
        reason,
    };
    if order.target != *me {
        return Err(turned_away(Refusal::NotForThisDevice));
    }
    let named = named_approvers(&message, authority).map_err(turned_away)?;
    let names = named.iter().map(|(_, approver)| approver.name.clone());
    let approvers = entitled(order, names.collect(), authority).map_err(turned_away)?;
    // Signatures last, because they cost more than all the rest.
    for (approval, approver) in &named {
        if !approval.is_signed_by(&approver.key, topic) {
            return Err(turned_away(Refusal::SignatureWrong));
        }
    }
    Ok(Proved {
        document: document.clone(),
        approvers,
    })
}

/// The people who are said to have approved a message; their signatures are not checked.
fn named_approvers<'a>(
    message: &'a Message,
    authority: &'a Authority,
) -> Result<Vec<(&'a Approval, &'a Approver)>, Refusal> {
    let mut keys = BTreeSet::new();
    let mut known = Vec::new();
    for approval in message.approvals() {
        let approver = authority
            .of_key(approval.key())
            .filter(|approver| approver.name == *approval.approver())
            .ok_or(Refusal::UnknownApprover)?;
        if !keys.insert(approval.key()) {
            return Err(Refusal::SameApproverTwice);
        }
        known.push((approval, approver));
    }
    Ok(known)
}

/// The same people, if they may order this.
fn entitled(
    order: &Order,
    approvers: Vec<Label>,
    authority: &Authority,
) -> Result<Vec<Label>, Refusal> {
    let danger = order.verb.danger();
    if !approvers.contains(&order.issuer) || !may_all(&approvers, danger, authority) {
        return Err(Refusal::NotAllowed);
    }
    if approvers.len() < danger.approvers() {
        return Err(Refusal::OneApproverOnly);
    }
    Ok(approvers)
}

fn may_all(approvers: &[Label], danger: Danger, authority: &Authority) -> bool {
    let mut approvers = approvers.iter();
    approvers.all(|name| authority.allows(name, danger))
}

/// Whether an order that was proved may wait for its time.
pub(crate) fn admit(
    order: &Order,
    challenges: &Challenges,
    now: &Situation<'_>,
) -> Result<(), Refusal> {
    if order.expires <= now.unix_seconds {
        return Err(Refusal::Expired);
    }
    match &order.challenge {
        Some(challenge) if !challenges.is_fresh(challenge, now.moment) => {
            return Err(Refusal::ChallengeOld);
        }
        None if order.verb.danger().needs_challenge() => return Err(Refusal::ChallengeMissing),
        // The clock stands at a floor: the order may be older than it says, if nothing else tells.
        None if now.quality == TimeQuality::Floor => return Err(Refusal::ClockTooUncertain),
        Some(_) | None => {}
    }
    let ahead = order.not_before.saturating_sub(now.unix_seconds);
    if now.quality != TimeQuality::Floor {
        if ahead > LONGEST_WAIT {
            return Err(Refusal::NotYet);
        }
        if ahead > 0 {
            return Ok(());
        }
    }
    conditions(order, now)
}

/// Whether an order that waits begins now.
pub(crate) fn judge(
    order: &Order,
    approvers: &[Label],
    authority: &Authority,
    challenges: &Challenges,
    now: &Situation<'_>,
) -> Judgement {
    if !may_all(approvers, order.verb.danger(), authority) {
        return Judgement::Refuse(Refusal::ApproverRemoved);
    }
    if order.expires <= now.unix_seconds {
        return Judgement::Refuse(Refusal::Expired);
    }
    let begins = if now.quality == TimeQuality::Floor {
        let challenge = order.challenge.as_ref();
        challenge.is_some_and(|challenge| challenges.is_fresh(challenge, now.moment))
    } else {
        order.not_before <= now.unix_seconds
    };
    if !begins {
        return Judgement::Wait;
    }
    match conditions(order, now) {
        Ok(()) => Judgement::Begin,
        Err(refusal) => Judgement::Refuse(refusal),
    }
}

fn conditions(order: &Order, now: &Situation<'_>) -> Result<(), Refusal> {
    if !order.preconditions.hold(now.version, now.configuration) {
        return Err(Refusal::PreconditionFailed);
    }
    if now.open && order.verb.only_when_closed() {
        return Err(Refusal::InsideOpeningHours);
    }
    Ok(())
}
