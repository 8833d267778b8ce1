//! DER (ITU-T X.690), as much as a signature in CMS needs: a writer, and a reader of certificates.

/// Universal tags.
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// The first context-specific tag of a constructed value.
pub(crate) const CONTEXT_0: u8 = 0xA0;
const OID: u8 = 0x06;

/// A value of its parts.
pub(crate) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else {
        let bytes: Vec<u8> = length
            .to_be_bytes()
            .into_iter()
            .skip_while(|byte| *byte == 0)
            .collect();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        out.extend(bytes);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A SET OF: its members stand in the order of their bytes (§11.6).
pub(crate) fn set_of(tag: u8, mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    let members: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    wrap(tag, &members)
}

/// A small number.
pub(crate) fn small(number: u8) -> Vec<u8> {
    wrap(INTEGER, &[&[number & 0x7F]])
}

/// An object identifier (§8.19).
pub(crate) fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut body = Vec::new();
    if let [first, second, rest @ ..] = arcs {
        push_arc(&mut body, first * 40 + second);
        for arc in rest {
            push_arc(&mut body, *arc);
        }
    }
    wrap(OID, &[&body])
}

fn push_arc(out: &mut Vec<u8>, arc: u32) {
    for shift in [28, 21, 14, 7] {
        if arc >> shift > 0 {
            out.push(0x80 | u8::try_from(arc >> shift & 0x7F).unwrap_or(0));
        }
    }
    out.push(u8::try_from(arc & 0x7F).unwrap_or(0));
}

/// One value out of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Takes the first value; the rest is what follows it.
pub(crate) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        // Longer lengths than four bytes, and the indefinite one, occur in no certificate.
        let count = usize::from(length & 0x7F);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        let length = digits
            .iter()
            .fold(0_usize, |all, digit| all << 8 | usize::from(*digit));
        (length, rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    let element = Element {
        tag: *tag,
        whole,
        content,
    };
    Some((element, after))
}

/// Takes the first value, which has this tag.
pub(crate) fn expect(bytes: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    first(bytes).filter(|(element, _)| element.tag == tag)
}

#[cfg(test)]
mod tests {
    use super::{INTEGER, SEQUENCE, SET, expect, first, oid, set_of, small, wrap};

    #[test]
    fn values_are_as_others_write_them() {
        assert_eq!(small(3), [2, 1, 3]);
        // 1.2.840.113549.1.7.2, as in RFC 5652.
        assert_eq!(
            hex::encode(oid(&[1, 2, 840, 113_549, 1, 7, 2])),
            "06092a864886f70d010702"
        );
        assert_eq!(
            set_of(SET, vec![small(5), small(2)]),
            [0x31, 6, 2, 1, 2, 2, 1, 5]
        );
        assert_eq!(wrap(SEQUENCE, &[&[0; 300]])[..4], [0x30, 0x82, 1, 44]);
    }

    #[test]
    fn what_is_cut_is_not_read() {
        let value = wrap(SEQUENCE, &[&small(1), &[0; 200]]);
        let (element, rest) = first(&value).unwrap();
        assert_eq!((element.whole, rest), (value.as_slice(), &[][..]));
        assert!(expect(element.content, INTEGER).is_some());
        for length in 0..value.len() {
            assert!(first(&value[..length]).is_none());
        }
        assert!(first(&[0x30, 0x80, 0, 0]).is_none());
        assert!(first(&[0x30, 0x85, 0, 0, 0, 0, 1, 1]).is_none());
    }
}
