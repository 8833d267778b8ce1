//! Whether the card service runs, and which readers a driver host sees.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use host_protocol::{AgentMessage, DeviceDescription, DeviceState, HostMessage, MAX_LINE};
use host_protocol::{PROTOCOL_VERSION, ServiceState, decode, encode};

use super::{Finding, Grade};
use crate::config::{CARDS, Config};
use crate::platform;

/// How long a host may take to list its devices.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for the service's socket.
pub(super) fn service() -> Finding {
    match platform::card_service_socket() {
        None => Finding::new(
            Grade::Note,
            "カードサービスの有無は、次の項目で確かめます。",
            "Whether the card service runs is seen below.",
        ),
        Some(path) if path.exists() => Finding::new(
            Grade::Good,
            format!(
                "カードサービス(pcscd)の入口 {} があります。",
                path.display()
            ),
            format!(
                "The socket of the card service (pcscd) is there: {}.",
                path.display()
            ),
        ),
        Some(path) => Finding::new(
            Grade::Bad,
            format!(
                "カードサービス(pcscd)の入口 {} がありません。pcscd を導入し、起動してください。",
                path.display()
            ),
            format!(
                "The socket of the card service (pcscd), {}, is missing. Install and start pcscd.",
                path.display()
            ),
        ),
    }
}

/// Starts a driver host for a moment and asks it for its devices.
pub(super) fn through_a_host(config: &Config) -> Vec<Finding> {
    let Some(host) = config.hosts.iter().find(|host| host.name == CARDS) else {
        return Vec::new();
    };
    let program = host.command.program.display();
    let mut command = Command::new(&host.command.program);
    command.args(&host.command.args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return vec![Finding::new(
                Grade::Bad,
                format!("機器の制御プログラム {program} を起動できません({error})。"),
                format!("The driver host {program} cannot be started: {error}."),
            )];
        }
    };
    let (found, answer) = mpsc::channel();
    if let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            while let Some(message) = next_message(&mut reader) {
                let welcomed = match message {
                    HostMessage::Hello { .. } => {
                        let welcome = AgentMessage::Welcome {
                            protocol: PROTOCOL_VERSION,
                            settings: None,
                        };
                        encode(&welcome).is_ok_and(|line| stdin.write_all(&line).is_ok())
                    }
                    HostMessage::Devices { service, devices } => {
                        // The doctor may have lost patience.
                        let _heard = found.send((service, devices));
                        return;
                    }
                    HostMessage::Accepted { .. }
                    | HostMessage::Progress { .. }
                    | HostMessage::Ask { .. }
                    | HostMessage::Item { .. }
                    | HostMessage::Part { .. }
                    | HostMessage::Finished { .. }
                    | HostMessage::Pong { .. } => false,
                };
                if !welcomed {
                    return;
                }
            }
        });
    }
    let listed = answer.recv_timeout(PATIENCE);
    if child.kill().and_then(|()| child.wait()).is_err() {
        tracing::debug!("the doctor's driver host had ended before");
    }
    match listed {
        Ok((service, devices)) => told(service, &devices),
        Err(_nothing) => vec![Finding::new(
            Grade::Bad,
            format!("機器の制御プログラム {program} が応答しません。入れ直してください。"),
            format!("The driver host {program} does not answer. Install it anew."),
        )],
    }
}

/// What a host's list of devices means.
fn told(service: ServiceState, devices: &[DeviceDescription]) -> Vec<Finding> {
    match service {
        ServiceState::Up if devices.is_empty() => vec![Finding::new(
            Grade::Bad,
            "カードリーダーが見つかりません。ケーブルを確かめてください。",
            "No card reader is found. Check its cable.",
        )],
        ServiceState::Up => devices.iter().map(reader).collect(),
        ServiceState::Down => vec![Finding::new(
            Grade::Bad,
            "カードサービスが動いていません。サービスを起動してください。",
            "The card service does not run. Start it.",
        )],
        ServiceState::Denied => vec![Finding::new(
            Grade::Bad,
            "カードサービス(pcscd)が、この利用者の接続を拒んでいます。polkit の規則などで、端末エージェントの利用者に許可してください。",
            "The card service (pcscd) runs and refuses this user. Permit the agent's user, for example by a polkit rule.",
        )],
    }
}

fn next_message(reader: &mut impl std::io::BufRead) -> Option<HostMessage> {
    let mut line = Vec::new();
    let longest = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let mut bounded = reader.take(longest);
    bounded
        .read_until(b'\n', &mut line)
        .ok()
        .filter(|read| *read > 0)?;
    decode(&line).ok()
}

fn reader(device: &DeviceDescription) -> Finding {
    let name = &device.name;
    let (grade, ja, en) = match device.state {
        DeviceState::Empty => (Grade::Good, "使えます", "can be used"),
        DeviceState::CardPresent => (
            Grade::Good,
            "使えます(カードあり)",
            "can be used, a card is on it",
        ),
        DeviceState::CardMute => (
            Grade::Note,
            "使えますが、置かれたカードが応答しません",
            "can be used; the card on it does not answer",
        ),
        DeviceState::InUse => (
            Grade::Note,
            "ほかのプログラムが使っています",
            "is in use by another program",
        ),
        DeviceState::Ready => (Grade::Good, "使えます", "can be used"),
        DeviceState::NotReady => (Grade::Note, "準備ができていません", "is not ready"),
        DeviceState::Denied => (
            Grade::Bad,
            "使う権限がありません",
            "is denied to the agent's user",
        ),
        DeviceState::Unresponsive => (
            Grade::Bad,
            "応答しません。つなぎ直してください",
            "does not answer; plug it in again",
        ),
    };
    Finding::new(
        grade,
        format!("リーダー「{name}」: {ja}。"),
        format!("Reader \"{name}\" {en}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_refuses_is_not_called_one_that_does_not_run() {
        let text = |service| told(service, &[]).remove(0).en;
        assert!(text(ServiceState::Down).contains("does not run"));
        assert!(text(ServiceState::Denied).contains("refuses this user"));
        assert!(text(ServiceState::Up).contains("No card reader"));
    }
}
