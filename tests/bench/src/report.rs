//! What was measured, as Markdown for `docs/measurements.md`, and which goals it meets.

use std::fmt;

/// Everything that one run measured.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which it was measured.
    pub sections: Vec<Section>,
}

/// One table.
#[derive(Debug)]
pub struct Section {
    /// What was measured.
    pub title: &'static str,
    /// How, and what a reader must know; sentence by sentence.
    pub notes: Vec<String>,
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// What was promised of it.
    pub goals: Vec<Goal>,
}

/// A figure that was promised to stay on one side of another.
#[derive(Debug)]
pub struct Goal {
    /// Of what.
    pub what: &'static str,
    /// What was measured.
    pub found: f64,
    /// What was promised.
    pub bound: Bound,
    /// In which unit both are; empty for a ratio.
    pub unit: &'static str,
}

/// What a figure was promised not to pass.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// It is to be as small as this, or smaller.
    AtMost(f64),
    /// It is to be as great as this, or greater.
    AtLeast(f64),
}

impl Report {
    /// Every goal that was missed.
    pub fn missed(&self) -> impl Iterator<Item = &Goal> {
        let goals = self.sections.iter().flat_map(|section| &section.goals);
        goals.filter(|goal| !goal.is_met())
    }
}

impl Section {
    /// A table without rows.
    pub(crate) fn new(title: &'static str, columns: &[&'static str]) -> Self {
        Self {
            title,
            notes: Vec::new(),
            columns: columns.to_vec(),
            rows: Vec::new(),
            goals: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn goal(
        &mut self,
        what: &'static str,
        (found, at_most): (f64, f64),
        unit: &'static str,
    ) {
        self.goals.push(Goal {
            what,
            found,
            bound: Bound::AtMost(at_most),
            unit,
        });
    }

    pub(crate) fn goal_at_least(
        &mut self,
        what: &'static str,
        (found, at_least): (f64, f64),
        unit: &'static str,
    ) {
        self.goals.push(Goal {
            what,
            found,
            bound: Bound::AtLeast(at_least),
            unit,
        });
    }
}

impl Goal {
    /// Whether the promise is kept. A figure that is none keeps nothing.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.found <= most,
            Bound::AtLeast(least) => self.found >= least,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sections = self.sections.iter();
        if let Some(first) = sections.next() {
            write!(f, "{first}")?;
        }
        sections.try_for_each(|section| write!(f, "\n{section}"))
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(self.columns.len()))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        if !self.goals.is_empty() {
            writeln!(f)?;
        }
        self.goals
            .iter()
            .try_for_each(|goal| writeln!(f, "- {goal}"))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_met() { "met" } else { "missed" };
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", self.unit)
        };
        let (side, bound) = match self.bound {
            Bound::AtMost(most) => ("at most", most),
            Bound::AtLeast(least) => ("at least", least),
        };
        write!(
            f,
            "{}: {:.2}{unit}, goal {side} {bound:.2}{unit}: {verdict}",
            self.what, self.found
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_exceeded_or_no_number_is_missed() {
        let mut section = Section::new("Speed", &["what", "ms"]);
        section.row(["one", "2.00"]);
        section.goal("one", (1.1, 1.1), "");
        section.goal("two", (1.2, 1.1), "");
        section.goal("three", (f64::NAN, 1.1), "");
        section.goal_at_least("four", (0.9, 0.9), "");
        section.goal_at_least("five", (0.8, 0.9), "");
        section.goal_at_least("six", (f64::NAN, 0.9), "");
        let report = Report {
            sections: vec![section],
        };
        let missed: Vec<&str> = report.missed().map(|goal| goal.what).collect();
        assert_eq!(missed, ["two", "three", "five", "six"]);
        let text = report.to_string();
        assert!(
            text.contains("| what | ms |\n|---|---|\n| one | 2.00 |"),
            "{text}"
        );
    }
}
