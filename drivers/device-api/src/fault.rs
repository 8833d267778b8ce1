//! Every way a job or a request can fail, as a closed set.
//!
//! A fault names the layer that failed, whether trying again can help, and, for the clerk, one sentence
//! of what happened and one of what to do, in Japanese and in English.
//! Codes are stable: a code that was released keeps its meaning for ever.
//! `docs/errors.md` lists them all; a test of this crate holds the two together.

mod table;

pub use table::FaultCode;

/// The layer at which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The request was refused before anything happened.
    Door,
    /// The agent and its driver processes.
    Agent,
    /// The operating system's device service, such as PC/SC.
    Service,
    /// The device itself.
    Device,
    /// The card in the device.
    Card,
    /// The PIN or another secret that a person entered.
    Pin,
    /// What was handed in, or what came out of the device.
    Content,
    /// What a person did, or did not do in time.
    Person,
}

impl Layer {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Device => "device",
            Self::Card => "card",
            Self::Pin => "pin",
            Self::Content => "content",
            Self::Person => "person",
        }
    }
}

/// Whether doing the same again can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// A person or program may simply start again.
    Now,
    /// It can succeed once something outside has changed by itself.
    Later,
    /// It fails again until a person changes something.
    Never,
}

impl Retry {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Later => "later",
            Self::Never => "never",
        }
    }
}

impl FaultCode {
    /// The code with this stable name, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
    }
}

/// What a fault tells people: in each field one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultText {
    /// What happened, in Japanese, for the clerk.
    pub ja: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do next, in Japanese.
    pub next_ja: &'static str,
    /// What to do next, in English.
    pub next_en: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_documented_table_with_its_sentences() {
        let page = include_str!("../../../docs/errors.md");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let expected: Vec<String> = FaultCode::ALL
            .iter()
            .map(|code| {
                let text = code.text();
                format!(
                    "| `{}` | {} | {} | {} | {} | {} | {} |",
                    code.as_str(),
                    code.layer().as_str(),
                    code.retry().as_str(),
                    text.en,
                    text.next_en,
                    text.ja,
                    text.next_ja
                )
            })
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_code_is_found_by_its_stable_name() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::from_code(code.as_str()), Some(*code));
        }
        assert_eq!(FaultCode::from_code("NO-SUCH"), None);
    }
}
