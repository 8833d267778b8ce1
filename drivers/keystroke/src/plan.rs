//! What is to be typed, into which window, and in which rhythm.
//!
//! Values are of a citizen: `Debug` shows lengths only, and they are erased when dropped.

use std::{fmt, time::Duration};

use encoding_rs::SHIFT_JIS;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{error::Untypable, typist::Window};

/// A whole piece of typing.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The window that must have the focus at the start.
    pub window: Pattern,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Whether keys may be typed that submit forms: Enter and the function keys.
    pub may_submit: bool,
    /// Whether to type although an input method runs: for forms that keep it off themselves.
    pub despite_input_method: bool,
    /// What the receiving program understands.
    pub repertoire: Repertoire,
    /// The rhythm.
    pub timing: Timing,
}

/// One step.
#[derive(Clone)]
pub enum Step {
    /// Types a text.
    Text(Zeroizing<String>),
    /// Types a key.
    Key(Key),
    /// Waits for a window to have the focus; what follows is typed into that one.
    Window {
        /// Which.
        pattern: Pattern,
        /// How long at most.
        within: Duration,
    },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} characters)", text.chars().count()),
            Self::Key(key) => write!(f, "Key({key:?})"),
            Self::Window { pattern, .. } => write!(f, "Window({pattern:?})"),
        }
    }
}

/// How a window is recognised. The title comes from the template, and so is not of a citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Its title.
    pub title: Title,
    /// Its class, which names the program, where it is given.
    pub class: Option<String>,
}

/// What a title must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Title {
    /// Exactly this.
    Exact(String),
    /// This, and whatever follows.
    Prefix(String),
}

impl Pattern {
    /// Whether this is such a window.
    #[must_use]
    pub fn matches(&self, window: &Window) -> bool {
        let title = match &self.title {
            Title::Exact(title) => window.title() == title,
            Title::Prefix(start) => window.title().starts_with(start.as_str()),
        };
        title
            && self
                .class
                .as_deref()
                .is_none_or(|class| window.class() == class)
    }
}

/// A key that is no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those on the keys")]
pub enum Key {
    Tab,
    Enter,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    F1,
    F2,
    F3,
    F4,
    F5,
    F6,
    F7,
    F8,
    F9,
    F10,
    F11,
    F12,
}

impl Key {
    /// Whether programs take this key for "done": beside Enter the function keys, of which legacy forms use
    /// several for registering and deleting.
    #[must_use]
    pub const fn submits(self) -> bool {
        !matches!(
            self,
            Self::Tab | Self::Up | Self::Down | Self::Left | Self::Right | Self::Home | Self::End
        )
    }
}

/// What the receiving program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repertoire {
    /// All of Unicode.
    #[default]
    Unicode,
    /// Windows code page 932: other characters would arrive as question marks.
    Cp932,
}

/// The rhythm of typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long the banner stands before the first key.
    pub announcement: Duration,
    /// Between two keys.
    pub between_keys: Duration,
    /// After the last key, and where keys are given new characters: time for the program to take up what it got.
    pub settling: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            announcement: Duration::from_millis(2000),
            between_keys: Duration::from_millis(15),
            settling: Duration::from_millis(400),
        }
    }
}

impl Plan {
    /// Everything that this plan must not or cannot type.
    #[must_use]
    pub fn untypable(&self, types: impl Fn(char) -> bool) -> Vec<Untypable> {
        let mut found = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let step_number = index + 1;
            match step {
                Step::Text(text) => {
                    let bad = text
                        .chars()
                        .enumerate()
                        .filter(|(_, one)| !self.allows(*one) || !types(*one));
                    found.extend(bad.map(|(at, one)| Untypable {
                        step: step_number,
                        position: at + 1,
                        character: Some(one),
                    }));
                }
                Step::Key(key) if key.submits() && !self.may_submit => {
                    found.push(Untypable {
                        step: step_number,
                        position: 1,
                        character: None,
                    });
                }
                Step::Key(_) | Step::Window { .. } => {}
            }
        }
        found
    }

    /// Control characters, what reorders or breaks lines, what means nothing or something else in each
    /// system (private use) is not typed.
    fn allows(&self, one: char) -> bool {
        let never = one.is_control()
            || matches!(one, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
            || matches!(one, '\u{FEFF}' | '\u{FFF9}'..='\u{FFFF}' | '\u{FDD0}'..='\u{FDEF}')
            || matches!(one, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
            || u32::from(one) & 0xFFFE == 0xFFFE;
        !never && (self.repertoire == Repertoire::Unicode || in_cp932(one))
    }
}

/// Whether code page 932 has this character, and not merely a neighbour of it.
fn in_cp932(one: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = one.encode_utf8(&mut buffer);
    let (bytes, _, failed) = SHIFT_JIS.encode(text);
    !failed && SHIFT_JIS.decode_without_bom_handling(&bytes).0 == text
}

#[cfg(test)]
mod tests {
    use super::{Key, Pattern, Plan, Repertoire, Step, Timing, Title};
    use crate::typist::{Window, WindowId};

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            window: Pattern {
                title: Title::Exact("form".to_owned()),
                class: None,
            },
            steps,
            may_submit: false,
            despite_input_method: false,
            repertoire: Repertoire::Unicode,
            timing: Timing::default(),
        }
    }

    fn text(text: &str) -> Step {
        Step::Text(text.to_owned().into())
    }

    #[test]
    fn control_and_private_characters_are_untypable() {
        let bad =
            "\n\t\u{1b}\u{7f}\u{85}\u{202e}\u{2028}\u{feff}\u{e000}\u{f0000}\u{ffff}\u{2ffff}";
        let found = plan(vec![text("髙橋𠮷\u{E0100} a"), text(bad)]).untypable(|_| true);
        assert_eq!(found.len(), bad.chars().count());
        assert!(found.iter().all(|one| one.step == 2));
    }

    #[test]
    fn what_the_receiver_lacks_is_untypable() {
        let mut plan = plan(vec![text("髙𠮷〜")]);
        plan.repertoire = Repertoire::Cp932;
        let found: Vec<_> = plan
            .untypable(|_| true)
            .iter()
            .map(|one| one.position)
            .collect();
        assert_eq!(found, [2, 3]);
    }

    #[test]
    fn keys_that_submit_need_permission() {
        let steps = [Key::Tab, Key::Enter, Key::F12, Key::End]
            .map(Step::Key)
            .to_vec();
        let mut plan = plan(steps);
        let found: Vec<_> = plan
            .untypable(|_| true)
            .iter()
            .map(|one| one.step)
            .collect();
        assert_eq!(found, [2, 3]);
        plan.may_submit = true;
        assert_eq!(plan.untypable(|_| true), []);
    }

    #[test]
    fn a_window_is_known_by_title_and_class() {
        let window = Window::new(WindowId(1), "受付入力 - 1".to_owned(), "Legacy".to_owned());
        let pattern = |title: Title, class: Option<&str>| Pattern {
            title,
            class: class.map(str::to_owned),
        };
        assert!(pattern(Title::Prefix("受付".to_owned()), Some("Legacy")).matches(&window));
        assert!(!pattern(Title::Exact("受付".to_owned()), None).matches(&window));
        assert!(!pattern(Title::Prefix("受付".to_owned()), Some("Other")).matches(&window));
        assert!(!format!("{window:?}").contains("受付"));
        assert_eq!(format!("{:?}", text("髙橋")), "Text(2 characters)");
    }
}
