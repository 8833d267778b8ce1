//! The commands of a read, byte by byte, each with the reason for which it is sent.
//!
//! Written down a second time, apart from the driver, so that the card's own log can be held against it.
//! The reader builds the card's answer to reset as a contactless one does, which does not announce extended
//! lengths, so files come in pieces of 256 bytes.
//! Simulated cards stumble over the first command after power-on, as real ones were seen to do.
//! Facts: `docs/devices/my-number-card.md`.

/// 共通カードAP.
const COMMON_AP: [u8; 10] = [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00];
/// 券面入力補助AP.
const INPUT_AP: [u8; 10] = [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08];
/// What stands before a SHA-256 hash in a DigestInfo (RFC 8017, 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct CommandOfRead {
    /// What goes to the card.
    pub(crate) apdu: Vec<u8>,
    /// What it does.
    pub(crate) name: &'static str,
    /// Why it is sent.
    pub(crate) reason: &'static str,
}

/// What is read, and with which secret.
#[derive(Debug, Clone)]
pub(crate) struct Recipe<'a> {
    /// The low byte of VERIFY: `91` for the PIN, `95` for verification number B.
    pub(crate) key: u8,
    /// Its digits.
    pub(crate) secret: &'a str,
    /// Whether the individual number is read too.
    pub(crate) number: bool,
}

impl Recipe<'_> {
    /// The commands in their order.
    pub(crate) fn commands(&self) -> Vec<CommandOfRead> {
        let mut list = self.opening();
        list.extend(Self::file(
            0x02,
            256,
            ("READ EF0002", "the four attributes"),
        ));
        if self.number {
            let why = "the individual number, because the job asks for it";
            list.extend(Self::file(0x01, 256, ("READ EF0001", why)));
        }
        let why = "the certificate of the key that signed the data";
        list.extend(Self::file(0x04, 568, ("READ EF0004", why)));
        list.extend(Self::file(
            0x03,
            336,
            ("READ EF0003", "the signed hashes of the data"),
        ));
        list.extend(Self::file(
            0x07,
            536,
            ("READ EF0007", "the card's own signed key"),
        ));
        let digest_info = [&SHA256_DIGEST_INFO[..], &[0x5A; 32]].concat();
        list.push(CommandOfRead {
            apdu: [&[0x80, 0x2A, 0, 0, 51], &digest_info[..], &[0]].concat(),
            name: "sign a challenge",
            reason: "shows that the card holds that key and is no copy",
        });
        list
    }

    fn opening(&self) -> Vec<CommandOfRead> {
        let select = |aid: [u8; 10]| [&[0, 0xA4, 0x04, 0x0C, 10], &aid[..]].concat();
        let length = u8::try_from(self.secret.len()).unwrap_or(u8::MAX);
        let verify = [&[0, 0x20, 0, self.key, length], self.secret.as_bytes()].concat();
        let command = |apdu, name, reason| CommandOfRead { apdu, name, reason };
        vec![
            command(
                select(COMMON_AP),
                "SELECT common",
                "tells a My Number card from any other",
            ),
            command(
                select(COMMON_AP),
                "SELECT common again",
                "a card that was just powered answers its first command with `6F00`",
            ),
            command(
                vec![0, 0xB2, 0x01, 0x0C, 0],
                "READ RECORD",
                "municipality and expiry, shown before a citizen is asked for anything",
            ),
            command(
                select(INPUT_AP),
                "SELECT card-surface input",
                "makes its files and keys reachable, forgets what was verified before",
            ),
            command(
                vec![0, 0x20, 0, self.key],
                "VERIFY without data",
                "tries left, so that the last one is not spent by mistake",
            ),
            command(verify, "VERIFY", "opens the files"),
        ]
    }

    /// A file of `length` bytes, by its short identifier, in as few pieces as short lengths permit.
    fn file(
        id: u8,
        length: u16,
        (name, reason): (&'static str, &'static str),
    ) -> Vec<CommandOfRead> {
        let command = |apdu, name, reason| CommandOfRead { apdu, name, reason };
        let mut list = vec![command(vec![0, 0xB0, 0x80 | id, 0, 0], name, reason)];
        let mut offset = 256_u16;
        while offset < length {
            let [at, _] = offset.to_be_bytes();
            // 256 is said as 00.
            let [_, wanted] = (length - offset).min(256).to_be_bytes();
            let why = "its next 256 bytes: the reader does not say that the card takes more";
            list.push(command(vec![0, 0xB0, at, 0, wanted], "READ BINARY", why));
            offset += 256;
        }
        list
    }
}

/// `CLA INS P1 P2` and the length of the data field, as the simulated card logs them.
pub(crate) fn as_logged(apdu: &[u8]) -> (String, usize) {
    let header: Vec<String> = apdu
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    // A body that is longer than one byte and does not begin with 00 begins with the length of its data.
    let data = match apdu.get(4..) {
        Some([length, _, ..]) => usize::from(*length),
        Some(_) | None => 0,
    };
    (header.join(" "), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_costs_one_command() {
        let mut recipe = Recipe {
            key: 0x91,
            secret: "1234",
            number: false,
        };
        assert_eq!(recipe.commands().len(), 16);
        recipe.number = true;
        assert_eq!(recipe.commands().len(), 17);
    }

    #[test]
    fn a_command_is_logged_by_header_and_length_of_data() {
        let logged: Vec<_> = Recipe {
            key: 0x91,
            secret: "1234",
            number: false,
        }
        .commands()
        .iter()
        .map(|command| as_logged(&command.apdu))
        .collect();
        assert_eq!(logged[0], ("00 A4 04 0C".to_owned(), 10));
        assert_eq!(logged[4], ("00 20 00 91".to_owned(), 0));
        assert_eq!(logged[5], ("00 20 00 91".to_owned(), 4));
        assert_eq!(logged[7], ("00 B0 84 00".to_owned(), 0));
        assert_eq!(logged[15], ("80 2A 00 00".to_owned(), 51));
    }
}
