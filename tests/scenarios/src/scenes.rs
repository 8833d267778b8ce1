//! The scenes of the scripted scenario, one function each.
//!
//! A scene returns in one line what it has shown, or fails with what was different.

use agent_api::device::DeviceState;
use agent_api::job::{JobResult, JobState, NoticeKind, Step, Verdict};
use anyhow::{Context as _, ensure};
use harness::Patience;

use crate::clerk::{Order, Outcome};
use crate::script::{SLOT, Stage, Trouble};

/// Within which a card service that was killed must be usable again.
const SERVICE_BACK_WITHIN_S: u64 = 3;

/// A command of a read at which the PIN has been accepted and the data are on their way.
const MID_READ: u32 = 9;

pub(crate) fn expect_name(
    outcome: &Outcome,
    wanted: &str,
    expected: Verdict,
) -> anyhow::Result<()> {
    let Outcome::Result(result) = outcome else {
        anyhow::bail!("failed with {}", outcome.code().unwrap_or_default());
    };
    let JobResult::Reading {
        attributes,
        authenticity,
        ..
    } = result.as_ref()
    else {
        anyhow::bail!("a result of another kind");
    };
    ensure!(
        authenticity.verdict == expected,
        "verdict {:?} ({:?}) instead of {expected:?}",
        authenticity.verdict,
        authenticity.reason
    );
    let attributes = attributes.as_ref().context("no attributes")?;
    ensure!(
        attributes.name.expose() == wanted,
        "another name than the holder's"
    );
    Ok(())
}

fn reading_of(outcome: Outcome) -> anyhow::Result<JobResult> {
    match outcome {
        Outcome::Result(result) => Ok(*result),
        Outcome::Failed(error) => anyhow::bail!("failed with {}", error.code),
    }
}

pub(crate) fn pin_on_screen(stage: &mut Stage, _trouble: Trouble) -> anyhow::Result<String> {
    let control = stage.counter.control().clone();
    let screen = &mut stage.screen;
    let (mut steps, mut shown, mut word) = (Vec::new(), None, String::new());
    let mut entered = false;
    let outcome = stage.clerk.read_watching(&Order::on_screen(), &mut |job| {
        if job.step == Some(Step::WaitingForCard) && !steps.contains(&Step::WaitingForCard) {
            control.insert(SLOT, "hanako")?;
        }
        steps.extend(job.step);
        shown = shown.take().or_else(|| job.card.clone());
        if job.question.is_some() && !entered {
            ensure!(
                job.card.is_some(),
                "a PIN was asked for before the expiry was shown"
            );
            let question = screen.wait_question(Patience::seconds(5))?;
            ensure!(
                question.word == job.word,
                "the two screens show different words"
            );
            word.clone_from(&question.word);
            screen.enter(&question, "1234")?;
            entered = true;
        }
        Ok(())
    })?;
    expect_name(&outcome, "見本　花子", Verdict::Genuine)?;
    let shown = shown.context("the card said nothing of itself")?;
    Ok(format!(
        "read after the citizen typed the PIN, word 「{word}」, card valid to {}",
        shown.expires_on
    ))
}

pub(crate) fn by_number_b(stage: &mut Stage, _trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    let outcome = stage.read(&Order::by_number_b("04050820341021"))?;
    expect_name(&outcome, "見本　花子", Verdict::Genuine)?;
    Ok("four attributes without a PIN, genuine".to_owned())
}

pub(crate) fn individual_number(stage: &mut Stage, _trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    let result = reading_of(stage.read(&Order::with_number("1234"))?)?;
    let JobResult::Reading {
        individual_number, ..
    } = result
    else {
        anyhow::bail!("a result of another kind");
    };
    let number = individual_number.context("no individual number")?;
    ensure!(
        number.expose() == "000000000019",
        "another number than the holder's"
    );
    let result = reading_of(stage.read(&Order::attributes("1234"))?)?;
    let JobResult::Reading {
        individual_number: None,
        ..
    } = result
    else {
        anyhow::bail!("the number came without being asked for");
    };
    Ok("read when asked for with its own grant, never otherwise".to_owned())
}

pub(crate) fn rare_characters(stage: &mut Stage, _trouble: Trouble) -> anyhow::Result<String> {
    let cases = [
        (
            "extension-b",
            "4826",
            "𠮷野　𠩤子",
            NoticeKind::OutsideJisX0213,
        ),
        (
            "variation",
            "7412",
            "渡邉\u{E0102}　葛\u{E0100}子",
            NoticeKind::VariationSequence,
        ),
        (
            "private-use",
            "8520",
            "斉\u{10E123}　一郎",
            NoticeKind::PrivateUse,
        ),
    ];
    for (holder, pin, name, notice) in cases {
        stage.put(holder)?;
        let outcome = stage.read(&Order::attributes(pin))?;
        expect_name(&outcome, name, Verdict::Genuine).context(holder)?;
        let JobResult::Reading { notices, .. } = reading_of(outcome)? else {
            anyhow::bail!("a result of another kind");
        };
        ensure!(
            notices.iter().any(|found| found.kind == notice),
            "{holder}: no notice {notice:?}"
        );
        stage.take()?;
    }
    Ok("outside JIS X 0213, IVS and private use arrive whole and are flagged".to_owned())
}

pub(crate) fn expired_card(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    let (holder, pin) = match trouble {
        Trouble::Happens => ("expired", "9513"),
        Trouble::LeftOut => ("hanako", "1234"),
    };
    stage.put(holder)?;
    let mut warned_first = false;
    let outcome = stage
        .clerk
        .read_watching(&Order::attributes(pin), &mut |job| {
            let expired = job.card.as_ref().is_some_and(|card| card.expired);
            warned_first |= job.question.is_some() && expired;
            Ok(())
        })?;
    reading_of(outcome)?;
    ensure!(warned_first, "nobody was told before the PIN was asked for");
    Ok("told before the PIN is asked for".to_owned())
}

pub(crate) fn wrong_pin(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    let pin = if trouble == Trouble::Happens {
        "9999"
    } else {
        "1234"
    };
    let left = stage.must_fail(&Order::attributes(pin), "PIN-WRONG")?;
    ensure!(left == Some(2), "{left:?} tries left instead of 2");
    stage.next_reading_works()?;
    ensure!(
        stage.tries("hanako")? == 3,
        "the right PIN did not restore the tries"
    );
    Ok("one clear refusal, two tries left; the right PIN restores three".to_owned())
}

pub(crate) fn last_try_is_kept(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    let (holder, pin) = match trouble {
        Trouble::Happens => ("last-try", "2222"),
        Trouble::LeftOut => ("taro", "2580"),
    };
    stage.put(holder)?;
    stage.must_fail(&Order::attributes(pin), "PIN-LAST-TRY")?;
    ensure!(stage.tries(holder)? == 1, "the last try was spent");
    let order = Order {
        allow_last_try: true,
        ..Order::attributes(pin)
    };
    reading_of(stage.read(&order)?).context("after staff allowed the last try")?;
    ensure!(
        stage.tries(holder)? == 3,
        "the right PIN did not restore the tries"
    );
    Ok("refused without touching the card, spent only when staff allowed it".to_owned())
}

pub(crate) fn blocked_pin(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    let (holder, pin) = match trouble {
        Trouble::Happens => ("blocked", "1111"),
        Trouble::LeftOut => ("taro", "2580"),
    };
    stage.put(holder)?;
    stage.must_fail(&Order::attributes(pin), "PIN-BLOCKED")?;
    Ok("said before a PIN is asked for".to_owned())
}

pub(crate) fn forged_card(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    let (holder, pin, name) = match trouble {
        Trouble::Happens => ("forged-data", "4444", "偽名　太郎"),
        Trouble::LeftOut => ("hanako", "1234", "見本　花子"),
    };
    stage.put(holder)?;
    let outcome = stage.read(&Order::attributes(pin))?;
    expect_name(&outcome, name, Verdict::Forged)?;
    Ok("attributes changed after signing are called forged".to_owned())
}

pub(crate) fn cloned_card(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    let (holder, pin) = match trouble {
        Trouble::Happens => ("cloned", "8888"),
        Trouble::LeftOut => ("hanako", "1234"),
    };
    stage.put(holder)?;
    let outcome = stage.read(&Order::attributes(pin))?;
    expect_name(&outcome, "見本　花子", Verdict::Forged)?;
    Ok("right data on a card without the right key are called forged".to_owned())
}

pub(crate) fn card_lifted(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    if trouble == Trouble::Happens {
        stage.disturb_at(MID_READ, "lift")?;
    }
    stage.must_fail(&Order::attributes("1234"), "CRD-REMOVED")?;
    stage.take()?;
    stage.put("hanako")?;
    stage.next_reading_works()?;
    Ok("one clear error in mid-read, the next reading works".to_owned())
}

pub(crate) fn hung_card(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    if trouble == Trouble::Happens {
        stage.disturb_at(MID_READ, "hang")?;
    }
    let order = Order::attributes("1234").within_ms(1500);
    stage.must_fail(&order, "RDR-HUNG")?;
    stage.take()?;
    stage.put("hanako")?;
    stage.next_reading_works()?;
    Ok("given up at the deadline, the next reading works".to_owned())
}

pub(crate) fn pcscd_killed(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    let counter = &mut stage.counter;
    let mut killed = trouble == Trouble::LeftOut;
    let outcome = stage
        .clerk
        .read_watching(&Order::attributes("1234"), &mut |job| {
            if !killed && job.state == JobState::Running && job.card.is_some() {
                killed = true;
                counter.pcscd.kill()?;
                counter.pcscd.start_again()?;
            }
            Ok(())
        })?;
    ensure!(
        outcome.code() == Some("SVC-LOST"),
        "{:?} instead of SVC-LOST",
        outcome.code()
    );
    let back = Patience::seconds(SERVICE_BACK_WITHIN_S);
    stage.clerk.wait_for_reader(DeviceState::CardPresent)?;
    stage.next_reading_works()?;
    back.left("the card service's return").map(drop)?;
    Ok(format!(
        "one clear error, readable again after {:.0} ms",
        back.spent().as_secs_f64() * 1e3
    ))
}

pub(crate) fn refused_origin(stage: &mut Stage, trouble: Trouble) -> anyhow::Result<String> {
    stage.put("hanako")?;
    let door = match trouble {
        Trouble::Happens => stage.clerk.door().from_origin("https://example.com"),
        Trouble::LeftOut => stage.clerk.door().clone(),
    };
    let before = stage.counter.control().counters(SLOT)?.apdus;
    let error = door
        .devices()
        .err()
        .context("another origin saw the devices")?;
    ensure!(
        error.code() == Some("DOR-ORIGIN"),
        "{:?} instead of DOR-ORIGIN",
        error.code()
    );
    let after = stage.counter.control().counters(SLOT)?.apdus;
    ensure!(before == after, "the card was touched");
    Ok("another page is told nothing, the card sees nothing".to_owned())
}

pub(crate) fn audit_log(stage: &mut Stage, _trouble: Trouble) -> anyhow::Result<String> {
    let output = stage.counter.agent.verify_audit()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "agentd audit verify: {text}");
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
