//! Which log lines may leave the machine.
//!
//! The agent's own log holds no citizen's data by the rules of this house; this is the second fence.
//! A line stays where it is if it holds anything but printable ASCII, an escape such as `\u5c71`, or seven
//! digits with at most a space, a hyphen or a slash between two of them: that is a birth date, a telephone
//! number, a postal code, an individual number.
//! A time as the log writes it (`2026-11-21T10:42:15.123456Z`) is not counted.

/// The longest line, in bytes.
pub const LONGEST: usize = 512;
/// So many digits in a row keep a line back.
const DIGITS: usize = 7;
/// How a time begins; `0` stands for any digit.
const TIME: &[u8] = b"0000-00-00T00:00:00";

/// Why a line stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It holds seven digits in a row.
    Digits,
    /// It holds something else than printable ASCII, or an escape.
    NotPlain,
    /// It is longer than [`LONGEST`].
    TooLong,
}

/// Whether a line may leave the machine.
///
/// # Errors
/// Why not.
pub fn may_leave(line: &str) -> Result<(), Kept> {
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !line.bytes().all(plain) || line.contains("\\u") || line.contains("\\x") {
        return Err(Kept::NotPlain);
    }
    if has_long_number(line.as_bytes()) {
        return Err(Kept::Digits);
    }
    if line.len() > LONGEST {
        return Err(Kept::TooLong);
    }
    Ok(())
}

fn has_long_number(mut rest: &[u8]) -> bool {
    let (mut digits, mut parted) = (0, false);
    loop {
        if let Some(after) = after_time(rest) {
            (digits, parted, rest) = (0, false, after);
        }
        let Some((byte, after)) = rest.split_first() else {
            return false;
        };
        rest = after;
        match byte {
            b'0'..=b'9' => (digits, parted) = (digits + 1, false),
            b' ' | b'-' | b'/' if !parted => parted = true,
            _ => (digits, parted) = (0, false),
        }
        if digits >= DIGITS {
            return true;
        }
    }
}

/// What follows a time, if one begins here.
fn after_time(text: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = text.split_at_checked(TIME.len())?;
    let fits = head.iter().zip(TIME).all(|(byte, wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    });
    if !fits {
        return None;
    }
    if let Some((b'.', fraction)) = rest.split_first() {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
        let (fraction, after) = fraction.split_at_checked(digits.count())?;
        if fraction.len() > 6 {
            return None;
        }
        rest = after;
    }
    rest.strip_prefix(b"Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_leave() {
        for line in [
            "",
            "2026-11-21T10:42:15.123456Z  INFO agentd: started version=\"0.1.0\" port=21710",
            r#"{"timestamp":"2026-11-21T10:42:15.123456Z","level":"INFO"}"#,
            "2026-11-21T10:42:15Z 2026-11-21T10:42:16Z host=printer attempt=3 elapsed_ms=123456",
            "peer 192.168.100.200:9100 gone",
        ] {
            assert_eq!(may_leave(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn lines_that_could_hold_a_person_stay() {
        for line in [
            "number 123456789012",
            "number 1234-5678-9012",
            "number 1234 5678 9012",
            "born 1985-04-01",
            "born 19850401",
            "born 1985/04/01",
            "tel 03-1234-5678",
            "zip 123-4567",
            "2026-11-21T10:42:15.1234567Z",
            "2026-11-21T10:42:15.123456Z1234567",
        ] {
            assert_eq!(may_leave(line), Err(Kept::Digits), "{line}");
        }
        for line in [
            "山田太郎",
            "ﾔﾏﾀﾞ",
            "name=\\u5c71\\u7530",
            "a\u{1b}[31m",
            "a\tb",
            "\\xe5",
        ] {
            assert_eq!(may_leave(line), Err(Kept::NotPlain), "{line}");
        }
        assert_eq!(may_leave(&"a".repeat(513)), Err(Kept::TooLong));
    }
}
