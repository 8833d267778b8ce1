//! Opening a log after whatever happened to it: what is sound counts, what is not is told and kept aside.
//!
//! | found | becomes |
//! |---|---|
//! | bytes after the last sound record of the last segment | cut off: the end of a power cut |
//! | a last segment without a sound record | removed: likewise |
//! | anything else that is no record | a [`Hole`], copied to `damaged-…` once |
//! | a segment that cannot be read, or holds nothing sound | renamed to `damaged-…` |
//!
//! Which numbers are missing is not decided here: whoever knows what was acknowledged knows that.
//! Invariants: sound records are never rewritten; what is kept aside is bounded in number and size, and the
//! oldest of it stays; after opening, everything that counts is synced.

use std::collections::VecDeque;
use std::io;

use thiserror::Error;

use super::scan::{First, Hole, Scan, scan};
use super::{LONGEST_FRAME, Segment, Segments, name, read_name};
use crate::disk::{Disk, FileInfo, wide};
use crate::lane::Lane;

/// How the names of what is kept aside begin.
pub(crate) const ASIDE: &str = "damaged-";
/// So many damaged parts are kept aside.
const MOST_ASIDE: usize = 16;
/// So much of one damaged part is kept aside.
const LONGEST_ASIDE: u64 = 1 << 20;
/// So often a segment is read before it counts as unreadable.
const TRIES: usize = 3;
/// So much of a log may not have reached the disk when a process ended: the longest batch.
const UNSURE: u64 = 320 << 10;
/// A longer file is no segment of ours.
const LONGEST_SEGMENT: u64 = 64 << 20;

/// What was found on opening a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// How many records are sound.
    pub records: u64,
    /// How many bytes were cut off at its end.
    pub torn: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// A damaged part of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub file: String,
    /// Where it is damaged; all of it if it cannot be read.
    pub hole: Hole,
    /// Where its bytes are kept, if there was room.
    pub kept_as: Option<String>,
}

/// A log cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The disk refuses.
    #[error("{doing} of lane {lane}", lane = lane.code())]
    Disk {
        /// What was being attempted.
        doing: &'static str,
        /// The lane.
        lane: Lane,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It was written by newer software.
    #[error("{file} has format {format}, which is newer than this software")]
    Newer {
        /// The segment's file.
        file: String,
        /// Its format.
        format: u16,
    },
}

/// What a file turned out to be.
enum Content {
    Sound(Scan),
    Unreadable,
}

impl Segments {
    /// Opens the log of a lane, or begins one; `files` is all that is in the folder.
    ///
    /// # Errors
    /// Where the disk refuses, or the log is of a newer format; nothing was changed in the latter case.
    pub fn open(
        disk: &mut dyn Disk,
        lane: Lane,
        files: &[FileInfo],
        segment_bytes: u64,
    ) -> Result<(Self, Found), OpenError> {
        let firsts = files.iter().filter_map(|file| {
            let (of, first) = read_name(&file.name)?;
            (of == lane).then_some((first, file.length))
        });
        let mut firsts: Vec<(First, u64)> = firsts.collect();
        firsts.sort_unstable();
        let mut log = Self {
            lane,
            segment_bytes: segment_bytes.max(wide(LONGEST_FRAME)),
            index: VecDeque::new(),
            unclean: false,
        };
        let mut found = Found::default();
        let last = firsts.last().map(|(first, _)| *first);
        for (first, length) in firsts {
            let content = log.look(disk, first, length)?;
            log.admit(
                disk,
                (first, length, content),
                last == Some(first),
                &mut found,
            )?;
        }
        log.settle(disk)?;
        Ok((log, found))
    }

    /// Looks through a segment anew that has changed since it was opened.
    pub fn reread(&mut self, disk: &mut dyn Disk, first: First) {
        let lane = self.lane;
        let Some(segment) = self.index.iter_mut().find(|have| have.first == first) else {
            return;
        };
        let length = usize::try_from(segment.length).unwrap_or(usize::MAX);
        let bytes = disk.read(&name(lane, first), 0, length).unwrap_or_default();
        let scan = scan(lane, &bytes);
        segment.closed = true;
        segment.holes = scan.holes;
        segment.runs = scan.runs;
        if scan.sound < segment.length {
            segment.holes.push(Hole {
                offset: scan.sound,
                end: segment.length,
            });
        }
    }

    fn look(&self, disk: &mut dyn Disk, first: First, length: u64) -> Result<Content, OpenError> {
        if length > LONGEST_SEGMENT {
            return Ok(Content::Unreadable);
        }
        let file = name(self.lane, first);
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        // A bad place on the disk must not keep the agent from starting; a bad moment must cost nothing.
        let mut tries = (0..TRIES).map(|_| disk.read(&file, 0, wanted));
        let Some(bytes) = tries.find_map(Result::ok) else {
            return Ok(Content::Unreadable);
        };
        let scan = scan(self.lane, &bytes);
        match scan.newer {
            Some(format) => Err(OpenError::Newer { file, format }),
            None => Ok(Content::Sound(scan)),
        }
    }

    fn admit(
        &mut self,
        disk: &mut dyn Disk,
        (first, length, content): (First, u64, Content),
        is_last: bool,
        found: &mut Found,
    ) -> Result<(), OpenError> {
        let file = name(self.lane, first);
        let mut scan = match content {
            Content::Sound(scan) if scan.records > 0 => scan,
            Content::Sound(_) if is_last => {
                found.torn += length;
                return disk
                    .remove(&file)
                    .map_err(self.while_("remove the torn end"));
            }
            Content::Sound(_) | Content::Unreadable => {
                let hole = Hole {
                    offset: 0,
                    end: length,
                };
                let kept_as = rename_aside(disk, &file);
                if kept_as.is_none() {
                    disk.remove(&file)
                        .map_err(self.while_("remove a damaged segment"))?;
                }
                let damage = Damage {
                    file,
                    hole,
                    kept_as,
                };
                found.damage.push(damage);
                return Ok(());
            }
        };
        let mut end = scan.sound;
        if scan.torn > 0 && is_last {
            found.torn += scan.torn;
            disk.truncate(&file, scan.sound)
                .map_err(self.while_("cut the torn end off"))?;
        } else if scan.torn > 0 {
            // The next segment was begun after this one was whole.
            end += scan.torn;
            scan.holes.push(Hole {
                offset: scan.sound,
                end,
            });
        }
        for hole in &scan.holes {
            let (kept_as, is_new) = copy_aside(disk, &file, *hole);
            if is_new {
                let (file, hole) = (file.clone(), *hole);
                let damage = Damage {
                    file,
                    hole,
                    kept_as,
                };
                found.damage.push(damage);
            }
        }
        found.records += scan.records;
        self.index.push_back(Segment {
            first,
            length: end,
            closed: !scan.holes.is_empty(),
            runs: scan.runs,
            holes: scan.holes,
            newest: scan.newest,
        });
        Ok(())
    }

    /// Makes the end of the log last, which counts from now on.
    ///
    /// The process before may have ended after a failed sync: then the system shows bytes that it will never
    /// write, and calls the next sync a success. Writing the same bytes again makes it write them; what is
    /// on the disk already stays what it is, whatever happens meanwhile.
    fn settle(&self, disk: &mut dyn Disk) -> Result<(), OpenError> {
        if let Some(last) = self.index.back() {
            let name = name(self.lane, last.first);
            let end = usize::try_from(last.length.min(UNSURE)).unwrap_or(usize::MAX);
            let offset = last.length.saturating_sub(UNSURE);
            let bytes = disk
                .read(&name, offset, end)
                .map_err(self.while_("read the end"))?;
            disk.write(&name, offset, &bytes)
                .map_err(self.while_("write the end again"))?;
            disk.sync(&name)
                .map_err(self.while_("sync the last segment"))?;
        }
        Ok(())
    }

    fn while_(&self, doing: &'static str) -> impl Fn(io::Error) -> OpenError {
        let lane = self.lane;
        move |source| OpenError::Disk {
            doing,
            lane,
            source,
        }
    }
}

/// How many parts are kept aside.
fn kept_aside(disk: &mut dyn Disk) -> io::Result<Vec<FileInfo>> {
    let mut files = disk.list()?;
    files.retain(|file| file.name.starts_with(ASIDE));
    Ok(files)
}

/// What a whole segment is called from now on; `None` where it cannot be kept.
fn rename_aside(disk: &mut dyn Disk, file: &str) -> Option<String> {
    let aside = kept_aside(disk).ok()?;
    let kept_as = format!("{ASIDE}{file}");
    let whole = aside
        .iter()
        .filter(|have| super::read_name(have.name.trim_start_matches(ASIDE)).is_some());
    if whole.count() >= MOST_ASIDE / 4 {
        return None;
    }
    disk.rename(file, &kept_as).ok()?;
    Some(kept_as)
}

/// Where a hole's bytes are kept, and whether it is seen for the first time.
fn copy_aside(disk: &mut dyn Disk, file: &str, hole: Hole) -> (Option<String>, bool) {
    let kept_as = format!("{ASIDE}{file}-{:x}", hole.offset);
    let Ok(aside) = kept_aside(disk) else {
        return (None, true);
    };
    if aside.iter().any(|have| have.name == kept_as) {
        return (Some(kept_as), false);
    }
    if aside.len() >= MOST_ASIDE {
        return (None, true);
    }
    let length = (hole.end - hole.offset).min(LONGEST_ASIDE);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let copied = disk
        .read(file, hole.offset, length)
        .and_then(|bytes| disk.replace(&kept_as, &bytes));
    (copied.ok().map(|()| kept_as), true)
}
