//! One line of a journal: `CRC-32 in hexadecimal, space, content, line feed`.

/// The frame of a line: its check sum in front, a line feed behind.
#[derive(Debug)]
pub struct Line;

impl Line {
    /// The line with this content, which holds no line feed.
    #[must_use]
    pub fn of(content: &str) -> String {
        format!("{:08x} {content}\n", crc32(content.as_bytes()))
    }

    /// The content of a line that is whole and undamaged.
    #[must_use]
    pub fn content(line: &[u8]) -> Option<&str> {
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (sum, content) = line.split_once(' ')?;
        // As text, because a number could be written in more than one way.
        (sum == format!("{:08x}", crc32(content.as_bytes()))).then_some(content)
    }
}

/// CRC-32 of ISO 3309, bit by bit: a journal is short.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        })
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_line_is_read_whole_and_unchanged_or_not_at_all() {
        for content in ["", "ticket T1 0", "終わり\tid 7"] {
            let line = Line::of(content);
            assert_eq!(Line::content(line.as_bytes()), Some(content));
            for cut in 0..line.len() {
                assert_eq!(Line::content(&line.as_bytes()[..cut]), None);
            }
            for place in 0..line.len() {
                for bit in 0..8 {
                    let mut damaged = line.clone().into_bytes();
                    damaged[place] ^= 1 << bit;
                    assert_eq!(Line::content(&damaged), None, "bit {bit} of byte {place}");
                }
            }
        }
    }
}
