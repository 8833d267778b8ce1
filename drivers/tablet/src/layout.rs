//! Where things stand on a screen: document, signing area, buttons.
//!
//! ```text
//! reading                     signing
//! +----------------------+    +----------------------+
//! |                      |    |  end of the document |
//! |       document       |    +----------------------+
//! |                      |    |     signing area     |
//! +----------------------+    +----------------------+
//! |   前へ   |    次へ    |    | 前へ|署名しない|やり直す|確定 |
//! +----------------------+    +----------------------+
//! ```
//!
//! Buttons exist only on a pad with a screen of its own; on a pen display the page that shows the picture has
//! buttons itself, and the picture is the document and the area.

use crate::picture::Area;

/// A button that the citizen can press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// 確定: the signature is given.
    Confirm,
    /// やり直す: the ink is thrown away.
    Redo,
    /// 署名しない: the citizen declines.
    Decline,
    /// 次へ: the next page.
    Next,
    /// 前へ: the page before.
    Previous,
}

impl Press {
    /// What stands on the button.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Confirm => "確定",
            Self::Redo => "やり直す",
            Self::Decline => "署名しない",
            Self::Next => "次へ",
            Self::Previous => "前へ",
        }
    }
}

/// The hint within the signing area.
pub(crate) const HINT: &str = "ここに署名してください";

/// Every word that a pad's screen shows.
pub(crate) const WORDS: &[&str] = &[
    Press::Confirm.label(),
    Press::Redo.label(),
    Press::Decline.label(),
    Press::Next.label(),
    Press::Previous.label(),
    HINT,
];

/// The screen that is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surface {
    /// Its width in pixels.
    pub(crate) width: u32,
    /// Its height in pixels.
    pub(crate) height: u32,
    /// Whether it needs buttons of ours.
    pub(crate) buttons: bool,
}

/// One screen's places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The document.
    pub(crate) document: Area,
    /// The signing area.
    pub(crate) sign: Option<Area>,
    /// The buttons.
    pub(crate) buttons: Vec<(Press, Area)>,
}

impl Surface {
    /// The layout of a page that is only read.
    pub(crate) fn reading(self, first: bool) -> Layout {
        let presses: &[Press] = if first {
            &[Press::Decline, Press::Next]
        } else {
            &[Press::Previous, Press::Decline, Press::Next]
        };
        Layout {
            document: Area {
                x: 0,
                y: 0,
                width: self.width,
                height: self.height - self.bar(),
            },
            sign: None,
            buttons: self.row(presses),
        }
    }

    /// The layout of the page that is signed.
    pub(crate) fn signing(self, only: bool) -> Layout {
        let presses: &[Press] = if only {
            &[Press::Decline, Press::Redo, Press::Confirm]
        } else {
            &[Press::Previous, Press::Decline, Press::Redo, Press::Confirm]
        };
        let usable = self.height - self.bar();
        // A hand needs more room on a small pad than on a monitor of which it covers a part.
        let share = if self.buttons { 55 } else { 35 };
        let height = usable * share / 100;
        let margin = (self.width / 100).max(2);
        let width = if self.buttons {
            self.width
        } else {
            self.width * 70 / 100
        };
        let sign = Area {
            x: (self.width - width) / 2,
            y: usable - height,
            width,
            height,
        };
        Layout {
            document: Area {
                x: 0,
                y: 0,
                width: self.width,
                height: usable - height,
            },
            sign: Some(sign.inset(margin)),
            buttons: self.row(presses),
        }
    }

    /// The height of the row of buttons.
    fn bar(self) -> u32 {
        if self.buttons {
            (self.height * 15 / 100).max(24)
        } else {
            0
        }
    }

    fn row(self, presses: &[Press]) -> Vec<(Press, Area)> {
        if !self.buttons {
            return Vec::new();
        }
        let count = u32::try_from(presses.len()).unwrap_or(1).max(1);
        let width = self.width / count;
        let top = self.height - self.bar();
        presses
            .iter()
            .zip(0..)
            .map(|(press, place)| {
                let area = Area {
                    x: width * place,
                    y: top,
                    width,
                    height: self.bar(),
                };
                (*press, area.inset(2))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_and_everything_lies_on_the_screen() {
        for (width, height) in [(320, 200), (800, 480), (1024, 600), (1920, 1080)] {
            for buttons in [false, true] {
                let surface = Surface {
                    width,
                    height,
                    buttons,
                };
                for layout in [
                    surface.reading(true),
                    surface.reading(false),
                    surface.signing(true),
                    surface.signing(false),
                ] {
                    let mut areas: Vec<Area> =
                        layout.buttons.iter().map(|(_, area)| *area).collect();
                    assert_eq!(areas.is_empty(), !buttons);
                    areas.push(layout.document);
                    areas.extend(layout.sign);
                    for (place, one) in areas.iter().enumerate() {
                        assert!(one.right() <= width && one.bottom() <= height, "{one:?}");
                        assert!(one.width > 20 && one.height > 15, "{one:?}");
                        for other in areas.iter().skip(place + 1) {
                            let apart = one.right() <= other.x
                                || other.right() <= one.x
                                || one.bottom() <= other.y
                                || other.bottom() <= one.y;
                            assert!(apart, "{one:?} {other:?}");
                        }
                    }
                }
            }
        }
    }
}
