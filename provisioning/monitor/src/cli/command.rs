//! Commands about commands: made, approved, sent, and what became of them.
//!
//! ```text
//! new -> FILE (a document) -> approve, once or twice -> FILE (a message) -> send -> list, fetch
//! ```
//! A file goes from person to person; what each signs is shown before, by `show`.
//! Nothing here decides whether a command is good: the device does, and says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use commands::approval::{Message, approve, join};
use commands::document::{Order, Preconditions, command_id};
use commands::{Approval, Document, Verb};
use device_api::{Clock as _, SystemClock};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;
use telemetry::name::{DeviceName, Label};
use telemetry::{SoftwareSigner, Word};

use super::{Done, End, device_name, print, store};
use monitor::config::Config;
use monitor::orders;
use monitor::registry::Shard;
use monitor::store::orders::Given;
use monitor::store::{Store, StoreError};

#[derive(Debug, Subcommand)]
pub(super) enum CommandVerb {
    /// Write an order that nobody has approved yet.
    New(Box<New>),
    /// Approve what is in a file, with a person's key.
    Approve {
        /// The file; the approval is added to it.
        file: PathBuf,
        /// The person's private key, PKCS #8, as `person key` makes it.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The name under which the device knows the person.
        #[arg(long = "as", value_name = "NAME")]
        name: Label,
    },
    /// Show what a file orders and who has approved it.
    Show {
        /// The file.
        file: PathBuf,
    },
    /// Have the running monitor send what is in a file, until its end is known.
    Send {
        /// The file.
        file: PathBuf,
    },
    /// List what was sent and what became of it.
    List {
        /// For programs: one JSON object in each line.
        #[arg(long)]
        json: bool,
    },
    /// Hand out what a command fetched.
    Fetch {
        /// Its id.
        id: String,
        /// The file for it, CBOR as `docs/protocol/commands.cddl` says.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Print it too, as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// For whom, as tenant/device.
    #[arg(long, value_parser = device_name)]
    device: DeviceName,
    /// What is to be done.
    #[arg(long)]
    verb: VerbName,
    /// The driver host that `restart-driver` is about.
    #[arg(long, required_if_eq("verb", "restart-driver"))]
    host: Option<Word>,
    /// The device that `recalibrate` is about.
    #[arg(long, required_if_eq("verb", "recalibrate"))]
    about: Option<Word>,
    /// Who orders it; one of those who approve.
    #[arg(long = "as", value_name = "NAME")]
    issuer: Label,
    /// When it may begin, in seconds since 1970; without it now.
    #[arg(long)]
    not_before: Option<u64>,
    /// For how many seconds from then on it may begin.
    #[arg(long, default_value_t = 3600)]
    expires_in: u64,
    /// Only where the agent has this version.
    #[arg(long)]
    only_version: Option<Word>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The verbs as the command line writes them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum VerbName {
    Diagnostics,
    RestartDriver,
    Recalibrate,
    LockKiosk,
    UnlockKiosk,
    RotateKeys,
    Reboot,
    Wipe,
}

/// What a file holds.
enum Held {
    Document(Box<Document>),
    Message(Box<Message>, Vec<u8>),
}

/// Does what is asked for.
pub(super) fn command(config: &Config, verb: CommandVerb) -> Done {
    match verb {
        CommandVerb::New(new) => write_new(config, &new),
        CommandVerb::Approve { file, key, name } => approve_file(&file, &key, &name),
        CommandVerb::Show { file } => {
            print(&shown(&held(&file)?)?);
            Ok(End::Well)
        }
        CommandVerb::Send { file } => send(config, &file),
        CommandVerb::List { json } => list(config, json),
        CommandVerb::Fetch { id, out, json } => {
            let (bytes, bundle) = orders::fetched(&store(&config.database)?, &id)?;
            std::fs::write(&out, &bytes).with_context(|| failed_to("write", &out))?;
            if json {
                print(&format!("{}\n", serde_json::to_string(&bundle)?));
            } else {
                print(&format!(
                    "{id}: {} bytes, {} lines\n",
                    bytes.len(),
                    bundle.lines().len()
                ));
            }
            Ok(End::Well)
        }
    }
}

fn write_new(config: &Config, new: &New) -> Done {
    let verb = verb(new)?;
    let now = SystemClock::new().unix_millis();
    let challenge = if verb.danger().needs_challenge() {
        let store = store(&config.database)?;
        let registry = store.registry(Shard::WHOLE)?;
        let device = registry.device(&new.device).ok_or(StoreError::NoDevice)?;
        let beat = store.progress(device.id, device.life)?.presence.challenge;
        let beat = beat.context("the device has sent no beat; such a command must repeat one")?;
        Some(
            beat.try_into()
                .context("the newest beat carries no challenge")?,
        )
    } else {
        None
    };
    let mut random = [0; 10];
    let drawn = SystemRandom::new().fill(&mut random);
    anyhow::ensure!(drawn.is_ok(), "the system has no random numbers");
    let not_before = new.not_before.unwrap_or(now / 1000);
    let document = Document::new(Order {
        id: command_id(now, random),
        target: new.device.clone(),
        issuer: new.issuer.clone(),
        // Grows with time, and two within a millisecond are two people's.
        counter: now,
        not_before,
        expires: not_before.saturating_add(new.expires_in),
        verb,
        preconditions: Preconditions {
            version: new.only_version.clone(),
            configuration: None,
        },
        challenge,
    })?;
    let bytes = document.bytes();
    std::fs::write(&new.out, bytes).with_context(|| failed_to("write", &new.out))?;
    print(&format!("{}\n", document.order().id));
    Ok(End::Well)
}

fn verb(new: &New) -> anyhow::Result<Verb> {
    let named = |word: &Option<Word>| word.clone().context("it must be said which");
    Ok(match new.verb {
        VerbName::Diagnostics => Verb::Diagnostics,
        VerbName::RestartDriver => Verb::RestartDriver {
            host: named(&new.host)?,
        },
        VerbName::Recalibrate => Verb::Recalibrate {
            device: named(&new.about)?,
        },
        VerbName::LockKiosk => Verb::LockKiosk,
        VerbName::UnlockKiosk => Verb::UnlockKiosk,
        VerbName::RotateKeys => Verb::RotateKeys,
        VerbName::Reboot => Verb::Reboot,
        VerbName::Wipe => Verb::Wipe,
    })
}

fn approve_file(file: &Path, key: &Path, name: &Label) -> Done {
    let held = held(file)?;
    print(&shown(&held)?);
    let pkcs8 = std::fs::read(key).with_context(|| failed_to("read", key))?;
    let signer = SoftwareSigner::from_pkcs8(&pkcs8)?;
    let at = SystemClock::new().unix_millis() / 1000;
    let document = held.document();
    let mut approvals: Vec<Vec<u8>> = held.approvals().map(|one| one.bytes().to_vec()).collect();
    approvals.push(approve(document, &signer, name, at)?);
    let message = join(&approvals).context("the command has all approvals that it can have")?;
    std::fs::write(file, message).with_context(|| failed_to("write", file))?;
    print(&format!("approved by {name}\n"));
    Ok(End::Well)
}

fn send(config: &Config, file: &Path) -> Done {
    let held = held(file)?;
    let Held::Message(message, bytes) = &held else {
        anyhow::bail!("nobody has approved it");
    };
    let order = message.document().order();
    let store = store(&config.database)?;
    let registry = store.registry(Shard::WHOLE)?;
    let device = registry.device(&order.target).ok_or(StoreError::NoDevice)?;
    store.give(&Given {
        id: order.id.to_string(),
        device: device.id,
        given_at: SystemClock::new().unix_millis(),
        expires: order.expires,
        message: bytes.clone(),
        sent_at: None,
        sent_in: None,
        settled: None,
        heard_in: None,
    })?;
    print(&format!("{}\n", order.id));
    Ok(End::Well)
}

fn list(config: &Config, json: bool) -> Done {
    let store = store(&config.database)?;
    for order in store.orders()? {
        print(&row(&store, &order, json)?);
    }
    Ok(End::Well)
}

fn row(store: &Store, order: &Given, json: bool) -> anyhow::Result<String> {
    let message = Message::read(&order.message)?;
    let ordered = message.document().order();
    let state = orders::state(store, order)?;
    let sent = if order.sent_at.is_some() {
        "sent"
    } else {
        "given"
    };
    let (state, known) = match &state {
        Some(state) => (orders::word(state.progress), Some(state)),
        None => (sent, None),
    };
    let reason = known.and_then(|state| state.reason.as_ref());
    let parts = known.and_then(|state| state.parts);
    let approvers: Vec<_> = message.approvals().map(|one| one.approver()).collect();
    if json {
        let row = json!({
            "command": order.id,
            "device": ordered.target.to_string(),
            "verb": ordered.verb.code(),
            "approvers": approvers,
            "state": state,
            "final": order.settled.is_some(),
            "reason": reason,
            "parts": parts,
            "expires": order.expires,
        });
        return Ok(format!("{row}\n"));
    }
    let reason = reason.map_or_else(String::new, |reason| format!(" {reason}"));
    let parts = parts.map_or_else(String::new, |parts| format!(" {parts} parts"));
    let verb = ordered.verb.code();
    Ok(format!(
        "{} {} {verb} {state}{reason}{parts}\n",
        order.id, ordered.target
    ))
}

fn held(file: &Path) -> anyhow::Result<Held> {
    let bytes = std::fs::read(file).with_context(|| failed_to("read", file))?;
    if let Ok(message) = Message::read(&bytes) {
        return Ok(Held::Message(Box::new(message), bytes));
    }
    let document = Document::read(&bytes);
    let document = document.with_context(|| format!("{} is no command", file.display()))?;
    Ok(Held::Document(Box::new(document)))
}

impl Held {
    const fn document(&self) -> &Document {
        match self {
            Self::Document(document) => document,
            Self::Message(message, _bytes) => message.document(),
        }
    }

    fn approvals(&self) -> impl Iterator<Item = &Approval> {
        let message = match self {
            Self::Document(_) => None,
            Self::Message(message, _bytes) => Some(message),
        };
        message.into_iter().flat_map(|message| message.approvals())
    }
}

fn shown(held: &Held) -> anyhow::Result<String> {
    let order = held.document().order();
    let mut text = format!("{}\n", serde_json::to_string_pretty(order)?);
    let _infallible = writeln!(text, "sha256 {}", held.document().digest().as_str());
    for approval in held.approvals() {
        let (name, key) = (approval.approver(), approval.key());
        let _infallible = writeln!(
            text,
            "approved by {name} with key {key} at {}",
            approval.approved_at()
        );
    }
    Ok(text)
}

fn failed_to(doing: &str, path: &Path) -> String {
    format!("failed to {doing} {}", path.display())
}
