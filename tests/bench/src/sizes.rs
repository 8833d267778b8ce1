//! How large the programs are that a counter PC gets.

use std::fs;

use harness::binary;

use crate::report::Section;

/// Promised for each, in MB of a million bytes.
const MOST_MB: f64 = 12.0;

/// Looks at the programs beside this one.
pub(crate) fn measure() -> anyhow::Result<Section> {
    let mut section = Section::new("Programs", &["program", "MB"]);
    for (name, what) in [
        ("agentd", "size of agentd"),
        ("driver-host", "size of driver-host"),
    ] {
        let bytes = fs::metadata(binary(name)?)?.len();
        let megabytes = bytes as f64 / 1e6;
        section.row([format!("`{name}`"), format!("{megabytes:.2}")]);
        section.goal(what, (megabytes, MOST_MB), "MB");
    }
    Ok(section)
}
