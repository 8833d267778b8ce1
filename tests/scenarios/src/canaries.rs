//! Canaries: a citizen made of fresh words goes through everything, then the words are sought everywhere.
//!
//! | sought in | how |
//! |---|---|
//! | files | every byte of every file under the agent's folder: state, audit log, recordings, logs at trace |
//! | the system's view | arguments, environment, names and threads of each process with the PIN on its way |
//! | core dumps | wanted by the limits, refused by the processes; agent and driver host are aborted with the PIN in memory |
//! | answers | every byte of refused requests; jobs as events show them; errors; what `doctor` and the PIN screen say |
//!
//! Results are left out: they are handed to the one page that may have them.
//! So is the simulation's folder: it is the card.
//! There are no metrics yet; a request for them is among those that are searched.
//!
//! That the search sees is shown twice: each form of each canary is planted and found, and
//! [`redaction_removed`] runs the same against a driver host that hides nothing.

mod deeds;
mod person;
mod refused;
mod removed;
mod system;
mod traces;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use harness::{ALL_SCOPES, Counter, Events, Options, Patience, binary};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use toml::{Table, Value};

pub use removed::redaction_removed;

use deeds::Stage;
use person::Person;
use refused::Stranger;
use system::CoresWanted;
use traces::{Search, Trace};

/// Where the driver host's log goes.
///
/// The agent passes on a few lines a second, so the whole log takes a way of its own in every second run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostLog {
    ThroughTheAgent,
    Whole,
}

/// What a run looks at.
struct Hunt {
    driver_host: PathBuf,
    host_log: HostLog,
    seed: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
struct Found {
    traces: Vec<Trace>,
    cores: Vec<PathBuf>,
    unprotected: Vec<String>,
    searched: BTreeMap<String, u64>,
    forms: usize,
    outcomes: Vec<String>,
    cores_would_show: bool,
}

/// Plants fresh canaries `runs` times, and finds none.
///
/// # Errors
/// When a canary is found, a process dumps core, or a deed does not end as it must.
pub fn canaries(runs: u64) -> anyhow::Result<String> {
    let mut told = String::new();
    for run in 0..runs {
        // Fresh each time; the seed is told where something is found.
        let seed = rand::rng().random();
        let host_log = if run % 2 == 0 {
            HostLog::Whole
        } else {
            HostLog::ThroughTheAgent
        };
        let hunt = Hunt {
            driver_host: binary("driver-host")?,
            host_log,
            seed,
        };
        let found = hunt.run().with_context(|| format!("seed {seed}"))?;
        if let Some(trace) = found.traces.first() {
            anyhow::bail!(
                "seed {seed}: {} traces, the first: {trace}",
                found.traces.len()
            );
        }
        ensure!(found.cores.is_empty(), "cores: {:?}", found.cores);
        ensure!(
            found.unprotected.is_empty(),
            "may dump core: {:?}",
            found.unprotected
        );
        for kind in [
            "agentd.log",
            "audit",
            "events",
            "processes",
            "recordings",
            "refusals",
        ] {
            let bytes = found.searched.get(kind).copied().unwrap_or(0);
            ensure!(bytes > 0, "nothing was searched of {kind}");
        }
        told = found.words();
    }
    Ok(format!("{runs} runs, no canary found; in the last: {told}"))
}

impl Found {
    fn look(&mut self, search: &Search, place: &str, bytes: &[u8]) {
        *self.searched.entry(kind_of(place)).or_default() += bytes.len() as u64;
        self.traces.extend(search.search(place, bytes));
    }

    fn words(&self) -> String {
        let searched = self.searched.iter();
        let searched: Vec<String> = searched
            .map(|(kind, bytes)| format!("{kind} {bytes}"))
            .collect();
        let mut outcomes = BTreeMap::<&str, u32>::new();
        for outcome in &self.outcomes {
            *outcomes.entry(outcome).or_default() += 1;
        }
        format!(
            "{} forms of canaries sought in bytes of {}; readings ended with {outcomes:?}; \
             core dumps wanted (pattern {:?}, an unprotected process's core {} seen): none",
            self.forms,
            searched.join(", "),
            system::core_pattern(),
            if self.cores_would_show {
                "was"
            } else {
                "would not be"
            }
        )
    }
}

/// What kind of place this is, for the sum of bytes.
fn kind_of(place: &str) -> String {
    let kinds = [
        "agent.toml",
        "audit",
        "recordings",
        "agentd.log",
        "driver-host.log",
        "state",
    ];
    let known = kinds.iter().find(|kind| place.contains(**kind));
    let first = place.split(':').next().unwrap_or(place);
    known.map_or_else(|| first.to_owned(), |kind| (*kind).to_owned())
}

impl Hunt {
    fn run(&self) -> anyhow::Result<Found> {
        let cores = CoresWanted::from_now_on()?;
        let person = Person::draw(&mut StdRng::seed_from_u64(self.seed));
        let place = tempfile::tempdir()?;
        let mut counter = self.start_counter(&person, &place)?;
        let mut stage = Stage::set(&counter, &person)?;
        let search = Search::new(&person.canaries(&stage.number_b));
        let mut found = Found {
            forms: search.forms(),
            cores_would_show: cores.would_be_seen()?,
            ..Found::default()
        };
        must_see(&search, place.path())?;
        let overheard = overhear(&counter)?;
        stage.read_in_every_way().context("reading in every way")?;
        stage.spend_tries().context("spending tries")?;
        stage.cancel().context("cancelling")?;
        stage.disturb_readings().context("disturbing")?;
        send_nonsense(&counter, &person, (&search, &mut found))?;
        crash(
            &mut counter,
            &mut stage,
            place.path(),
            (&search, &mut found),
        )
        .context("crashing")?;
        let heard = overheard
            .join()
            .map_err(|_panic| anyhow::anyhow!("the listener panicked"))?;
        found.look(&search, "events", &heard);
        found.look(&search, "jobs and errors", &stage.seen);
        found.outcomes.append(&mut stage.outcomes);
        drop(stage);
        counter.agent.stop()?;
        search_the_rest(&counter, place.path(), (&search, &mut found))?;
        counter.stop()?;
        Ok(found)
    }

    fn start_counter(&self, person: &Person, place: &TempDir) -> anyhow::Result<Counter> {
        let holders = place.path().join("holders.toml");
        fs::write(&holders, person.holders_file())?;
        let written = place.path().join("written");
        fs::create_dir(&written)?;
        let (recordings, log) = (written.join("recordings"), written.join("driver-host.log"));
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .context("a path is not UTF-8")
        };
        let host = text(&self.driver_host)?;
        let mut args = vec!["pcsc".to_owned(), "--record".to_owned(), text(&recordings)?];
        let mut program = host.clone();
        if self.host_log == HostLog::Whole {
            let script = "log=$1; shift; exec \"$@\" 2>>\"$log\"";
            let shell = ["-c", script, "sh", &text(&log)?, &host];
            args.splice(0..0, shell.map(str::to_owned));
            program = "/bin/sh".to_owned();
        }
        let args = args.into_iter().map(Value::String).collect();
        let host = [
            ("program", Value::String(program)),
            ("args", Value::Array(args)),
        ];
        let host = host.map(|(key, value)| (key.to_owned(), value));
        let mut agent = Table::new();
        agent.insert("driver_host".to_owned(), Table::from_iter(host).into());
        agent.insert("requests_per_second".to_owned(), 1000.into());
        Counter::start(&Options {
            log: "trace".to_owned(),
            agent,
            holders: vec![holders],
            ..Options::default()
        })
    }
}

/// Listens to the events of everybody until the agent is gone.
fn overhear(counter: &Counter) -> anyhow::Result<std::thread::JoinHandle<Vec<u8>>> {
    let token = counter.token(&ALL_SCOPES)?;
    let mut events = Events::open(
        counter.agent.addresses().api,
        counter.origin(),
        &token,
        None,
    )?;
    Ok(std::thread::spawn(move || {
        let mut heard = Vec::new();
        while let Ok(event) = events.next(Patience::seconds(120)) {
            heard.extend(serde_json::to_vec(&event).unwrap_or_default());
        }
        heard
    }))
}

fn send_nonsense(
    counter: &Counter,
    person: &Person,
    (search, found): (&Search, &mut Found),
) -> anyhow::Result<()> {
    let stranger = Stranger::of(counter, &counter.token(&ALL_SCOPES)?);
    for (name, answer) in stranger.send_all(person)? {
        found.look(search, &format!("refusals: {name}"), &answer);
    }
    Ok(())
}

/// Looks at the processes while the PIN travels, then aborts them, the driver host twice and the agent last.
fn crash(
    counter: &mut Counter,
    stage: &mut Stage<'_>,
    written: &Path,
    (search, found): (&Search, &mut Found),
) -> anyhow::Result<()> {
    let mut folders = Vec::new();
    for signal in [Signal::ABORT, Signal::FPE] {
        let crashed = stage.while_the_pin_travels(|| {
            let processes = counter.figures()?;
            ensure!(processes.len() == 2, "{} processes", processes.len());
            for process in &processes {
                for (place, bytes) in system::shown_of(process)? {
                    found.look(search, &format!("processes: {place}"), &bytes);
                }
                folders.push(system::working_folder(process)?);
                let outside = system::writes_outside(process, counter.folder())?;
                let strange = outside.iter().find(|path| !path.starts_with(written));
                ensure!(strange.is_none(), "{} writes {strange:?}", process.name);
            }
            let host = processes.last().context("no driver host")?;
            kill_process(pid_of(host.id)?, signal).context("ending the driver host")
        });
        crashed.with_context(|| format!("ending the driver host by {signal:?}"))?;
        // The card service can lose sight of a card that is put down while it cleans up after a client
        // that died within a transmission (seen with pcscd 1.9.9), so it is started anew.
        stage.lift()?;
        counter.pcscd.kill()?;
        counter.pcscd.start_again()?;
        stage.calm()?;
    }
    stage.until_the_agent_ends(|| {
        for process in &counter.figures()? {
            if system::may_dump(process)? {
                found.unprotected.push(process.name.clone());
            }
        }
        let agent = counter.agent.process().context("no agent")?;
        agent.signal(Signal::ABORT)?;
        agent.wait(Patience::seconds(10)).map(drop)
    })?;
    folders.sort();
    folders.dedup();
    for folder in folders {
        found.cores.extend(system::cores_in(&folder)?);
    }
    counter.agent.start_again()
}

fn pid_of(id: u32) -> anyhow::Result<Pid> {
    Pid::from_raw(i32::try_from(id)?).context("no process id")
}

/// Searches what the agent says of the machine, and every file that was written.
fn search_the_rest(
    counter: &Counter,
    place: &Path,
    (search, found): (&Search, &mut Found),
) -> anyhow::Result<()> {
    let config = counter.agent.config_file();
    let config = config.to_str().context("a path is not UTF-8")?;
    for verb in ["doctor", "check-config"] {
        let output = counter.agent.run(&[verb, "--config", config])?;
        found.look(search, verb, &[output.stdout, output.stderr].concat());
    }
    let verified = counter.agent.verify_audit()?;
    ensure!(verified.status.success(), "the audit log is damaged");
    found.look(search, "doctor", &verified.stdout);
    let agent = counter.folder().join("agent");
    let files = counter.written_files()?;
    let files = files.into_iter().filter(|file| file.starts_with(&agent));
    for file in files.chain(files_in(&place.join("written"))?) {
        let name = file.display().to_string();
        found.look(search, &name, name.as_bytes());
        found.look(search, &name, &fs::read(&file)?);
    }
    Ok(())
}

/// Fails where a form of a canary, planted in a file of `folder`, is not found.
fn must_see(search: &Search, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join("planted");
    for (what, form, sample) in search.samples() {
        fs::write(
            &file,
            [b"a line\n value=".as_slice(), sample, b";\n"].concat(),
        )?;
        let traces = search.search("planted", &fs::read(&file)?);
        let seen = traces
            .iter()
            .any(|trace| trace.what == what && trace.form == form);
        ensure!(seen, "the search does not see the {what} as {form}");
    }
    fs::remove_file(&file).context("the planted file")
}

fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_in(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_every_canary_is_found_where_it_is_planted() -> anyhow::Result<()> {
        let person = Person::draw(&mut StdRng::seed_from_u64(rand::rng().random()));
        let search = Search::new(&person.canaries("36105082029999"));
        assert!(search.forms() > 100);
        must_see(&search, tempfile::tempdir()?.path())
    }

    #[test]
    fn what_has_no_canary_has_no_trace() {
        let person = Person::draw(&mut StdRng::seed_from_u64(7));
        let search = Search::new(&person.canaries("36105082029999"));
        let text = include_bytes!("canaries/deeds.rs");
        assert_eq!(search.search("this file", text), []);
    }
}
