//! What we send: one ticket as bands of dots, and the few commands around it.
//!
//! Invariant: the bytes of a job hold no real-time command; requests that are one are sent alone.

use super::{DC4, DLE, ENQ, EOT, ESC, GS, ProcessId};
use crate::raster::Raster;

/// The command by which a model takes a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RasterCommand {
    /// `GS v 0`: officially superseded, and understood by nearly everything.
    Lines,
    /// `GS ( L` or `GS 8 L` function 112, printed by function 50.
    Graphics,
}

/// How a model separates tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// `GS V 66`: feeds to the cutter and leaves one point uncut.
    Partial,
    /// `GS V 65`: feeds to the cutter and cuts through.
    Full,
    /// No cutter: feeds, and a person tears.
    Tear,
}

/// How a picture is divided into commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    /// The command.
    pub command: RasterCommand,
    /// The most rows in one command.
    pub rows: u16,
}

/// `ESC @`: forget settings and the line in the print buffer.
pub const INITIALISE: [u8; 2] = [ESC, 0x40];
/// `GS a`: report changes of on-line, error and paper state by themselves; not of the drawer.
pub const REPORT_CHANGES: [u8; 3] = [GS, 0x61, 0x0E];
/// `DLE DC4` function 8: clear receive and print buffer; answered by [`super::decode::Report::Cleared`].
pub const CLEAR: [u8; 10] = [DLE, DC4, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];
/// `DLE ENQ 2`: leave a recoverable error and clear the buffers.
pub const LEAVE_ERROR: [u8; 3] = [DLE, ENQ, 0x02];
/// `GS r 1`: the state of the paper, answered in order and not at once.
pub const STATE_IN_ORDER: [u8; 3] = [GS, 0x72, 0x01];

/// `DLE EOT n`: one byte of real-time status.
#[must_use]
pub const fn ask(which: Asked) -> [u8; 3] {
    [DLE, EOT, which.parameter()]
}

/// The four bytes of real-time status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// On-line or not.
    Printer,
    /// Why not.
    OffLine,
    /// Which error.
    Error,
    /// How much paper.
    Paper,
}

impl Asked {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Printer, Self::OffLine, Self::Error, Self::Paper];

    /// The `n` of `DLE EOT n`.
    #[must_use]
    pub const fn parameter(self) -> u8 {
        match self {
            Self::Printer => 1,
            Self::OffLine => 2,
            Self::Error => 3,
            Self::Paper => 4,
        }
    }
}

/// `GS ( H` function 48: send this id back when everything before is printed.
#[must_use]
pub fn report_process(id: ProcessId) -> Vec<u8> {
    let mut bytes = vec![GS, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30];
    bytes.extend_from_slice(&id.characters());
    bytes
}

/// Feeds the paper out and cuts it.
#[must_use]
pub fn cut(how: Cut) -> Vec<u8> {
    match how {
        Cut::Partial => vec![GS, 0x56, 66, 0],
        Cut::Full => vec![GS, 0x56, 65, 0],
        Cut::Tear => vec![ESC, 0x64, 5],
    }
}

/// As many NUL as the longest command of this division has bytes: completes a picture of which only a
/// part had arrived. A printer that waits for a command ignores them.
#[must_use]
pub fn padding(stride: usize, bands: Bands) -> Vec<u8> {
    vec![0; stride * usize::from(bands.rows) + LONGEST_HEADER]
}

/// The longest of the headers below, with the function that prints.
const LONGEST_HEADER: usize = 32;

/// The picture as commands, each of which can be sent alone.
#[must_use]
pub fn picture(raster: &Raster, bands: Bands) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut rest = raster.bytes();
    while !rest.is_empty() {
        let wanted = (rest.len() / raster.stride()).min(usize::from(bands.rows.max(1)));
        // A header holds lengths, and lengths can read as a real-time command: then the band is shorter.
        let header = (1..=wanted)
            .rev()
            .map(|rows| (rows, header(raster.stride(), rows, bands.command)))
            .find(|(_, header)| !holds_command(header));
        let Some((rows, mut piece)) = header else {
            break;
        };
        let (band, after) = rest.split_at(rows * raster.stride());
        piece.extend_from_slice(band);
        if bands.command == RasterCommand::Graphics {
            piece.extend_from_slice(&[GS, 0x28, 0x4C, 0x02, 0x00, 0x30, 0x32]);
        }
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn header(stride: usize, rows: usize, command: RasterCommand) -> Vec<u8> {
    match command {
        RasterCommand::Lines => {
            let mut bytes = vec![GS, 0x76, 0x30, 0x00];
            bytes.extend_from_slice(&two(stride));
            bytes.extend_from_slice(&two(rows));
            bytes
        }
        RasterCommand::Graphics => {
            // m, fn, a, bx, by, c, xL, xH, yL, yH stand between the length and the dots.
            let length = stride * rows + 10;
            let mut bytes = if length <= usize::from(u16::MAX) {
                let [low, high] = two(length);
                vec![GS, 0x28, 0x4C, low, high]
            } else {
                let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
                vec![GS, 0x38, 0x4C, a, b, c, d]
            };
            bytes.extend_from_slice(&[0x30, 0x70, 0x30, 0x01, 0x01, 0x31]);
            bytes.extend_from_slice(&two(stride * 8));
            bytes.extend_from_slice(&two(rows));
            bytes
        }
    }
}

/// Low byte first, as every length of ESC/POS stands.
fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

/// Whether bytes hold the beginning of a real-time command.
#[must_use]
pub fn holds_command(bytes: &[u8]) -> bool {
    bytes
        .windows(2)
        .any(|pair| matches!(pair, [DLE, EOT | ENQ | DC4]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The job around a picture, as the driver sends it.
    fn stream(raster: &Raster, bands: Bands) -> Vec<u8> {
        let mut bytes = [&INITIALISE[..], &REPORT_CHANGES].concat();
        bytes.extend(picture(raster, bands).concat());
        bytes.extend(cut(Cut::Partial));
        bytes.extend(report_process(ProcessId::numbered(0x0004_1041)));
        bytes
    }

    #[test]
    fn a_small_picture_is_what_the_command_reference_says() {
        let mut raster = Raster::new(16, 2);
        raster.blacken(0, 0);
        raster.blacken(15, 1);
        let bands = |command| Bands { command, rows: 24 };
        assert_eq!(
            picture(&raster, bands(RasterCommand::Lines)),
            [[0x1D, 0x76, 0x30, 0, 2, 0, 2, 0, 0x80, 0, 0, 1]]
        );
        assert_eq!(
            picture(&raster, bands(RasterCommand::Graphics)).concat(),
            [
                0x1D, 0x28, 0x4C, 14, 0, 0x30, 0x70, 0x30, 1, 1, 0x31, 16, 0, 2, 0, 0x80, 0, 0, 1,
                0x1D, 0x28, 0x4C, 2, 0, 0x30, 0x32
            ]
        );
    }

    #[test]
    fn a_length_that_reads_as_a_command_makes_a_shorter_band() {
        // 103 rows of 10 bytes and 10 more are 0x0410, low byte first 10 04.
        let raster = Raster::new(80, 103);
        let bands = Bands {
            command: RasterCommand::Graphics,
            rows: 256,
        };
        let pieces = picture(&raster, bands);
        assert_eq!(pieces.len(), 2);
        assert!(!holds_command(&stream(&raster, bands)));
    }

    #[test]
    fn more_than_two_bytes_of_length_take_the_longer_command() {
        let raster = Raster::new(576, 1000);
        let pieces = picture(
            &raster,
            Bands {
                command: RasterCommand::Graphics,
                rows: 1000,
            },
        );
        assert_eq!(pieces[0][..7], [0x1D, 0x38, 0x4C, 0x4A, 0x19, 0x01, 0x00]);
    }

    proptest! {
        #[test]
        fn no_job_holds_a_real_time_command(
            stride in 1_usize..80,
            rows in 1_usize..300,
            band in 1_u16..300,
            graphics: bool,
            seed in proptest::collection::vec(prop_oneof![4 => Just(0x10_u8), 1 => Just(0x04), 1 => Just(0x05), 1 => Just(0x14), 1 => any::<u8>()], 64),
        ) {
            let mut raster = Raster::new(stride * 8, rows);
            for at in 0..stride * rows {
                let byte = seed[(at * 7 + at / 64) % 64];
                for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                    raster.blacken(at % stride * 8 + bit, at / stride);
                }
            }
            raster.scrub();
            let command = if graphics { RasterCommand::Graphics } else { RasterCommand::Lines };
            let bands = Bands { command, rows: band };
            let bytes = stream(&raster, bands);
            prop_assert!(!holds_command(&bytes));
            let sent: usize = picture(&raster, bands).iter().map(Vec::len).sum();
            prop_assert!(sent > raster.bytes().len());
        }
    }
}
