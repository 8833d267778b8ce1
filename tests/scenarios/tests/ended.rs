//! A long run that somebody ends in its middle.

use std::process::{Command, Stdio};

use anyhow::ensure;
use harness::{Patience, binary, process_tree_with};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_soak_that_is_ended_leaves_no_process_behind() -> anyhow::Result<()> {
    let mut command = Command::new(binary("soak")?);
    let mut soak = command.arg("hangs").stdout(Stdio::null()).spawn()?;
    let parts = ["agentd", "driver-host", "counter-sim", "pcscd"];
    let started = process_tree_with(&parts, soak.id(), &Patience::seconds(60))?;
    kill_process(Pid::from_child(&soak), Signal::TERM)?;
    ensure!(soak.wait()?.code() == Some(130));
    let patience = Patience::seconds(20);
    let left = started.iter().find(|process| !process.ends(&patience));
    ensure!(left.is_none(), "{left:?} still runs");
    Ok(())
}
