//! The rules by which a form is filled in, over any typist.
//!
//! ```text
//! check plan -> begin (banner) -> announcement -> for each step: stopped? interfered? window? strokes -> settle -> finish
//! ```
//!
//! Invariant: between any two strokes everything that ends the typing is looked at, and a stroke goes only to
//! the window that was recognised.

use std::{collections::BTreeSet, time::Duration};

use device_api::{Deadline, Patience};

use crate::{
    error::{Abort, KeystrokeError},
    plan::{Pattern, Plan, Step},
    typist::{Interference, Session, Stroke, Stroked, Typist, TypistError, WindowId},
};

/// How far the typing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Steps that were done whole.
    pub steps: usize,
    /// Strokes of the next step that were typed.
    pub strokes: usize,
}

/// A form that was filled in to the end of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// How many steps.
    pub steps: usize,
    /// How many strokes in all.
    pub strokes: usize,
}

/// Fills in a form. Blocks until it is done or ends; `on_step` is called after each step.
///
/// # Errors
/// See [`KeystrokeError`]; it tells what was typed before.
pub fn fill(
    typist: &mut dyn Typist,
    plan: &Plan,
    on_step: &mut dyn FnMut(Progress),
    patience: &Patience,
) -> Result<Typed, KeystrokeError> {
    let untypable = plan.untypable(|one| typist.types(one));
    if !untypable.is_empty() {
        return Err(KeystrokeError::Untypable(untypable));
    }
    let nothing = Progress::default();
    let lost = |done| move |source| KeystrokeError::Unavailable { source, done };
    stopped(patience, nothing)?;
    let session = typist.begin(&characters(plan)).map_err(lost(nothing))?;
    let mut typing = Typing {
        session,
        plan,
        patience,
        done: nothing,
        strokes: 0,
    };
    let outcome = typing.run(on_step);
    let (done, strokes) = (typing.done, typing.strokes);
    // The program may still be taking up the last keys, also where the typing was ended.
    let settled = if strokes > 0 { typing.settle() } else { Ok(()) };
    let finished = settled.and_then(|()| typing.session.finish());
    outcome?;
    finished.map_err(lost(done))?;
    Ok(Typed {
        steps: done.steps,
        strokes,
    })
}

fn characters(plan: &Plan) -> Vec<char> {
    let texts = plan.steps.iter().filter_map(|step| match step {
        Step::Text(text) => Some(text.chars()),
        Step::Key(_) | Step::Window { .. } => None,
    });
    let mut seen = BTreeSet::new();
    texts.flatten().filter(|one| seen.insert(*one)).collect()
}

fn stopped(patience: &Patience, done: Progress) -> Result<(), KeystrokeError> {
    patience.check().map_err(|stop| KeystrokeError::Aborted {
        by: Abort::Stopped(stop),
        done,
    })
}

struct Typing<'a> {
    session: Box<dyn Session + 'a>,
    plan: &'a Plan,
    patience: &'a Patience,
    done: Progress,
    strokes: usize,
}

impl Typing<'_> {
    fn run(&mut self, on_step: &mut dyn FnMut(Progress)) -> Result<(), KeystrokeError> {
        let converted = self
            .session
            .input_method()
            .map_err(|source| self.lost(source))?;
        if converted && !self.plan.despite_input_method {
            return Err(self.lost(TypistError::InputMethod));
        }
        self.pause(self.plan.timing.announcement)?;
        let mut expected = self.plan.window.clone();
        let mut window = self
            .recognised(&expected)?
            .ok_or_else(|| self.elsewhere())?;
        for step in &self.plan.steps {
            match step {
                Step::Window { pattern, within } => {
                    window = self.await_window(pattern, *within)?;
                    expected = pattern.clone();
                }
                Step::Text(text) => {
                    self.still(&expected, window)?;
                    for one in text.chars() {
                        self.stroke(Stroke::Character(one), window)?;
                    }
                }
                Step::Key(key) => {
                    self.still(&expected, window)?;
                    self.stroke(Stroke::Key(*key), window)?;
                }
            }
            self.done = Progress {
                steps: self.done.steps + 1,
                strokes: 0,
            };
            on_step(self.done);
        }
        Ok(())
    }

    fn stroke(&mut self, stroke: Stroke, window: WindowId) -> Result<(), KeystrokeError> {
        loop {
            self.go_on()?;
            match self
                .session
                .stroke(stroke, window)
                .map_err(|source| self.lost(source))?
            {
                Stroked::Typed => break,
                Stroked::Elsewhere => return Err(self.elsewhere()),
                Stroked::ModifierHeld => return Err(self.aborted(Interference::Modifier)),
                Stroked::NotYet => self.pause(self.plan.timing.settling)?,
            }
        }
        self.done.strokes += 1;
        self.strokes += 1;
        self.pause(self.plan.timing.between_keys)
    }

    /// The same window as before, which still is what the plan expects.
    fn still(&mut self, expected: &Pattern, window: WindowId) -> Result<(), KeystrokeError> {
        self.go_on()?;
        if self.recognised(expected)? == Some(window) {
            Ok(())
        } else {
            Err(self.elsewhere())
        }
    }

    fn recognised(&mut self, pattern: &Pattern) -> Result<Option<WindowId>, KeystrokeError> {
        let front = self.session.front().map_err(|source| self.lost(source))?;
        Ok(front
            .filter(|window| pattern.matches(window))
            .map(|window| window.id()))
    }

    fn await_window(
        &mut self,
        pattern: &Pattern,
        within: Duration,
    ) -> Result<WindowId, KeystrokeError> {
        let until = self.after(within);
        loop {
            self.go_on()?;
            if let Some(window) = self.recognised(pattern)? {
                return Ok(window);
            }
            let left = self.left(until).ok_or_else(|| self.elsewhere())?;
            self.session
                .wait(left, self.patience)
                .map_err(|source| self.lost(source))?;
        }
    }

    /// Lets time pass, unless something ends the typing.
    fn pause(&mut self, span: Duration) -> Result<(), KeystrokeError> {
        let until = self.after(span);
        loop {
            self.go_on()?;
            let Some(left) = self.left(until) else {
                return Ok(());
            };
            self.session
                .wait(left, self.patience)
                .map_err(|source| self.lost(source))?;
        }
    }

    /// Lets time pass whatever happens: this is not typing any more.
    fn settle(&mut self) -> Result<(), TypistError> {
        let clock = self.patience.clock();
        let until = self.after(self.plan.timing.settling);
        let calm = Patience::new(std::sync::Arc::clone(clock), until);
        while let Some(left) = self.left(until) {
            self.session.wait(left, &calm)?;
        }
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), KeystrokeError> {
        stopped(self.patience, self.done)?;
        match self
            .session
            .interference()
            .map_err(|source| self.lost(source))?
        {
            Some(interference) => Err(self.aborted(interference)),
            None => Ok(()),
        }
    }

    fn after(&self, span: Duration) -> Deadline {
        Deadline::at(self.patience.clock().now().plus(span))
    }

    fn left(&self, until: Deadline) -> Option<Duration> {
        until.remaining(self.patience.clock().now())
    }

    const fn elsewhere(&self) -> KeystrokeError {
        KeystrokeError::Focus { done: self.done }
    }

    const fn aborted(&self, by: Interference) -> KeystrokeError {
        KeystrokeError::Aborted {
            by: Abort::Person(by),
            done: self.done,
        }
    }

    const fn lost(&self, source: TypistError) -> KeystrokeError {
        KeystrokeError::Unavailable {
            source,
            done: self.done,
        }
    }
}

#[cfg(test)]
mod tests;
