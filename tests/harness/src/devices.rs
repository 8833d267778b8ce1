//! The devices beside the card readers: how they are simulated, and how the agent is told of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use toml::Table;

/// The template of the handover folder: what a certificate system takes.
const TEMPLATE: &str = "format = 1\nname = \"certificates\"\nencoding = \"cp932\"\n\
    file_name = \"cert_{date}_{counter}_{sequence}.csv\"\n\
    [[columns]]\nheader = \"氏名\"\nfield = \"name\"\nrequired = true\nmax_bytes = 40\n\
    [[columns]]\nheader = \"手続\"\nfield = \"procedure\"\n";

/// What the simulation is asked for. The scanner is on a serial line.
pub(crate) fn simulated(wanted: bool, folder: &Path) -> Value {
    if !wanted {
        return json!({});
    }
    json!({
        "printer": {},
        "codeScanner": { "attach": { "pty": folder.join("scanner") }, "interface": { "stream": { "aim": true } } },
        "tablet": {},
        "documentScanner": {},
    })
}

/// What the agent is told of the devices that the simulation has.
pub(crate) fn configured(devices: &Value, folder: &Path) -> anyhow::Result<Table> {
    let text = |pointer: &str| {
        let found = devices.pointer(pointer).and_then(Value::as_str);
        found.with_context(|| format!("the simulation tells no {pointer}"))
    };
    let template = folder.join("certificates.toml");
    fs::write(&template, TEMPLATE)?;
    let [outgoing, acknowledgements] = handover_folders(folder);
    let state = folder.join("handover/state");
    for place in [&outgoing, &acknowledgements, &state] {
        fs::create_dir_all(place)?;
    }
    let config = json!({
        "code_scanner": [{
            "name": "scanner",
            "connection": { "serial": { "path": text("/codeScanner/address/pty")? } },
        }],
        "ticket_printer": [{
            "name": "printer",
            "connection": { "tcp": text("/printer/address/tcp")? },
            "profile": "tm-t88vi",
        }],
        "signature_tablet": [
            { "name": "tablet", "connection": { "simulated": text("/tablet/address/tcp")? } },
        ],
        "document_scanner": [{
            "name": "papers",
            "reached_by": { "escl": format!("http://{}/eSCL", text("/documentScanner/escl/tcp")?) },
        }],
        "handover": [{
            "template": template,
            "counter": "3",
            "outgoing": outgoing,
            "acknowledgements": acknowledgements,
            "state": state,
        }],
    });
    Table::try_from(config).context("the devices' configuration")
}

/// The folder of handover files, and the one in which they are acknowledged.
pub(crate) fn handover_folders(folder: &Path) -> [PathBuf; 2] {
    ["handover/out", "handover/ack"].map(|name| folder.join(name))
}
