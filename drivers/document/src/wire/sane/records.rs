//! The data connection: records behind their length, and at the end one status (SANE standard 1.06,
//! clause 5.3).
//!
//! | state | leaves by |
//! |---|---|
//! | length | four bytes: data follow, or with `FFFFFFFF` the status |
//! | data | as many bytes as the length said |
//! | status | one byte |
//! | ended | nothing; what comes is ignored |

use super::Status;
use crate::wire::WireError;

/// The length that announces the status.
const END: u32 = 0xFFFF_FFFF;

/// Takes records apart, wherever the bytes are cut.
#[derive(Debug, Default)]
pub struct Records {
    state: State,
}

#[derive(Debug)]
enum State {
    Length { bytes: [u8; 4], have: usize },
    Data { left: u32 },
    Status,
    Ended(Status),
}

impl Default for State {
    fn default() -> Self {
        Self::Length {
            bytes: [0; 4],
            have: 0,
        }
    }
}

impl Records {
    /// Takes `input`, and hands what is data in it to `data`.
    ///
    /// # Errors
    /// What `data` returned; the records themselves cannot be wrong. What follows the end is ignored.
    pub fn feed(
        &mut self,
        mut input: &[u8],
        mut data: impl FnMut(&[u8]) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        while let Some((first, rest)) = input.split_first() {
            match &mut self.state {
                State::Length { bytes, have } => {
                    if let Some(place) = bytes.get_mut(*have) {
                        *place = *first;
                    }
                    *have += 1;
                    input = rest;
                    if *have == bytes.len() {
                        self.state = match u32::from_be_bytes(*bytes) {
                            END => State::Status,
                            0 => State::default(),
                            left => State::Data { left },
                        };
                    }
                }
                State::Data { left } => {
                    let take = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(input.len());
                    let (now, later) = input.split_at_checked(take).unwrap_or((input, &[]));
                    data(now)?;
                    input = later;
                    *left -= u32::try_from(take).unwrap_or(*left);
                    if *left == 0 {
                        self.state = State::default();
                    }
                }
                State::Status => {
                    self.state = State::Ended(Status::from_word(u32::from(*first)));
                    input = rest;
                }
                // `saned` 1.2.1 sends four zeros behind the status, as if it were a word of five bytes.
                State::Ended(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn ended(&self) -> Option<Status> {
        match self.state {
            State::Ended(status) => Some(status),
            State::Length { .. } | State::Data { .. } | State::Status => None,
        }
    }
}
