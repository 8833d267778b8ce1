//! What is wrong with settings before anybody uses them: told in a line, and no device is touched for it.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use device_api::SystemClock;

use crate::{
    cards,
    cli::{self, Family},
    exit::Exit,
    floor::Floor as _,
    stations::Stations,
};

/// Checks the trust anchors of card readers, or the settings that `input` carries for another family.
pub(crate) fn check(family: &Family, input: impl Read, mut complaints: impl Write) -> Exit {
    let (why, exit) = match family {
        Family::Pcsc(pcsc) => match cards::anchors(pcsc) {
            Ok(_anchors) => return Exit::Done,
            Err(error) => (format!("{error:#}"), Exit::Trust),
        },
        Family::Stations(family) => match settings(*family, input) {
            Ok(()) => return Exit::Done,
            Err(why) => (why, Exit::Settings),
        },
    };
    // Where nobody listens the exit code says it.
    let _told = writeln!(complaints, "{why}");
    exit
}

fn settings(family: cli::Stations, input: impl Read) -> Result<(), String> {
    let settings = serde_json::from_reader(input).map_err(|error| error.to_string())?;
    let nobody_is_told = Arc::new(|| {});
    let mut stations = Stations::new(family, Arc::new(SystemClock::new()), nobody_is_told);
    stations.settle(Some(settings))
}
