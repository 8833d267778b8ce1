//! What is wrong with this machine, in plain words.
//!
//! Each check looks at one thing and says, in Japanese and English, how it stands and what to do.
//! The doctor changes nothing: it makes no folder, takes no lock, sends nothing to a card.

mod network;
mod readers;

use std::fmt;
use std::path::Path;

use device_api::{Clock as _, SystemClock};

use crate::config::Config;
use crate::host_settings::{self, HostSettingsError};
use crate::platform;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing; the agent runs.
    Note,
    /// Keeps the agent, or a reading, from working.
    Bad,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub grade: Grade,
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
}

impl Finding {
    fn new(grade: Grade, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            grade,
            ja: ja.into(),
            en: en.into(),
        }
    }
}

/// Everything that was found.
#[derive(Debug)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Whether nothing keeps the agent from working.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.0.iter().all(|finding| finding.grade != Grade::Bad)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            let mark = match finding.grade {
                Grade::Good => "ok  ",
                Grade::Note => "note",
                Grade::Bad => "BAD ",
            };
            writeln!(f, "{mark} {}\n     {}", finding.ja, finding.en)?;
        }
        let (ja, en) = if self.healthy() {
            ("異常は見つかりませんでした。", "Nothing is wrong.")
        } else {
            (
                "BAD の項目を直してください。",
                "Put right what is marked BAD.",
            )
        };
        writeln!(f, "\n{ja}\n{en}")
    }
}

/// Looks at everything that the agent needs.
#[must_use]
pub fn examine(config: &Config) -> Findings {
    let mut findings = vec![configuration(config)];
    findings.extend(host_settings::faults(config).iter().map(settings));
    findings.extend(origins(config));
    findings.push(state_dir(&config.state_dir));
    findings.push(network::port("API", config.listen, &config.state_dir));
    findings.push(network::port("PIN", config.pin_listen, &config.state_dir));
    findings.push(readers::service());
    findings.extend(readers::through_a_host(config));
    findings.push(clock(SystemClock::new().unix_millis()));
    Findings(findings)
}

fn configuration(config: &Config) -> Finding {
    if config.issuers.is_empty() {
        return Finding::new(
            Grade::Bad,
            "設定に [[issuer]] がないため、どの職員の認証情報も受け付けません。窓口アプリの公開鍵を登録してください。",
            "The configuration names no [[issuer]], so no counter token is accepted. Enter the application's public key.",
        );
    }
    Finding::new(
        Grade::Good,
        format!(
            "設定を読めました。端末エージェントの名前は {} です。",
            config.agent_id
        ),
        format!(
            "The configuration is good. The agent's id is {}.",
            config.agent_id
        ),
    )
}

fn settings(fault: &HostSettingsError) -> Finding {
    Finding::new(
        Grade::Bad,
        format!("設定した機器が使えません({fault})。設定を直してください。"),
        format!("A device cannot be used as it is configured: {fault}. Correct the configuration."),
    )
}

fn origins(config: &Config) -> Vec<Finding> {
    if config.grants.is_empty() {
        return vec![Finding::new(
            Grade::Bad,
            "設定に [[grant]] がないため、どのページも使えません。窓口アプリのアドレスを登録してください。",
            "The configuration has no [[grant]], so no page may use the agent. Enrol the application's origin.",
        )];
    }
    let one = |origin: &crate::origin::Origin| {
        if origin.is_native() || is_local(origin.as_str()) {
            return Finding::new(
                Grade::Good,
                format!("{origin} が登録されています。"),
                format!("{origin} is enrolled."),
            );
        }
        Finding::new(
            Grade::Note,
            format!(
                "{origin} が登録されています。ブラウザーの許可(ローカルネットワークアクセス)は agentd browser-policy --origin {origin} の設定を配ると不要になります。"
            ),
            format!(
                "{origin} is enrolled. Its browser asks before it reaches this machine; deploy what agentd browser-policy --origin {origin} prints and it does not."
            ),
        )
    };
    config.grants.keys().map(one).collect()
}

fn is_local(origin: &str) -> bool {
    origin.starts_with("http://")
}

fn state_dir(path: &Path) -> Finding {
    let shown = path.display();
    if !path.exists() {
        return Finding::new(
            Grade::Note,
            format!("データフォルダー {shown} はまだありません。最初の起動で作られます。"),
            format!("The state folder {shown} is not there yet; the first start makes it."),
        );
    }
    match platform::faults_of_state_dir(path) {
        Some(fault) => Finding::new(
            Grade::Bad,
            format!(
                "データフォルダー {shown} の権限が正しくありません({fault})。所有者と権限を直してください。"
            ),
            format!("The state folder {shown} is not safe: {fault}. Correct its owner and mode."),
        ),
        None => Finding::new(
            Grade::Good,
            format!("データフォルダー {shown} は使えます。"),
            format!("The state folder {shown} can be used."),
        ),
    }
}

/// 2026-01-01: no agent is older, so an earlier clock has lost its battery.
const SOFTWARE_IS_NEWER_THAN: u64 = 1_767_225_600_000;
/// 2050-01-01.
const NOBODY_RUNS_THIS_AFTER: u64 = 2_524_608_000_000;

fn clock(unix_millis: u64) -> Finding {
    let date = crate::translate::today_in_japan(unix_millis);
    if (SOFTWARE_IS_NEWER_THAN..NOBODY_RUNS_THIS_AFTER).contains(&unix_millis) {
        return Finding::new(
            Grade::Good,
            format!("時計は {date} です。"),
            format!("The clock says {date}."),
        );
    }
    Finding::new(
        Grade::Bad,
        format!(
            "時計が {date} を指しています。このままでは認証情報も有効期限も判定できません。時刻を合わせてください。"
        ),
        format!("The clock says {date}. Tokens and expiry dates cannot be judged; set the time."),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Finding, Findings, Grade, clock, configuration, origins};
    use crate::config::Config;

    #[test]
    fn an_empty_configuration_is_told_to_serve_nobody() {
        let config = Config::parse("", Path::new("")).unwrap();
        assert_eq!(configuration(&config).grade, Grade::Bad);
        assert_eq!(origins(&config).len(), 1);
    }

    #[test]
    fn a_clock_without_battery_is_found() {
        assert_eq!(clock(0).grade, Grade::Bad);
        assert_eq!(clock(1_795_219_200_000).grade, Grade::Good);
    }

    #[test]
    fn one_bad_finding_makes_the_machine_unhealthy() {
        let note = Finding::new(Grade::Note, "あ", "a");
        let bad = Finding::new(Grade::Bad, "い", "b");
        assert!(Findings(vec![note.clone()]).healthy());
        let found = Findings(vec![note, bad]);
        assert!(!found.healthy() && found.to_string().contains("BAD  い\n     b"));
    }
}
