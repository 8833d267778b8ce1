//! The scripted scenario: what a counter meets in a day, the unhappy parts included.
//!
//! Each scene goes through the agent's own HTTP door and a real PC/SC service to a simulated card.
//! A scene with trouble can be played *spoiled*: everything as before, but the trouble does not happen.
//! Then the scene must fail; a test plays each of them spoiled, so a check that has gone blind shows.

use agent_api::device::DeviceState;
use agent_api::job::Verdict;
use agent_api::screen::PairRequest;
use anyhow::{Context as _, ensure};
use harness::{Counter, Patience, PinScreen};
use serde_json::json;

use crate::clerk::{Clerk, Order, Outcome};
use crate::scenes;
use crate::steps::Steps;

/// The reader that the scenario uses.
pub(crate) const SLOT: usize = 0;

/// What a scene plays on.
pub(crate) struct Stage {
    pub(crate) counter: Counter,
    pub(crate) clerk: Clerk,
    pub(crate) screen: PinScreen,
}

/// One scene.
struct Scene {
    name: &'static str,
    /// Whether it consists of trouble, which can be left out to prove that the scene notices.
    trouble: bool,
    play: fn(&mut Stage, Trouble) -> anyhow::Result<String>,
}

/// Whether a scene's trouble happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Happens,
    LeftOut,
}

const SCENES: &[Scene] = &[
    Scene {
        name: "PIN on the citizen's screen",
        trouble: false,
        play: scenes::pin_on_screen,
    },
    Scene {
        name: "verification number B",
        trouble: false,
        play: scenes::by_number_b,
    },
    Scene {
        name: "individual number",
        trouble: false,
        play: scenes::individual_number,
    },
    Scene {
        name: "rare characters",
        trouble: false,
        play: scenes::rare_characters,
    },
    Scene {
        name: "expired card",
        trouble: true,
        play: scenes::expired_card,
    },
    Scene {
        name: "wrong PIN",
        trouble: true,
        play: scenes::wrong_pin,
    },
    Scene {
        name: "last try kept",
        trouble: true,
        play: scenes::last_try_is_kept,
    },
    Scene {
        name: "blocked PIN",
        trouble: true,
        play: scenes::blocked_pin,
    },
    Scene {
        name: "forged card",
        trouble: true,
        play: scenes::forged_card,
    },
    Scene {
        name: "cloned card",
        trouble: true,
        play: scenes::cloned_card,
    },
    Scene {
        name: "card lifted",
        trouble: true,
        play: scenes::card_lifted,
    },
    Scene {
        name: "hung card",
        trouble: true,
        play: scenes::hung_card,
    },
    Scene {
        name: "pcscd killed",
        trouble: true,
        play: scenes::pcscd_killed,
    },
    Scene {
        name: "refused origin",
        trouble: true,
        play: scenes::refused_origin,
    },
    Scene {
        name: "audit log",
        trouble: false,
        play: scenes::audit_log,
    },
];

/// The names of the scenes that consist of trouble.
#[must_use]
pub fn troubles() -> Vec<&'static str> {
    SCENES
        .iter()
        .filter(|scene| scene.trouble)
        .map(|scene| scene.name)
        .collect()
}

/// Plays all scenes on `counter`, or only the one named `spoiled`, without its trouble.
///
/// # Errors
/// When no scene can be played at all.
pub fn play(counter: Counter, spoiled: Option<&str>) -> anyhow::Result<Steps> {
    if let Some(name) = spoiled {
        ensure!(
            troubles().contains(&name),
            "there is no trouble named {name:?}: {:?}",
            troubles()
        );
    }
    let mut steps = Steps::default();
    let clerk = Clerk::at(&counter, SLOT)?;
    let (mut screen, code) = PinScreen::open_new(counter.agent.addresses().pin)?;
    clerk.door().pair_screen(&PairRequest { code })?;
    screen.wait_paired(Patience::seconds(5))?;
    let mut stage = Stage {
        counter,
        clerk,
        screen,
    };
    let trouble = match spoiled {
        Some(_) => Trouble::LeftOut,
        None => Trouble::Happens,
    };
    let wanted = |scene: &&Scene| spoiled.is_none_or(|name| name == scene.name);
    for scene in SCENES.iter().filter(wanted) {
        steps.run(scene.name, || (scene.play)(&mut stage, trouble));
        stage.counter.control().calm(SLOT)?;
        stage.take()?;
    }
    Ok(steps)
}

impl Stage {
    /// A citizen puts a card, and everybody has seen it.
    pub(crate) fn put(&mut self, holder: &str) -> anyhow::Result<()> {
        self.counter.control().insert(SLOT, holder)?;
        self.clerk.wait_for_reader(DeviceState::CardPresent)
    }

    /// The citizen takes the card, if one is there, and everybody has seen it.
    pub(crate) fn take(&mut self) -> anyhow::Result<()> {
        if self.counter.control().occupied(SLOT)? {
            self.counter.control().lift(SLOT)?;
        }
        self.clerk.wait_for_reader(DeviceState::Empty)
    }

    pub(crate) fn read(&mut self, order: &Order) -> anyhow::Result<Outcome> {
        self.clerk.read(order)
    }

    pub(crate) fn must_fail(&mut self, order: &Order, code: &str) -> anyhow::Result<Option<u8>> {
        match self.read(order)? {
            Outcome::Failed(error) if error.code == code => Ok(error.tries_left),
            Outcome::Failed(error) => anyhow::bail!("{} instead of {code}", error.code),
            Outcome::Result(_) => anyhow::bail!("succeeded instead of {code}"),
        }
    }

    /// The reading after trouble must work: nothing was left behind.
    pub(crate) fn next_reading_works(&mut self) -> anyhow::Result<()> {
        let outcome = self
            .read(&Order::attributes("1234"))
            .context("the reading after it")?;
        scenes::expect_name(&outcome, "見本　花子", Verdict::Genuine)
            .context("the reading after it")
    }

    /// How many tries of the PIN the card has left, by its own count.
    pub(crate) fn tries(&self, holder: &str) -> anyhow::Result<u64> {
        let tries = self.counter.control().tries(holder)?;
        tries
            .get("pin")
            .and_then(serde_json::Value::as_u64)
            .context("the card counts its tries")
    }

    /// Has the card at the reader misbehave once, at its n-th command from now.
    pub(crate) fn disturb_at(&self, command: u32, kind: &str) -> anyhow::Result<()> {
        let plan = json!({ "faults": [{ "where": { "command": command }, "kind": kind }] });
        self.counter.control().disturb(SLOT, &plan)
    }
}
