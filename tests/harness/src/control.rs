//! The simulated counter's control surface: what a test does to cards, and what it asks them.

use std::time::Duration;

use agent_api::token::Scope;
use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request};

/// Longer than any answer of the simulation takes.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// The simulation's HTTP side.
#[derive(Debug, Clone)]
pub struct Control {
    control: String,
    backend: String,
    agent: Agent,
}

/// What a slot's card has received, counted at the card since the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardCounters {
    /// Command APDUs.
    pub apdus: u64,
    /// VERIFY commands that carried a secret and reached the card.
    pub verifies: u64,
    /// VERIFY commands that only asked for the tries left.
    pub tries_queries: u64,
    /// VERIFY commands with a secret that did not match.
    pub wrong_secrets: u64,
    /// VERIFY commands with which a secret became blocked.
    pub blocked: u64,
    /// VERIFY commands with a secret that was blocked already.
    pub refused_as_blocked: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Times that a card was put down.
    pub insertions: u64,
    /// Times that power was applied.
    pub power_ons: u64,
    /// Times that the reader took power away.
    pub power_offs: u64,
}

/// One exchange with a card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardExchange {
    /// Counted from 1 since the counters were reset.
    pub number: u64,
    /// `CLA INS P1 P2` in hexadecimal.
    pub header: String,
    /// Length of the command's data field.
    pub data_length: usize,
    /// The card's status word; absent where it never saw the command.
    pub status: Option<String>,
    /// How many bytes left for the reader.
    pub sent: Option<usize>,
    /// Whether a fault struck.
    #[serde(default)]
    pub disturbed: bool,
}

/// One card, as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardView {
    /// Its name in [`Control::insert`].
    pub id: String,
    /// The name on it.
    pub name: String,
    /// Its PIN.
    pub pin: String,
    /// Its verification number B.
    pub verification_number_b: String,
}

/// What a token is wanted for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenWish {
    /// What it shall permit.
    pub scopes: Vec<Scope>,
    /// For a privileged call: the agent's nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: String,
}

impl Control {
    /// The control surface and the application's backend at these addresses.
    pub(crate) fn new(control: &str, backend: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(LONGEST_ANSWER))
            .http_status_as_error(false)
            // A connection that is kept can be closed by the simulation while the next request is on its way.
            .max_idle_connections(0)
            .proxy(None)
            .build();
        let (control, backend) = (control.to_owned(), backend.to_owned());
        Self {
            control,
            backend,
            agent: config.into(),
        }
    }

    /// Puts the card of `holder` on a slot, counted from 0.
    ///
    /// # Errors
    /// When there is no such slot or holder, or a card lies there.
    pub fn insert(&self, slot: usize, holder: &str) -> anyhow::Result<()> {
        self.effect(
            Method::POST,
            &format!("/slots/{slot}/insert"),
            &json!({ "holder": holder }),
        )
    }

    /// Lifts the card from a slot; it has lost its power when this returns.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn lift(&self, slot: usize) -> anyhow::Result<()> {
        self.effect(Method::POST, &format!("/slots/{slot}/lift"), &json!({}))
    }

    /// Whether a card lies on a slot.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn occupied(&self, slot: usize) -> anyhow::Result<bool> {
        let slots: Vec<Value> = self.ask("/slots")?;
        let state = slots.get(slot).context("there is no such slot")?;
        Ok(state.get("card").is_some())
    }

    /// Sets what goes wrong on a slot, in the form of `simulators/sim-kit/src/fault.rs`.
    ///
    /// # Errors
    /// When the plan is none.
    pub fn disturb(&self, slot: usize, plan: &impl Serialize) -> anyhow::Result<()> {
        self.effect(Method::POST, &format!("/slots/{slot}/faults"), plan)
    }

    /// Lets nothing more go wrong on a slot.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn calm(&self, slot: usize) -> anyhow::Result<()> {
        self.call(Method::DELETE, &format!("/slots/{slot}/faults"), None)
            .map(drop)
    }

    /// What a slot's card has received.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn counters(&self, slot: usize) -> anyhow::Result<CardCounters> {
        self.ask(&format!("/slots/{slot}/counters"))
    }

    /// Lets all counters begin at zero.
    ///
    /// # Errors
    /// When the simulation does not answer.
    pub fn reset_counters(&self) -> anyhow::Result<()> {
        self.effect(Method::POST, "/counters/reset", &json!({}))
    }

    /// Lets every card take this long for each command.
    ///
    /// # Errors
    /// When the simulation does not answer.
    pub fn set_delay(&self, delay_ms: u32) -> anyhow::Result<()> {
        self.effect(Method::PUT, "/delay", &json!({ "ms": delay_ms }))
    }

    /// The exchanges of a slot's card, oldest first, without any content.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn exchanges(&self, slot: usize) -> anyhow::Result<Vec<CardExchange>> {
        self.ask(&format!("/slots/{slot}/exchanges"))
    }

    /// The tries that a card has left, as the card keeps them.
    ///
    /// # Errors
    /// When there is no such card.
    pub fn tries(&self, card: &str) -> anyhow::Result<Value> {
        self.ask(&format!("/cards/{card}/tries"))
    }

    /// Gives a card all its tries back, as the municipal office would.
    ///
    /// # Errors
    /// When there is no such card.
    pub fn renew_tries(&self, card: &str) -> anyhow::Result<()> {
        self.call(Method::DELETE, &format!("/cards/{card}/tries"), None)
            .map(drop)
    }

    /// The cards that there are.
    ///
    /// # Errors
    /// When the simulation does not answer.
    pub fn cards(&self) -> anyhow::Result<Vec<CardView>> {
        self.ask("/cards")
    }

    /// Has the application's backend sign a counter token.
    ///
    /// # Errors
    /// When the backend refuses.
    pub fn token(&self, wish: &TokenWish) -> anyhow::Result<String> {
        let body = Some(serde_json::to_vec(wish)?);
        let text = self.send(Method::POST, &format!("{}/token", self.backend), body)?;
        Ok(serde_json::from_str::<TokenAnswer>(&text)?.token)
    }

    /// Has a person do something at a device, such as `takePaperOut` at the `printer`.
    ///
    /// # Errors
    /// When there is no such device, or it cannot be done.
    pub fn act(&self, device: &str, action: &str) -> anyhow::Result<()> {
        let body = json!({ "action": action });
        self.effect(Method::POST, &format!("/devices/{device}/act"), &body)
    }

    /// Does anything else to a device, such as `codeScanner/scan`.
    ///
    /// # Errors
    /// When there is no such device, or it cannot be done.
    pub fn device(&self, path: &str, body: &impl Serialize) -> anyhow::Result<()> {
        self.effect(Method::POST, &format!("/devices/{path}"), body)
    }

    /// Fetches a picture, such as `/devices/printer/papers/1`.
    ///
    /// # Errors
    /// When there is none.
    pub fn picture(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}{path}", self.control));
        let mut answer = self.agent.run(request.body(())?)?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(answer.body_mut().read_to_vec()?)
    }

    /// Asks for anything by GET.
    ///
    /// # Errors
    /// When the answer is no success or not of this type.
    pub fn ask<A: DeserializeOwned>(&self, path: &str) -> anyhow::Result<A> {
        let text = self.call(Method::GET, path, None)?;
        serde_json::from_str(&text).with_context(|| format!("an unexpected answer to {path}"))
    }

    fn effect(&self, method: Method, path: &str, body: &impl Serialize) -> anyhow::Result<()> {
        self.call(method, path, Some(serde_json::to_vec(body)?))
            .map(drop)
    }

    fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> anyhow::Result<String> {
        self.send(method, &format!("{}{path}", self.control), body)
    }

    fn send(&self, method: Method, uri: &str, body: Option<Vec<u8>>) -> anyhow::Result<String> {
        let request = Request::builder().method(method).uri(uri);
        let sent = match body {
            Some(body) => self.agent.run(
                request
                    .header("content-type", "application/json")
                    .body(body)?,
            ),
            None => self.agent.run(request.body(())?),
        };
        let mut answer =
            sent.with_context(|| format!("the simulation does not answer to {uri}"))?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(
            answer.status().is_success(),
            "{uri}: {} {text}",
            answer.status()
        );
        Ok(text)
    }
}
