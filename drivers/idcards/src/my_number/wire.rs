//! The commands of a My Number card, and how its files are read in as few exchanges as possible.
//!
//! Files and keys are addressed by their short identifier inside the command that uses them, which saves
//! one SELECT each; an exchange costs about 12 ms on a real card.
//!
//! | command | bytes |
//! |---|---|
//! | select application | `00 A4 04 0C Lc AID` |
//! | read record 1 of file 1 | `00 B2 01 0C Le` |
//! | read a file from its start | `00 B0 80+id 00 Le`, which also makes it the current file |
//! | read on in the current file | `00 B0 offset offset Le` |
//! | ask a retry counter | `00 20 00 80+id` |
//! | verify | `00 20 00 80+id Lc digits` |
//! | sign with the card's own key | `80 2A 00 00 Lc DigestInfo Le` |
//!
//! Invariant: only [`verify`] carries a secret, and nothing here ever sends a command with a secret twice.
//! Facts: measurements published with the open-source crate myna-card 3.3.4; JICSAP IC card specification.

use device_api::Secret;
use smartcard::{CardChannel, Command, Response, StatusWord};
use zeroize::Zeroizing;

use super::error::{Attempt, CardError};
use crate::tlv::ber;

/// 共通カードAP, the common card application.
pub(super) const COMMON_AP: [u8; 10] = [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00];
/// 券面入力補助AP, the card-surface input application.
pub(super) const TEXT_AP: [u8; 10] = [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08];

/// What a short command can be answered with.
const SHORT_ANSWER: usize = 256;
/// No file of these applications comes near this; a card that announces more is broken or hostile.
const LONGEST_FILE: usize = 4096;
/// Twice what the longest file needs in short reads: a card that answers in crumbs must not hold a job.
const MOST_READS: usize = 32;

/// A file of the card-surface input application.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    short_id: u8,
    attempt: Attempt,
    /// The length the file is known to have, asked for at once where one answer can carry it.
    usual_length: usize,
    says_something_personal: bool,
}

/// EF0001. The hash over it covers its filler too, so all that comes is kept.
pub(super) const INDIVIDUAL_NUMBER: File = File {
    short_id: 0x01,
    attempt: Attempt::ReadIndividualNumber,
    usual_length: SHORT_ANSWER,
    says_something_personal: true,
};
/// EF0002. Seldom longer than one short answer, and filled up behind: asking for more would carry filler.
pub(super) const ATTRIBUTES: File = File {
    short_id: 0x02,
    attempt: Attempt::ReadAttributes,
    usual_length: SHORT_ANSWER,
    says_something_personal: true,
};
/// EF0003. Holds a hash of the individual number, which twelve digits make easy to turn back.
pub(super) const INTEGRITY_RECORD: File = File {
    short_id: 0x03,
    attempt: Attempt::ReadIntegrityRecord,
    usual_length: 336,
    says_something_personal: true,
};
/// EF0004. The same for all cards that a municipality signed with one key.
pub(super) const CERTIFICATE: File = File {
    short_id: 0x04,
    attempt: Attempt::ReadCertificate,
    usual_length: 568,
    says_something_personal: false,
};
/// EF0007. The card's own key names the card.
pub(super) const CARD_KEY: File = File {
    short_id: 0x07,
    attempt: Attempt::ReadCardKey,
    usual_length: 536,
    says_something_personal: true,
};

/// Selects an application, which also forgets what was verified in it.
pub(super) fn select(channel: &mut dyn CardChannel, aid: &[u8]) -> Result<(), CardError> {
    let attempt = Attempt::SelectApplication;
    let command = || Command::new(0x00, 0xA4, 0x04, 0x0C).with_data(aid);
    let mut status = send(channel, attempt, command())?.status();
    // Cards were seen to answer the first command after power-on with 6F00; selecting twice is harmless.
    if status == StatusWord(0x6F00) {
        status = send(channel, attempt, command())?.status();
    }
    match status.0 {
        0x9000 => Ok(()),
        // No such application; or a card that knows neither this way of selecting nor this class.
        0x6A81 | 0x6A82 | 0x6A86 | 0x6D00 | 0x6E00 => Err(CardError::NotMyNumber),
        _ => Err(CardError::Refused { attempt, status }),
    }
}

/// Reads record 1 of file 1 of the selected application.
pub(super) fn read_first_record(channel: &mut dyn CardChannel) -> Result<Response, CardError> {
    let attempt = Attempt::ReadCardRecord;
    let command = Command::new(0x00, 0xB2, 0x01, 0x0C)
        .expecting(SHORT_ANSWER)
        .answered_with_personal_data();
    let response = send(channel, attempt, command)?;
    require_ok(attempt, response)
}

/// Asks how many tries a key has left. Consumes none.
pub(super) fn ask_counter(channel: &mut dyn CardChannel, key: u8) -> Result<StatusWord, CardError> {
    let command = Command::new(0x00, 0x20, 0x00, 0x80 | key);
    Ok(send(channel, Attempt::AskRetryCounter, command)?.status())
}

/// The command that verifies `secret`. Built here and sent by the one caller that counts tries.
pub(super) fn verify(key: u8, secret: Secret) -> Command {
    Command::new(0x00, 0x20, 0x00, 0x80 | key).with_secret(secret)
}

/// Has the card sign `digest_info` with its own key.
pub(super) fn sign(
    channel: &mut dyn CardChannel,
    digest_info: Vec<u8>,
) -> Result<Response, CardError> {
    let attempt = Attempt::Challenge;
    let command = Command::new(0x80, 0x2A, 0x00, 0x00)
        .with_data(digest_info)
        .expecting(SHORT_ANSWER)
        // Few signatures over known messages give away the card's key, which names the card.
        .answered_with_personal_data();
    let response = send(channel, attempt, command)?;
    require_ok(attempt, response)
}

/// Reads a file up to the end of the object that it holds, and what filler came with it.
pub(super) fn read_file(
    channel: &mut dyn CardChannel,
    file: File,
) -> Result<Zeroizing<Vec<u8>>, CardError> {
    let malformed = CardError::Malformed {
        attempt: file.attempt,
    };
    let extended = channel.takes_extended_length();
    let first = if extended {
        file.usual_length
    } else {
        SHORT_ANSWER
    };
    let mut content = Zeroizing::new(Vec::with_capacity(LONGEST_FILE));
    content.extend_from_slice(&read_piece(
        channel,
        file,
        [0x80 | file.short_id, 0x00],
        first,
    )?);

    let total = ber::total_length(&content).map_err(|_not_an_object| malformed)?;
    if total > LONGEST_FILE {
        return Err(malformed);
    }
    for _ in 1..MOST_READS {
        let missing = total.saturating_sub(content.len());
        if missing == 0 {
            return Ok(content);
        }
        let wanted = if extended {
            missing
        } else {
            missing.min(SHORT_ANSWER)
        };
        let offset = u16::try_from(content.len()).map_err(|_too_far| malformed)?;
        content.extend_from_slice(&read_piece(channel, file, offset.to_be_bytes(), wanted)?);
    }
    if content.len() < total {
        Err(malformed)
    } else {
        Ok(content)
    }
}

fn read_piece(
    channel: &mut dyn CardChannel,
    file: File,
    [p1, p2]: [u8; 2],
    wanted: usize,
) -> Result<Zeroizing<Vec<u8>>, CardError> {
    let mut command = Command::new(0x00, 0xB0, p1, p2).expecting(wanted);
    if file.says_something_personal {
        command = command.answered_with_personal_data();
    }
    let response = send(channel, file.attempt, command)?;
    match response.status().0 {
        // 6282: the file ended before as many bytes as were asked for.
        0x9000 | 0x6282 => {}
        // 6B00: the file ends before the object in it does.
        0x6B00 => {
            return Err(CardError::Malformed {
                attempt: file.attempt,
            });
        }
        _ => {
            return Err(CardError::Refused {
                attempt: file.attempt,
                status: response.status(),
            });
        }
    }
    let piece = response.data();
    if piece.is_empty() || piece.len() > wanted {
        return Err(CardError::Malformed {
            attempt: file.attempt,
        });
    }
    Ok(Zeroizing::new(piece.to_vec()))
}

fn send(
    channel: &mut dyn CardChannel,
    attempt: Attempt,
    command: Command,
) -> Result<Response, CardError> {
    channel
        .transmit(command)
        .map_err(|source| CardError::Channel { attempt, source })
}

fn require_ok(attempt: Attempt, response: Response) -> Result<Response, CardError> {
    if response.status().is_ok() {
        Ok(response)
    } else {
        Err(CardError::Refused {
            attempt,
            status: response.status(),
        })
    }
}
