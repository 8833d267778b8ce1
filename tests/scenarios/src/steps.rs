//! Steps of a scenario: each is named, timed, and either holds or tells why not.

use std::fmt::Write as _;
use std::time::Duration;

use harness::Patience;

/// How a step went.
#[derive(Debug)]
pub struct StepOutcome {
    name: String,
    took: Duration,
    failure: Option<String>,
}

/// The steps of one run, in the order in which they went.
#[derive(Debug, Default)]
pub struct Steps {
    done: Vec<StepOutcome>,
}

impl Steps {
    /// Runs a step and prints its line. A step that fails does not stop the ones after it.
    #[expect(clippy::print_stdout, reason = "the scenario is read on a terminal")]
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<String>) {
        let clock = Patience::seconds(0);
        let result = step();
        let took = clock.spent();
        let (mark, text, failure) = match result {
            Ok(text) => ("✓", text, None),
            Err(error) => ("✗", format!("{error:#}"), Some(format!("{error:#}"))),
        };
        println!(
            "{mark} {:>8.1} ms  {name}: {text}",
            took.as_secs_f64() * 1e3
        );
        self.done.push(StepOutcome {
            name: name.to_owned(),
            took,
            failure,
        });
    }

    /// Whether every step held.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.done.iter().all(|step| step.failure.is_none())
    }

    /// One line of summary.
    #[must_use]
    pub fn summary(&self) -> String {
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|step| step.failure.is_some())
            .collect();
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        let mut text = format!("{} steps, {:.1} s", self.done.len(), total.as_secs_f64());
        if failed.is_empty() {
            text.push_str(", all as expected");
        }
        for step in failed {
            let _infallible = write!(text, "\nnot as expected: {}", step.name);
        }
        text
    }
}
