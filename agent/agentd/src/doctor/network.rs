//! Whether the agent's ports are free, its own, or somebody else's.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::{Finding, Grade};
use crate::platform;
use crate::state_dir::read_ports;

/// Looks at one port.
pub(super) fn port(name: &str, address: SocketAddr, state_dir: &Path) -> Finding {
    if address.port() == 0 {
        return Finding::new(
            Grade::Good,
            format!("{name} は空いているポートを使います。"),
            format!("{name} takes any free port."),
        );
    }
    let error = match TcpListener::bind(address) {
        Ok(_released) => {
            return Finding::new(
                Grade::Good,
                format!("{name} のポート {address} は空いています。"),
                format!("The {name} port {address} is free."),
            );
        }
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        return Finding::new(
            Grade::Bad,
            format!("{name} のポート {address} を使えません({error})。"),
            format!("The {name} port {address} cannot be used: {error}."),
        );
    }
    let own = read_ports(state_dir)
        .is_some_and(|ports| [ports.api, ports.pin].contains(&address) && is_running(ports.pid));
    if own {
        return Finding::new(
            Grade::Good,
            format!("{name} のポート {address} では、この端末エージェントが動いています。"),
            format!("The agent itself runs on the {name} port {address}."),
        );
    }
    let owner = platform::owner_of_port(address);
    let owner_ja = owner
        .as_ref()
        .map_or_else(|| "ほかのプログラム".to_owned(), |who| format!("「{who}」"));
    let owner_en = owner.unwrap_or_else(|| "another program".to_owned());
    Finding::new(
        Grade::Bad,
        format!(
            "{name} のポート {address} は{owner_ja}が使っています。そのプログラムを止めるか、設定でポートを変えてください。"
        ),
        format!(
            "The {name} port {address} is taken by {owner_en}. Stop that program or configure another port."
        ),
    )
}

/// Where the system cannot tell, the port file is believed.
fn is_running(pid: u32) -> bool {
    platform::process_name(pid).is_none_or(|name| name.contains("agentd"))
}
