//! One line of print in the making: cells of characters and bit images, and where the next one goes.
//!
//! Commands: `ESC $`, `ESC \`, `ESC a`, `GS L`, `GS W`, HT; a line is burnt when it ends or is full.

use crate::printer::sheet::{Bitmap, Sheet};

/// How lines are set out; `ESC @` makes it as new.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Dots from the paper's left edge.
    pub(crate) margin: usize,
    /// Dots across.
    pub(crate) area: usize,
    /// 0 left, 1 centre, 2 right.
    pub(crate) align: u8,
    /// Dots from line to line.
    pub(crate) spacing: usize,
    /// Columns of the tabulator stops, in dots.
    pub(crate) tabs: Vec<usize>,
}

/// The usual line spacing: a sixth of an inch at 203 dots an inch.
pub(crate) const USUAL_SPACING: usize = 30;

impl Layout {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            margin: 0,
            area: width,
            align: 0,
            spacing: USUAL_SPACING,
            // Every eight characters of the wide font.
            tabs: (1..=32).map(|stop| stop * 8 * 12).collect(),
        }
    }

    /// Where something of this width begins on the paper.
    pub(crate) fn left(&self, width: usize) -> usize {
        let free = self.area.saturating_sub(width);
        self.margin
            + match self.align {
                1 => free / 2,
                2 => free,
                _ => 0,
            }
    }
}

/// The line in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    cells: Vec<(usize, Bitmap)>,
    cursor: usize,
    text: String,
}

impl Line {
    pub(crate) const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Moves to a position; outside the area the printer stays where it is.
    pub(crate) fn move_to(&mut self, position: usize, layout: &Layout) {
        if position <= layout.area {
            if position > self.cursor && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.cursor = position;
        }
    }

    /// Moves to the next tabulator stop.
    pub(crate) fn tab(&mut self, layout: &Layout) {
        if let Some(stop) = layout.tabs.iter().find(|stop| **stop > self.cursor) {
            self.move_to(*stop, layout);
        }
    }

    /// Whether something of this width still fits.
    pub(crate) const fn fits(&self, width: usize, layout: &Layout) -> bool {
        self.cursor + width <= layout.area
    }

    /// Puts a cell at the cursor.
    pub(crate) fn put(&mut self, cell: Bitmap, character: Option<char>) {
        let start = self.cursor;
        self.cursor += cell.width;
        self.text.extend(character);
        self.cells.push((start, cell));
    }

    /// Burns the line and feeds to the next one, or by `feed` dots where that is said.
    pub(crate) fn end(&mut self, sheet: &mut Sheet, layout: &Layout, feed: Option<usize>) {
        let line = std::mem::take(self);
        let height = line.cells.iter().map(|(_, cell)| cell.height).max();
        let height = height.unwrap_or(0);
        let extent = line.cells.iter().map(|(start, cell)| start + cell.width);
        let left = layout.left(extent.max().unwrap_or(0));
        let top = sheet.rows();
        sheet.feed(height.max(feed.unwrap_or(layout.spacing)));
        for (start, cell) in &line.cells {
            // Characters of different heights stand on one base line.
            sheet.overlay(cell, left + start, top + height - cell.height);
        }
        if !line.text.is_empty() {
            sheet.note(&line.text);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
