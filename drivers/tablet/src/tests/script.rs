//! What a pen does, in places of the picture.

use crate::contract::Scene;
use crate::layout::Press;

/// One thing that happens after a page was shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// A stroke from left to right in the middle of the signing area, of so many samples.
    Stroke(u16),
    /// The pen hovers for so many samples.
    Hover(u16),
    /// A button.
    Press(Press),
    /// The plug is pulled.
    Unplug,
    /// So many reports are lost on the way.
    Lose(u16),
    /// The tip rests on a place of the picture, in hundredths, for so many samples; it is not lifted.
    Rest(u8, u8, u16),
    /// A tap that waits in the queue already when the picture is complete, in hundredths.
    Stale(u8, u8),
    /// A report as it stands here.
    Raw(&'static [u8]),
    /// A tap at a place of the picture, in hundredths.
    Tap(u8, u8),
}

/// The acts of a scene, for each page that is shown.
pub(super) fn acts(scene: Scene) -> Vec<Vec<Act>> {
    use Act::{Hover, Stroke, Unplug};
    let sign = vec![
        Hover(5),
        Stroke(40),
        Hover(12),
        Stroke(30),
        Hover(6),
        Act::Press(Press::Confirm),
    ];
    match scene {
        Scene::Signs => vec![sign],
        Scene::SignsAnew => vec![
            vec![Hover(3), Stroke(20), Hover(3), Act::Press(Press::Redo)],
            sign,
        ],
        Scene::Declines => vec![vec![Hover(2), Act::Press(Press::Decline)]],
        Scene::ConfirmsNothing => vec![vec![Hover(2), Act::Press(Press::Confirm)]],
        Scene::DoesNothing => vec![vec![]],
        Scene::Unplugged => vec![vec![Hover(2), Stroke(10), Unplug]],
    }
}

/// One report of the pen, in thousandths of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dot {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) tip: bool,
}

/// The dots of a stroke that stays within a frame of x, y, width and height, all in thousandths.
pub(super) fn stroke(count: u16, (x, y, width, height): (u32, u32, u32, u32)) -> Vec<Dot> {
    (0..u32::from(count))
        .map(|n| Dot {
            x: x + width / 4 + width / 2 * n / u32::from(count),
            y: y + height / 2,
            tip: true,
        })
        .collect()
}
