//! Signed commands through a real broker: a real agent, a real monitor, the monitor's own command line.
//!
//! | test | protects |
//! |---|---|
//! | a bundle is fetched | what leaves the machine is whole, signed for, and holds no canary |
//! | a driver is restarted | an effect takes place once, and only for those who may order it |
//! | an agent that is killed | what was running is unknown, and is not done again |
//! | a new key | the monitor knows it before it signs, and the old one counts no more after that |

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use harness::{Oversight, Patience, Process, binary, process_tree};
use serde_json::Value;
use tempfile::TempDir;
use toml::Table;

/// How long anything may take that a person would wait for.
const PATIENCE: u64 = 60;
/// Names and numbers that no bundle may hold, as somebody's mistake could write them into the log.
const CANARIES: [&str; 2] = ["山田太郎", "1234 5678 9012"];

struct Office {
    oversight: Oversight,
    agent: Option<Process>,
    folder: TempDir,
}

impl Office {
    /// Broker, monitor and agent, with two people who may approve and one whom the device does not know.
    fn open(driver_host: &Path) -> anyhow::Result<Self> {
        Self::open_with(driver_host, Table::new())
    }

    /// The same, with more in the agent's configuration.
    fn open_with(driver_host: &Path, more: Table) -> anyhow::Result<Self> {
        let mut office = Self {
            oversight: Oversight::start()?,
            agent: None,
            folder: tempfile::Builder::new()
                .prefix("madoguchi-office-")
                .tempdir()?,
        };
        let mut approvers = Vec::new();
        for name in ["sato", "suzuki", "stranger"] {
            let file = office.text(&format!("{name}.pk8"))?;
            let key = office.told(&["person", "key", &file])?;
            let mut approver = Table::new();
            approver.insert("name".into(), name.into());
            approver.insert("public_key".into(), key.trim().into());
            let classes = ["read", "reversible", "destructive"].map(toml::Value::from);
            approver.insert("classes".into(), classes.to_vec().into());
            approvers.push(toml::Value::Table(approver));
        }
        approvers.truncate(2);
        let mut telemetry = office.oversight.settings()?;
        telemetry.insert("approver".into(), approvers.into());
        let mut config = Table::new();
        config.insert("listen".into(), "127.0.0.1:0".into());
        config.insert("pin_listen".into(), "127.0.0.1:0".into());
        config.insert("state_dir".into(), office.text("state")?.into());
        let mut host = Table::new();
        host.insert(
            "program".into(),
            driver_host.to_str().context("path")?.into(),
        );
        config.insert("driver_host".into(), host.into());
        config.insert("telemetry".into(), telemetry.into());
        config.extend(more);
        fs::write(office.path("agent.toml"), toml::to_string(&config)?)?;
        let identity = office.agentd(&["telemetry-key"])?.output()?;
        ensure!(identity.status.success(), "{identity:?}");
        let identity = String::from_utf8(identity.stdout)?;
        office.oversight.begin(&identity)?;
        office.start_agent()?;
        Ok(office)
    }

    fn start_agent(&mut self) -> anyhow::Result<()> {
        let log = self.path("agentd.log");
        self.agent = Some(Process::start("agentd", &mut self.agentd(&[])?, &log)?);
        Ok(())
    }

    fn stop_agent(&mut self) -> anyhow::Result<()> {
        let mut agent = self.agent.take().context("no agent runs")?;
        agent.terminate(Patience::seconds(PATIENCE))?;
        Ok(())
    }

    fn restart_agent(&mut self) -> anyhow::Result<()> {
        self.stop_agent()?;
        self.start_agent()
    }

    /// Waits until something is so.
    fn wait_until(
        &self,
        what: &str,
        is_so: impl Fn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let patience = Patience::seconds(PATIENCE);
        while !is_so(self)? {
            if patience.left(what).is_err() {
                bail!(
                    "{what} did not come:\n{}",
                    fs::read_to_string(self.path("agentd.log"))?
                );
            }
            pause();
        }
        Ok(())
    }

    fn agentd(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(binary("agentd")?);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("agent.toml"));
        command.env("PCSCLITE_CSOCK_NAME", self.path("no-pcscd"));
        Ok(command)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> anyhow::Result<String> {
        let path = self.path(name);
        Ok(path.to_str().context("the folder is not UTF-8")?.to_owned())
    }

    fn told(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.oversight.ask(arguments)?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "monitor {arguments:?}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Orders something, approved by these people, the first of whom orders it; its id.
    fn order(&self, what: &[&str], people: &[&str]) -> anyhow::Result<String> {
        let (device, file) = (self.oversight.device(), self.text("order")?);
        let first = people.first().context("nobody orders it")?;
        let mut new = vec!["command", "new", "--device", &device, "--as", first];
        new.extend(["--out", &file, "--verb"]);
        new.extend(what);
        let id = self.told(&new)?.trim().to_owned();
        for name in people {
            let key = self.text(&format!("{name}.pk8"))?;
            self.told(&["command", "approve", &file, "--key", &key, "--as", name])?;
        }
        self.told(&["command", "send", &file])?;
        Ok(id)
    }

    /// What the list says of a command, once it says one of these states.
    fn wait_for(&self, id: &str, states: &[&str]) -> anyhow::Result<Value> {
        let patience = Patience::seconds(PATIENCE);
        loop {
            let list = self.told(&["command", "list", "--json"])?;
            let rows: Vec<Value> = list
                .lines()
                .map(serde_json::from_str)
                .collect::<Result<_, _>>()?;
            let row = rows
                .into_iter()
                .find(|row| row.get("command").is_some_and(|of| of == id));
            if let Some(row) = row
                && row
                    .get("state")
                    .is_some_and(|state| states.iter().any(|one| state == one))
            {
                return Ok(row);
            }
            if patience.left("a state of a command").is_err() {
                let log = fs::read_to_string(self.path("agentd.log"))?;
                bail!("{id} is not {states:?}:\n{list}\n{log}");
            }
            pause();
        }
    }

    /// Waits until a beat has come, whose challenge an order can repeat.
    fn wait_for_order(&self, what: &[&str], people: &[&str]) -> anyhow::Result<String> {
        let patience = Patience::seconds(PATIENCE);
        loop {
            match self.order(what, people) {
                Ok(id) => return Ok(id),
                Err(error) => {
                    patience.left("a beat").context(error)?;
                    pause();
                }
            }
        }
    }

    fn driver_hosts(&self) -> anyhow::Result<Vec<u32>> {
        let agent = self.agent.as_ref().context("no agent runs")?;
        let tree = process_tree(agent.id())?;
        let hosts = tree.iter().filter(|process| process.id != agent.id());
        Ok(hosts.map(|process| process.id).collect())
    }

    fn audit(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for entry in fs::read_dir(self.path("state/audit"))? {
            text.push_str(&String::from_utf8_lossy(&fs::read(entry?.path())?));
        }
        Ok(text)
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ended = agent.terminate(Patience::seconds(10));
        }
    }
}

fn pause() {
    // Nobody sends; the channel is the way to wait.
    let (_never, wait) = mpsc::channel::<()>();
    let _elapsed = wait.recv_timeout(Duration::from_millis(200));
}

#[test]
fn a_diagnostics_bundle_is_fetched_whole_and_holds_no_canary() -> anyhow::Result<()> {
    let office = Office::open(&binary("driver-host")?)?;
    // The log has begun once the first order has come to an end.
    let first = office.order(&["diagnostics"], &["sato"])?;
    office.wait_for(&first, &["done"])?;
    let log = fs::read_dir(office.path("state/logs"))?
        .next()
        .context("no log")??;
    let mut log = fs::File::options().append(true).open(log.path())?;
    for canary in CANARIES {
        writeln!(
            log,
            "2026-11-21T10:42:15.123456Z  INFO agentd: it is {canary}"
        )?;
    }
    let id = office.order(&["diagnostics"], &["sato"])?;
    let row = office.wait_for(&id, &["done", "failed"])?;
    ensure!(row["state"] == "done", "{row}");
    let file = office.text("bundle.cbor")?;
    let patience = Patience::seconds(PATIENCE);
    let printed = loop {
        // Parts follow the final state.
        match office.told(&["command", "fetch", &id, "--out", &file, "--json"]) {
            Ok(printed) => break printed,
            Err(error) => {
                patience.left("the parts of a bundle").context(error)?;
                pause();
            }
        }
    };
    let bytes = fs::read(&file)?;
    let bundle = String::from_utf8_lossy(&bytes);
    for canary in CANARIES {
        ensure!(
            !bundle.contains(canary) && !printed.contains(canary),
            "{canary}"
        );
    }
    let printed: Value = serde_json::from_str(&printed)?;
    let lines = printed["lines"].as_array().context("no lines")?;
    ensure!(!lines.is_empty(), "the bundle holds no line of the log");
    ensure!(
        printed["leftOut"]["notPlainAscii"].as_u64() >= Some(1),
        "{printed}"
    );
    ensure!(
        printed["leftOut"]["sevenDigits"].as_u64() >= Some(1),
        "{printed}"
    );
    ensure!(
        printed["findings"]["versions"][0]["part"] == "agentd",
        "{printed}"
    );
    Ok(())
}

#[test]
fn a_driver_is_restarted_for_those_who_may_order_it_and_nobody_else() -> anyhow::Result<()> {
    let office = Office::open(&binary("driver-host")?)?;
    let diagnostics = office.order(&["diagnostics"], &["suzuki"])?;
    office.wait_for(&diagnostics, &["done"])?;
    let before = office.driver_hosts()?;
    ensure!(before.len() == 1, "{before:?}");
    let restart = ["restart-driver", "--host", "pcsc"];
    let stranger = office.order(&restart, &["stranger"])?;
    let refused = office.wait_for(&stranger, &["refused"])?;
    ensure!(refused["reason"] == "unknownApprover", "{refused}");
    ensure!(
        office.driver_hosts()? == before,
        "a stranger had a driver restarted"
    );
    let unheard = office.order(&["restart-driver", "--host", "toaster"], &["sato"])?;
    let failed = office.wait_for(&unheard, &["failed"])?;
    ensure!(failed["reason"] == "notThere", "{failed}");
    let id = office.order(&restart, &["sato"])?;
    let done = office.wait_for(&id, &["done", "failed"])?;
    ensure!(done["state"] == "done", "{done}");
    let after = office.driver_hosts()?;
    ensure!(after.len() == 1 && after != before, "{before:?} {after:?}");
    let alone = office.wait_for_order(&["wipe"], &["sato"])?;
    let refused = office.wait_for(&alone, &["refused", "done"])?;
    ensure!(refused["reason"] == "oneApproverOnly", "{refused}");
    ensure!(office.path("state/telemetry-key.pk8").exists(), "wiped");
    let open = office.wait_for_order(&["reboot"], &["sato", "suzuki"])?;
    let refused = office.wait_for(&open, &["refused", "done"])?;
    ensure!(refused["reason"] == "insideOpeningHours", "{refused}");
    let audit = office.audit()?;
    for word in [
        &id,
        "unknownApprover",
        "oneApproverOnly",
        "\"progress\":\"running\"",
    ] {
        ensure!(audit.contains(word), "the audit log says nothing of {word}");
    }
    Ok(())
}

#[test]
fn what_was_calibrated_at_a_tablet_is_set_aside_from_afar() -> anyhow::Result<()> {
    let tablet =
        "[[signature_tablet]]\nname = \"desk\"\nconnection = { simulated = \"127.0.0.1:1\" }";
    let office = Office::open_with(&binary("driver-host")?, toml::from_str(tablet)?)?;
    let diagnostics = office.order(&["diagnostics"], &["suzuki"])?;
    office.wait_for(&diagnostics, &["done"])?;
    let before = office.driver_hosts()?;
    ensure!(before.len() == 2, "{before:?}");
    for (device, reason) in [
        ("ticketPrinter:1", "unsupported"),
        ("signatureTablet:hall", "notThere"),
    ] {
        let id = office.order(&["recalibrate", "--about", device], &["sato"])?;
        let failed = office.wait_for(&id, &["failed", "done"])?;
        ensure!(failed["reason"] == reason, "{device}: {failed}");
    }
    ensure!(office.driver_hosts()? == before, "restarted for nothing");
    let desk = ["recalibrate", "--about", "signatureTablet:desk"];
    let id = office.order(&desk, &["sato"])?;
    let done = office.wait_for(&id, &["done", "failed"])?;
    ensure!(done["state"] == "done", "{done}");
    let after = office.driver_hosts()?;
    let same = after.iter().filter(|id| before.contains(id)).count();
    ensure!((after.len(), same) == (2, 1), "{before:?} {after:?}");
    // By another thread, which has its own time.
    let stored = office.path("state/calibrations.json");
    office.wait_until("what is kept", |_| Ok(stored.exists()))
}

#[test]
fn a_command_whose_agent_was_killed_is_unknown_and_never_done_again() -> anyhow::Result<()> {
    let temp = tempfile::tempdir()?;
    // A driver host that never says hello keeps the order running; it ends with its input.
    let silent = temp.path().join("silent");
    fs::write(&silent, "#!/bin/sh\nexec cat >/dev/null\n")?;
    executable(&silent)?;
    let mut office = Office::open(&silent)?;
    let id = office.order(&["restart-driver", "--host", "pcsc"], &["sato"])?;
    office.wait_for(&id, &["running"])?;
    office.agent.take().context("no agent")?.kill()?;
    office.start_agent()?;
    let row = office.wait_for(&id, &["unknown", "done", "failed"])?;
    ensure!(row["state"] == "unknown", "{row}");
    // It is told in the new session, where the command came again.
    let next = office.order(&["diagnostics"], &["sato"])?;
    office.wait_for(&next, &["done"])?;
    let audit = office.audit()?;
    let of_it = audit.lines().filter(|line| line.contains(&id));
    let running = of_it.filter(|line| line.contains("\"progress\":\"running\""));
    ensure!(running.count() == 1, "{audit}");
    Ok(())
}

#[test]
fn a_new_key_signs_after_a_start_once_the_monitor_knows_it_and_the_old_one_counts_no_more()
-> anyhow::Result<()> {
    let mut office = Office::open(&binary("driver-host")?)?;
    let (key, agreed) = (
        office.path("state/telemetry-key.pk8"),
        office.path("state/telemetry-key-agreed.pk8"),
    );
    let old = fs::read(&key)?;
    let id = office.wait_for_order(&["rotate-keys"], &["sato", "suzuki"])?;
    let done = office.wait_for(&id, &["done", "failed", "refused"])?;
    ensure!(done["state"] == "done", "{done}");
    let again = office.wait_for_order(&["rotate-keys"], &["suzuki", "sato"])?;
    let busy = office.wait_for(&again, &["done", "failed", "refused"])?;
    ensure!(busy["reason"] == "busy", "{busy}");
    office.wait_until("the monitor's word", |_| Ok(agreed.exists()))?;
    ensure!(fs::read(&key)? == old, "the key changed within an epoch");
    let alarms = office.oversight.ask(&["alarms"])?.stdout;
    let alarms = String::from_utf8_lossy(&alarms).into_owned();
    ensure!(alarms.contains("newKey"), "{alarms}");

    office.restart_agent()?;
    office.wait_until("a message of the new key", |office| {
        let list = office.told(&["device", "list"])?;
        Ok(list.contains(" from epoch 0 to 1\n") && !list.contains("has not signed yet"))
    })?;
    ensure!(fs::read(&key)? != old && !agreed.exists());
    // Orders come and are answered as before.
    let next = office.order(&["diagnostics"], &["sato"])?;
    office.wait_for(&next, &["done"])?;

    // A disk from before, or a thief.
    office.stop_agent()?;
    fs::write(&key, &old)?;
    office.start_agent()?;
    office.wait_until("a refusal of the old key", |office| {
        let alarms = office.oversight.ask(&["alarms"])?.stdout;
        Ok(String::from_utf8_lossy(&alarms).contains("unknownKey"))
    })?;
    let audit = office.audit()?;
    for word in [&id, &again, "rotateKeys"] {
        ensure!(audit.contains(word), "the audit log says nothing of {word}");
    }
    Ok(())
}

fn executable(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
