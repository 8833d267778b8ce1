//! The scripted scenario as a program: one line for each step, and an exit code that tells the truth.
//!
//! Usage: `demo-once [--spoil SCENE]`.
//! With `--spoil` the trouble of one scene does not happen, and the program must fail: that is how a
//! test proves that no scene passes silently.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use anyhow::bail;
use harness::{Counter, Options};
use scenarios::{devices, oversight, script};

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let spoiled = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => None,
        ["--spoil", scene] => Some((*scene).to_owned()),
        _ => bail!("usage: demo-once [--spoil SCENE]"),
    };
    let counter = Counter::start(&Options::default())?;
    let mut steps = script::play(counter, spoiled.as_deref())?;
    if spoiled.is_none() {
        let counter = devices::counter()?;
        for scenes in devices::SCENES {
            steps.run(scenes.device, || {
                (scenes.play)(&counter)?;
                Ok(scenes.shows.to_owned())
            });
        }
        counter.stop()?;
        steps.run("oversight", oversight::scenes);
    }
    println!("{}", steps.summary());
    Ok(if steps.all_held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
