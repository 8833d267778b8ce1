//! A real X server, real programs that are typed into, and another client that steals the focus or presses Escape.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod desktop;

use std::time::Duration;

use device_api::{FaultCode, Patience};
use keystroke::{
    Abort, Interference, Key, KeystrokeError, Pattern, Plan, Progress, Repertoire, Step, Timing,
    Title, Typed, fill, platform::X11Typist,
};

use self::desktop::{Desktop, patience};

const NAME: &str = "髙橋　𠮷子 Aa~\\｢ｶﾞ｣ 邉\u{E0100}";

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        window: Pattern {
            title: Title::Exact("Reception 1".to_owned()),
            class: Some("LegacyForm".to_owned()),
        },
        steps,
        may_submit: true,
        despite_input_method: false,
        repertoire: Repertoire::Unicode,
        timing: Timing {
            announcement: Duration::from_millis(300),
            ..Timing::default()
        },
    }
}

fn text(text: &str) -> Step {
    Step::Text(text.to_owned().into())
}

fn run(
    desktop: &Desktop,
    plan: &Plan,
    patience: &Patience,
    on_step: &mut dyn FnMut(Progress),
) -> Result<Typed, KeystrokeError> {
    let mut typist = X11Typist::new(&desktop.name, desktop::font()).unwrap();
    fill(&mut typist, plan, on_step, patience)
}

#[test]
fn text_arrives_in_a_terminal_character_by_character() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    let before = desktop.keyboard();
    let typed = run(
        &desktop,
        &plan(vec![text(NAME), Step::Key(Key::Enter)]),
        &patience(30),
        &mut |_| {},
    );
    assert_eq!(typed.unwrap().strokes, NAME.chars().count() + 1);
    assert_eq!(form.line(), NAME);
    assert_eq!(desktop.keyboard(), before, "the keyboard is given back");
}

#[test]
fn more_characters_than_the_keyboard_has_keys_arrive_too() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    let many: String = ('一'..='乿')
        .chain("壱弐参".chars())
        .chain('一'..='丁')
        .collect();
    let typed = run(
        &desktop,
        &plan(vec![text(&many), Step::Key(Key::Enter)]),
        &patience(60),
        &mut |_| {},
    );
    assert_eq!(typed.unwrap().strokes, 128 + 3 + 2 + 1);
    assert_eq!(form.line(), many);
}

#[test]
fn the_banner_stands_above_everything_while_keys_are_typed() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    form.move_to_top();
    let empty = desktop.picture();
    let mut during = None;
    let steps = vec![text("abc"), text("def"), Step::Key(Key::Enter)];
    run(&desktop, &plan(steps), &patience(30), &mut |progress| {
        if progress.steps == 1 {
            form.raise();
        } else if progress.steps == 2 {
            during = Some(desktop.picture());
        }
    })
    .unwrap();
    let during = during.unwrap();
    desktop::save(&during, "banner.png");
    let red = |picture: &desktop::Picture| picture.count(56, [0xA0, 0x00, 0x20]);
    assert_eq!(red(&empty), 0);
    assert!(red(&during) > 1024 * 56 / 2);
    assert!(
        during.count(56, [0xFF, 0xFF, 0xFF]) > 1000,
        "something is written on it"
    );
    assert_eq!(red(&desktop.picture()), 0, "and it is gone afterwards");
}

#[test]
fn a_stolen_focus_ends_the_typing_at_once() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    let thief = desktop.terminal("Inbox", "Mail");
    form.focus();
    let steps = vec![text("safe"), text("secret"), Step::Key(Key::Enter)];
    let error = run(&desktop, &plan(steps), &patience(30), &mut |_| {
        thief.focus()
    })
    .unwrap_err();
    assert_eq!(
        (error.fault(), error.done()),
        (
            FaultCode::KeystrokeFocus,
            Progress {
                steps: 1,
                strokes: 0
            }
        )
    );
    desktop.press("Return");
    assert_eq!(thief.line(), "");
    form.focus();
    desktop.press("Return");
    assert_eq!(form.line(), "safe");
}

#[test]
fn the_wrong_window_gets_nothing() {
    let desktop = Desktop::start();
    let other = desktop.terminal("Reception 1", "Other");
    other.focus();
    let error = run(&desktop, &plan(vec![text("x")]), &patience(30), &mut |_| {}).unwrap_err();
    assert_eq!(error.fault(), FaultCode::KeystrokeFocus);
    desktop.press("Return");
    assert_eq!(other.line(), "");
    desktop.focus_nothing();
    let error = run(&desktop, &plan(vec![text("x")]), &patience(30), &mut |_| {}).unwrap_err();
    assert_eq!(error.fault(), FaultCode::KeystrokeFocus);
}

#[test]
fn escape_and_any_other_key_of_a_person_end_the_typing() {
    for (key, expected) in [("Escape", Interference::Escape), ("a", Interference::Key)] {
        let desktop = Desktop::start();
        let form = desktop.terminal("Reception 1", "LegacyForm");
        form.focus();
        let before = desktop.keyboard();
        let steps = vec![text("one"), text("two"), Step::Key(Key::Enter)];
        let error = run(&desktop, &plan(steps), &patience(30), &mut |_| {
            desktop.press(key)
        })
        .unwrap_err();
        let KeystrokeError::Aborted { by, done } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (*by, *done),
            (
                Abort::Person(expected),
                Progress {
                    steps: 1,
                    strokes: 0
                }
            )
        );
        assert_eq!(error.fault(), FaultCode::KeystrokeAborted);
        assert_eq!(desktop.keyboard(), before);
    }
}

#[test]
fn a_cancelled_job_ends_the_announcement_at_once() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    let mut plan = plan(vec![text("x")]);
    plan.timing.announcement = Duration::from_secs(3600);
    let patience = patience(7200);
    let error = std::thread::scope(|threads| {
        threads.spawn(|| {
            desktop.until_banner();
            patience.stop();
        });
        run(&desktop, &plan, &patience, &mut |_| {}).unwrap_err()
    });
    assert_eq!(error.fault(), FaultCode::JobCancelled);
}

#[test]
fn what_a_killed_process_left_on_the_keyboard_is_given_back() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    let before = desktop.keyboard();
    desktop.leave_keys_behind('𠮷');
    assert_ne!(desktop.keyboard(), before);
    run(&desktop, &plan(vec![text("x")]), &patience(30), &mut |_| {}).unwrap();
    assert_eq!(desktop.keyboard(), before);
}

#[test]
fn without_a_desktop_nothing_is_possible() {
    let mut typist = X11Typist::new("unix:/nowhere:99", desktop::font()).unwrap();
    let error = fill(
        &mut typist,
        &plan(vec![text("x")]),
        &mut |_| {},
        &patience(30),
    )
    .unwrap_err();
    assert_eq!(error.fault(), FaultCode::KeystrokeUnavailable);
    assert!(X11Typist::new(":0", b"no font".to_vec()).is_err());
}

#[test]
fn text_arrives_in_the_fields_of_a_browser() {
    let desktop = Desktop::start();
    let form = desktop.browser("受付入力");
    form.focus();
    let mut plan = plan(vec![
        text(NAME),
        Step::Key(Key::Tab),
        text("和歌山県御坊市薗350番地"),
        Step::Key(Key::Tab),
    ]);
    plan.window = Pattern {
        title: Title::Prefix("受付入力".to_owned()),
        class: None,
    };
    plan.may_submit = false;
    run(&desktop, &plan, &patience(60), &mut |_| {}).unwrap();
    assert_eq!(form.values(), [NAME, "和歌山県御坊市薗350番地"]);
}

#[test]
fn escape_and_a_stolen_focus_end_a_text_in_its_middle() {
    let text_of_many = "あいうえお".repeat(80);
    for escape in [true, false] {
        let desktop = Desktop::start();
        let form = desktop.terminal("Reception 1", "LegacyForm");
        let thief = desktop.terminal("Inbox", "Mail");
        form.focus();
        let plan = plan(vec![text(&text_of_many)]);
        let error = std::thread::scope(|threads| {
            threads.spawn(|| {
                desktop.until_banner();
                desktop::pass(Duration::from_millis(1500));
                if escape {
                    desktop.press("Escape")
                } else {
                    thief.focus()
                }
            });
            run(&desktop, &plan, &patience(30), &mut |_| {}).unwrap_err()
        });
        let expected = if escape {
            FaultCode::KeystrokeAborted
        } else {
            FaultCode::KeystrokeFocus
        };
        assert_eq!(error.fault(), expected);
        let done = error.done();
        assert!(
            done.steps == 0 && (1..400).contains(&done.strokes),
            "{done:?}"
        );
        form.focus();
        desktop.press("Return");
        let expected: String = text_of_many.chars().take(done.strokes).collect();
        assert_eq!(
            form.line(),
            expected,
            "what the error says was typed is what arrived"
        );
        thief.focus();
        desktop.press("Return");
        assert_eq!(thief.line(), "");
    }
}

#[test]
fn a_click_on_the_banner_ends_the_typing() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    let steps = vec![text("one"), text("two")];
    let error = run(&desktop, &plan(steps), &patience(30), &mut |_| {
        desktop.click(500, 20)
    })
    .unwrap_err();
    let KeystrokeError::Aborted { by, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*by, Abort::Person(Interference::Banner));
}

#[test]
fn caps_lock_and_an_input_method_are_noticed_before_the_first_key() {
    let desktop = Desktop::start();
    let form = desktop.terminal("Reception 1", "LegacyForm");
    form.focus();
    desktop.press("Caps_Lock");
    let error = run(&desktop, &plan(vec![text("x")]), &patience(30), &mut |_| {}).unwrap_err();
    let KeystrokeError::Aborted { by, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*by, Abort::Person(Interference::Modifier));
    desktop.press("Caps_Lock");

    desktop.pretend_input_method();
    let mut plan = plan(vec![text("x"), Step::Key(Key::Enter)]);
    let error = run(&desktop, &plan, &patience(30), &mut |_| {}).unwrap_err();
    assert_eq!(
        (error.fault(), error.done()),
        (FaultCode::KeystrokeUnavailable, Progress::default())
    );
    plan.despite_input_method = true;
    run(&desktop, &plan, &patience(30), &mut |_| {}).unwrap();
    assert_eq!(form.line(), "x");
}
