//! The rules of typing, on a desktop in memory and a clock that only waiting moves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use device_api::{Clock, Deadline, FaultCode, Moment, Patience};

use super::{Progress, fill};
use crate::{
    Interference, Key, KeystrokeError, Pattern, Plan, Repertoire, Session, Step, Stroke, Stroked,
    Timing, Title, Typist, TypistError, Window, WindowId,
};

/// A clock that only waiting moves.
#[derive(Debug, Default)]
struct Hand(Mutex<Duration>);

impl Clock for Hand {
    fn now(&self) -> Moment {
        Moment::after_origin(*self.0.lock().unwrap())
    }

    fn unix_millis(&self) -> u64 {
        0
    }
}

type Happening = Box<dyn FnMut(&mut State, usize) + Send>;

#[derive(Default)]
struct State {
    typed: String,
    strokes: usize,
    focus: Option<(u64, &'static str)>,
    interference: Option<Interference>,
    refused: Option<Stroked>,
    banner: bool,
    input_method: bool,
    banners: usize,
}

/// A desktop in memory; `happens` runs after each stroke and each wait.
struct Fake {
    clock: Arc<Hand>,
    state: State,
    happens: Happening,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

#[derive(Debug)]
struct FakeSession<'a>(&'a mut Fake);

impl Typist for Fake {
    fn types(&self, one: char) -> bool {
        one != '不'
    }

    fn begin(&mut self, _characters: &[char]) -> Result<Box<dyn Session + '_>, TypistError> {
        self.state.banner = true;
        self.state.banners += 1;
        Ok(Box::new(FakeSession(self)))
    }
}

impl Session for FakeSession<'_> {
    fn input_method(&mut self) -> Result<bool, TypistError> {
        Ok(self.0.state.input_method)
    }

    fn front(&mut self) -> Result<Option<Window>, TypistError> {
        let window = |(id, title): (u64, &str)| {
            Window::new(WindowId(id), title.to_owned(), "Legacy".to_owned())
        };
        Ok(self.0.state.focus.map(window))
    }

    fn stroke(&mut self, stroke: Stroke, into: WindowId) -> Result<Stroked, TypistError> {
        let state = &mut self.0.state;
        if let Some(refused) = state.refused.take() {
            return Ok(refused);
        }
        if state.focus.map(|(id, _)| WindowId(id)) != Some(into) {
            return Ok(Stroked::Elsewhere);
        }
        match stroke {
            Stroke::Character(one) => state.typed.push(one),
            Stroke::Key(key) => state.typed.push_str(&format!("<{key:?}>")),
        }
        state.strokes += 1;
        let strokes = state.strokes;
        (self.0.happens)(state, strokes);
        Ok(Stroked::Typed)
    }

    fn interference(&mut self) -> Result<Option<Interference>, TypistError> {
        Ok(self.0.state.interference)
    }

    fn wait(&mut self, span: Duration, _patience: &Patience) -> Result<(), TypistError> {
        *self.0.clock.0.lock().unwrap() += span.min(Duration::from_millis(100));
        let strokes = self.0.state.strokes;
        (self.0.happens)(&mut self.0.state, strokes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), TypistError> {
        Ok(())
    }
}

impl Drop for FakeSession<'_> {
    fn drop(&mut self) {
        self.0.state.banner = false;
    }
}

struct Outcome {
    result: Result<super::Typed, KeystrokeError>,
    typed: String,
    banners: usize,
    reported: Vec<usize>,
}

fn run_within(
    plan: &Plan,
    seconds: u64,
    happens: impl FnMut(&mut State, usize) + Send + 'static,
) -> Outcome {
    let clock = Arc::new(Hand::default());
    let state = State {
        focus: Some((1, "form")),
        ..State::default()
    };
    let mut fake = Fake {
        clock: Arc::clone(&clock),
        state,
        happens: Box::new(happens),
    };
    let patience = Patience::new(
        clock,
        Deadline::at(Moment::after_origin(Duration::from_secs(seconds))),
    );
    let mut reported = Vec::new();
    let result = fill(
        &mut fake,
        plan,
        &mut |progress| reported.push(progress.steps),
        &patience,
    );
    assert!(!fake.state.banner, "the banner is taken away in the end");
    Outcome {
        result,
        typed: fake.state.typed,
        banners: fake.state.banners,
        reported,
    }
}

fn run(plan: &Plan, happens: impl FnMut(&mut State, usize) + Send + 'static) -> Outcome {
    run_within(plan, 60, happens)
}

fn plan(steps: &[&str]) -> Plan {
    let step = |text: &&str| match *text {
        "<Tab>" => Step::Key(Key::Tab),
        "<Enter>" => Step::Key(Key::Enter),
        "<next>" => Step::Window {
            pattern: Pattern {
                title: Title::Exact("next".to_owned()),
                class: None,
            },
            within: Duration::from_secs(5),
        },
        text => Step::Text(text.to_owned().into()),
    };
    Plan {
        window: Pattern {
            title: Title::Exact("form".to_owned()),
            class: Some("Legacy".to_owned()),
        },
        steps: steps.iter().map(step).collect(),
        may_submit: false,
        despite_input_method: false,
        repertoire: Repertoire::Unicode,
        timing: Timing::default(),
    }
}

fn progress(steps: usize, strokes: usize) -> Progress {
    Progress { steps, strokes }
}

#[test]
fn a_form_is_filled_in_step_by_step() {
    let outcome = run(&plan(&["髙橋", "<Tab>", "𠮷"]), |_, _| {});
    let typed = outcome.result.unwrap();
    assert_eq!((typed.steps, typed.strokes), (3, 4));
    assert_eq!(outcome.typed, "髙橋<Tab>𠮷");
    assert_eq!(outcome.reported, [1, 2, 3]);
}

#[test]
fn what_cannot_be_typed_is_told_before_anything_is_shown() {
    let outcome = run(&plan(&["ok", "a不\n", "<Enter>"]), |_, _| {});
    let KeystrokeError::Untypable(found) = outcome.result.unwrap_err() else {
        panic!()
    };
    let places: Vec<_> = found.iter().map(|one| (one.step, one.position)).collect();
    assert_eq!(places, [(2, 2), (2, 3), (3, 1)]);
    assert_eq!((outcome.banners, outcome.typed.as_str()), (0, ""));
}

#[test]
fn another_window_gets_nothing() {
    let error = run(&plan(&["ab"]), |state, _| state.focus = Some((2, "mail")))
        .result
        .unwrap_err();
    assert_eq!(
        (error.fault(), error.done()),
        (FaultCode::KeystrokeFocus, progress(0, 0))
    );
    // In the middle of a text.
    let outcome = run(&plan(&["x", "abc"]), |state, strokes| {
        if strokes == 3 {
            state.focus = Some((2, "form"));
        }
    });
    assert_eq!(outcome.typed, "xab");
    assert_eq!(outcome.result.unwrap_err().done(), progress(1, 2));
    // The same window, which has become something else, at the next step.
    let outcome = run(&plan(&["ab", "cd"]), |state, strokes| {
        if strokes == 1 {
            state.focus = Some((1, "delete everything?"));
        }
    });
    assert_eq!(outcome.typed, "ab");
    assert_eq!(
        outcome.result.unwrap_err().fault(),
        FaultCode::KeystrokeFocus
    );
}

#[test]
fn a_person_ends_it_at_any_moment() {
    let interferences = [
        Interference::Escape,
        Interference::Key,
        Interference::Banner,
        Interference::Covered,
    ];
    for interference in interferences {
        for moment in 0..4 {
            let outcome = run(&plan(&["ab", "cd"]), move |state, strokes| {
                if strokes >= moment {
                    state.interference = Some(interference);
                }
            });
            let error = outcome.result.unwrap_err();
            assert_eq!(outcome.typed.len(), moment);
            assert_eq!(error.fault(), FaultCode::KeystrokeAborted);
            // The pause after the last stroke of a step ends it before the step counts as done.
            let expected = [
                progress(0, 0),
                progress(0, 1),
                progress(0, 2),
                progress(1, 1),
            ][moment];
            assert_eq!(error.done(), expected);
        }
    }
}

#[test]
fn a_held_modifier_ends_it() {
    let outcome = run(&plan(&["ab"]), |state, strokes| {
        if strokes == 1 {
            state.refused = Some(Stroked::ModifierHeld);
        }
    });
    assert_eq!(
        outcome.result.unwrap_err().fault(),
        FaultCode::KeystrokeAborted
    );
    assert_eq!(outcome.typed, "a");
}

#[test]
fn a_keyboard_that_must_settle_is_asked_again() {
    let mut once = Some(Stroked::NotYet);
    let outcome = run(&plan(&["ab"]), move |state, strokes| {
        if strokes == 1 {
            state.refused = once.take();
        }
    });
    assert_eq!(
        (outcome.result.unwrap().strokes, outcome.typed.as_str()),
        (2, "ab")
    );
}

#[test]
fn the_deadline_ends_it() {
    let error = run_within(&plan(&["ab"]), 1, |_, _| {}).result.unwrap_err();
    assert_eq!(
        (error.fault(), error.done()),
        (FaultCode::JobDeadline, progress(0, 0))
    );
}

#[test]
fn a_window_is_waited_for_and_then_typed_into() {
    let mut waits = 0;
    let outcome = run(&plan(&["a", "<next>", "b"]), move |state, strokes| {
        waits += usize::from(strokes == 1);
        if waits == 20 {
            state.focus = Some((7, "next"));
        }
    });
    assert_eq!(
        (outcome.result.unwrap().steps, outcome.typed.as_str()),
        (3, "ab")
    );
    let outcome = run(&plan(&["a", "<next>", "b"]), |_, _| {});
    assert_eq!(outcome.result.unwrap_err().done(), progress(1, 0));
    assert_eq!(outcome.typed, "a");
}
