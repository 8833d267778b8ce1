//! The devices beside the card readers, one counter for all scenes.

use std::fs;

use anyhow::{Context as _, ensure};
use scenarios::devices;

#[test]
fn every_device_does_what_a_page_may_expect() -> anyhow::Result<()> {
    let counter = devices::counter()?;
    for scenes in devices::SCENES {
        (scenes.play)(&counter).context(scenes.device)?;
    }
    counter.stop()
}

#[test]
fn a_configuration_is_checked_by_the_hosts_that_would_use_it_while_others_work()
-> anyhow::Result<()> {
    let counter = devices::counter()?;
    let text = fs::read_to_string(counter.agent.config_file())?;
    let misspelt = text.replace("\"tm-t88vi\"", "\"tm-t88-vi\"");
    ensure!(text != misspelt, "{text}");
    let copy = counter.folder().join("misspelt.toml");
    fs::write(&copy, misspelt)?;
    let check = |file: &std::path::Path| -> anyhow::Result<(Option<i32>, String)> {
        let file = file.to_str().context("a path is not UTF-8")?;
        let output = counter.agent.run(&["check-config", "--config", file])?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    };
    let (code, said) = check(&counter.agent.config_file())?;
    ensure!(code == Some(0), "{said}");
    let (code, said) = check(&copy)?;
    ensure!(
        code == Some(2) && said.contains("no profile tm-t88-vi; there are"),
        "{said}"
    );
    counter.stop()
}
