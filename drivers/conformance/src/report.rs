//! What came out, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::requirement::{Requirement, Seen};

/// What was found about one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "camelCase")]
pub enum Verdict {
    /// The host keeps it.
    Passed,
    /// The host breaks it.
    Failed {
        /// What was seen.
        why: String,
    },
    /// It could not be tried on this host.
    NotApplicable {
        /// What is lacking.
        why: String,
    },
}

/// A requirement and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its number.
    pub requirement: &'static str,
    /// In short.
    pub title: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// All findings, in the order of the requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The command line that was examined.
    pub host: String,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Finding {
    pub(crate) const fn new(requirement: &Requirement, verdict: Verdict) -> Self {
        Self {
            requirement: requirement.id,
            title: requirement.title,
            verdict,
        }
    }
}

impl Report {
    /// The numbers of the requirements that the host breaks.
    #[must_use]
    pub fn failed(&self) -> Vec<&'static str> {
        self.of(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }

    /// The numbers of the requirements that the host keeps.
    #[must_use]
    pub fn passed(&self) -> Vec<&'static str> {
        self.of(|verdict| *verdict == Verdict::Passed)
    }

    fn of(&self, wanted: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        let findings = self.findings.iter();
        findings
            .filter(|finding| wanted(&finding.verdict))
            .map(|finding| finding.requirement)
            .collect()
    }

    /// A line for each requirement, and a last one with the counts.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("driver conformance of {}\n\n", self.host);
        for finding in &self.findings {
            let (word, why) = match &finding.verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Failed { why } => ("FAILED", Some(why)),
                Verdict::NotApplicable { why } => ("not applicable", Some(why)),
            };
            // Writing to a String cannot fail.
            let _written = writeln!(
                text,
                "{}  {word:<14}  {}",
                finding.requirement, finding.title
            );
            if let Some(why) = why {
                let _written = writeln!(text, "        {why}");
            }
        }
        let (passed, failed) = (self.passed().len(), self.failed().len());
        let rest = self.findings.len() - passed - failed;
        let _written = writeln!(
            text,
            "\n{passed} passed, {failed} failed, {rest} not applicable; {} more cannot be seen from outside",
            crate::REQUIREMENTS
                .iter()
                .filter(|requirement| requirement.seen == Seen::NotFromOutside)
                .count()
        );
        text
    }
}
