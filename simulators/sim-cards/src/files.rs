//! Contents of the files of the common card and card-surface input applications.
//!
//! Source: `myna-card`; the tests put the published dump of a test card through the same functions and
//! compare byte by byte. Sizes of files beyond EF 0001's are our choice, because the dump is trimmed.

use rsa::sha2::{Digest, Sha256};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::certificate::{KeyId, public_key, sign};
use crate::tlv::{encode, encode_wide};

/// Size of EF 0001 on the card, filler included, which the integrity record covers.
pub(crate) const NUMBER_FILE_SIZE: usize = 17;

/// EF 0001 of the common card application, record 1: `01 1C` and 28 digits.
pub(crate) fn card_info(serial: &str, municipality: &str, expiry: &str) -> Vec<u8> {
    let digits = format!("{serial}{municipality}{expiry}");
    let mut record = vec![0x01, 0x1C];
    record.extend_from_slice(digits.as_bytes());
    record
}

/// EF 0001: the individual number, padded to its physical size.
pub(crate) fn number(number: &str) -> Vec<u8> {
    padded(encode(0xFF10, number.as_bytes()), NUMBER_FILE_SIZE)
}

/// EF 0002: the four attributes behind a table of their offsets from the start of the file.
///
/// `None` when an offset does not fit into two bytes.
pub(crate) fn attributes(name: &[u8], address: &[u8], birth: &str, sex: u8) -> Option<Vec<u8>> {
    let fields = [
        encode(0xDF22, name),
        encode(0xDF23, address),
        encode(0xDF24, birth.as_bytes()),
        encode(0xDF25, &[sex]),
    ];
    let content: usize = fields.iter().map(Vec::len).sum();
    // The table has a header of three bytes and eight bytes of offsets.
    let inner = 11 + content;
    let mut offset = encode(0xFF20, &vec![0; inner]).len() - content;
    let mut table = Vec::new();
    for field in &fields {
        table.extend_from_slice(&u16::try_from(offset).ok()?.to_be_bytes());
        offset += field.len();
    }
    let mut value = encode(0xDF21, &table);
    value.extend(fields.concat());
    Some(encode(0xFF20, &value))
}

/// What the integrity record says of EF 0002: the digest of everything after the offset table.
///
/// `None` when `file` does not begin with such a table.
pub(crate) fn attributes_digest(file: &[u8]) -> Option<[u8; 32]> {
    let (outer, _) = crate::tlv::parse(file).ok()?;
    let (table, fields) = crate::tlv::parse(outer.value).ok()?;
    (table.tag == 0xDF21).then(|| Sha256::digest(fields).into())
}

/// EF 0003: digests of EF 0001, filler included, and EF 0002, and the signature over both.
pub(crate) fn integrity(
    number_file: &[u8],
    attributes_digest: [u8; 32],
    signer: &RsaPrivateKey,
) -> Result<Vec<u8>, rsa::Error> {
    let mut signed = encode(0xDF31, &Sha256::digest(number_file));
    signed.extend(encode(0xDF32, &attributes_digest));
    let signature = sign(signer, &signed)?;
    signed.extend(encode(0xDF33, &signature));
    Ok(encode(0xFF30, &signed))
}

/// EF 0005: what the application says of itself.
///
/// Byte two of the identification tells whether the extended length form is supported; the 128 bytes
/// behind the key id are 32 that nobody has explained, and filler.
pub(crate) fn application_data(extended_lengths: bool, key_id: KeyId) -> Vec<u8> {
    let support = if extended_lengths { 0x03 } else { 0x00 };
    let mut content = encode(0xDF41, &[0x01, support, 0x0E, 0x01]);
    content.extend(encode(0xDF42, &key_id));
    let unexplained = Sha256::digest(b"simulated").to_vec();
    content.extend(encode_wide(0xDF43, &padded(unexplained, 128)));
    encode_wide(0xFF40, &content)
}

/// EF 0006: the public key for secure messaging sessions.
pub(crate) fn session_key(key: &RsaPublicKey) -> Vec<u8> {
    encode(0xA1, &public_key(key))
}

/// EF 0007: the public half of the card's own key, and the signature over it.
pub(crate) fn card_key(card: &RsaPublicKey, signer: &RsaPrivateKey) -> Result<Vec<u8>, rsa::Error> {
    let mut signed = encode(0xDF51, &public_key(card));
    let signature = sign(signer, &signed)?;
    signed.extend(encode(0xDF52, &signature));
    Ok(encode(0xFF50, &signed))
}

/// Filled with FF to `size`, as the card fills its files.
pub(crate) fn padded(mut content: Vec<u8>, size: usize) -> Vec<u8> {
    content.resize(size.max(content.len()), 0xFF);
    content
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rsa::pkcs1v15::VerifyingKey;
    use rsa::{BigUint, signature::Verifier};

    use super::*;
    use crate::tlv::{Tlv, parse};

    /// A file of the published test card (see `data/jlis-test-card/README.md`).
    fn dump(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/jlis-test-card/");
        fs::read(format!("{folder}{name}.bin")).unwrap()
    }

    /// Objects one after another, up to filler.
    fn objects(mut bytes: &[u8]) -> Vec<Tlv<'_>> {
        let mut found = Vec::new();
        while bytes
            .first()
            .is_some_and(|first| *first != 0xFF || found.is_empty())
        {
            let (tlv, rest) = parse(bytes).unwrap();
            found.push(tlv);
            bytes = rest;
        }
        found
    }

    fn inner(file: &[u8]) -> Vec<Tlv<'_>> {
        objects(parse(file).unwrap().0.value)
    }

    /// Tags and lengths, which must be alike on a simulated and on the published card.
    fn shape(file: &[u8]) -> Vec<(u16, usize)> {
        inner(file)
            .iter()
            .map(|tlv| (tlv.tag, tlv.whole.len()))
            .collect()
    }

    fn key(bytes: &[u8]) -> VerifyingKey<Sha256> {
        let fields = objects(bytes);
        let [exponent, modulus] = fields.as_slice() else {
            panic!("exponent and modulus")
        };
        let modulus = BigUint::from_bytes_be(modulus.value);
        let exponent = BigUint::from_bytes_be(exponent.value);
        VerifyingKey::new(RsaPublicKey::new(modulus, exponent).unwrap())
    }

    fn verifies(key: &VerifyingKey<Sha256>, message: &[u8], signature: &[u8]) -> bool {
        key.verify(message, &signature.try_into().unwrap()).is_ok()
    }

    /// The key that signs the published card's data, from its certificate.
    fn dump_signer() -> VerifyingKey<Sha256> {
        let file = dump("text-0004");
        let certificate = inner(&file);
        key(&certificate[0].value[32..])
    }

    fn own_key() -> RsaPrivateKey {
        RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap()
    }

    #[test]
    fn the_published_cards_number_file_is_rebuilt_byte_by_byte() {
        assert_eq!(number("537686677188"), dump("text-0001-physical"));
    }

    #[test]
    fn the_published_cards_attributes_file_is_rebuilt_byte_by_byte() {
        let address = "東京都清瀬市観布子南１２－７－２０２";
        let file = attributes(
            "黒桐　幹也".as_bytes(),
            address.as_bytes(),
            "19800217",
            b'1',
        )
        .unwrap();
        assert_eq!(file, dump("text-0002"));
    }

    #[test]
    fn the_published_cards_record_is_rebuilt_byte_by_byte() {
        let record = card_info("400000012719843", "13221", "20350217");
        assert_eq!(record, b"\x01\x1c4000000127198431322120350217");
    }

    #[test]
    fn digests_are_taken_as_on_the_published_card() {
        let file = dump("text-0003");
        let integrity = inner(&file);
        assert_eq!(
            integrity[0].value,
            Sha256::digest(dump("text-0001-physical")).as_slice()
        );
        assert_eq!(
            integrity[1].value,
            attributes_digest(&dump("text-0002")).unwrap()
        );
    }

    #[test]
    fn signatures_cover_what_they_cover_on_the_published_card() {
        let signer = dump_signer();
        for (name, signed) in [("text-0003", 2), ("text-0007", 1)] {
            let file = dump(name);
            let fields = inner(&file);
            let message: Vec<u8> = fields[..signed]
                .iter()
                .flat_map(|tlv| tlv.whole)
                .copied()
                .collect();
            assert!(verifies(&signer, &message, fields[signed].value), "{name}");
        }

        let own = own_key();
        let signer = key(&public_key(&own.to_public_key()));
        let file = integrity(&number("000000000019"), [7; 32], &own).unwrap();
        let fields = inner(&file);
        let message = [fields[0].whole, fields[1].whole].concat();
        assert!(verifies(&signer, &message, fields[2].value));
        assert_eq!(shape(&file), shape(&dump("text-0003")));

        let file = card_key(&own.to_public_key(), &own).unwrap();
        let fields = inner(&file);
        assert!(verifies(&signer, fields[0].whole, fields[1].value));
        assert_eq!(shape(&file), shape(&dump("text-0007")));
    }

    #[test]
    fn keys_and_certificates_have_the_shape_of_the_published_ones() {
        use crate::certificate::{CA_COMMON, CA_TEXT, MUNICIPALITY, SIGNER};
        let own = own_key();
        let public = own.to_public_key();
        let text = crate::certificate::certificate((CA_TEXT, &own), (SIGNER, &public)).unwrap();
        let published = dump("text-0004");
        assert_eq!(
            (shape(&text), text.len()),
            (shape(&published), published.len())
        );
        assert_eq!(text[..10], published[..10]);

        let object =
            crate::certificate::certificate_object((CA_COMMON, &own), (MUNICIPALITY, &public));
        let (object, published) = (object.unwrap(), dump("mf-do-F8"));
        assert_eq!(
            (object.len(), &object[..17]),
            (published.len(), &published[..17])
        );
        let shapes = |bytes: &[u8]| -> Vec<_> {
            objects(bytes)
                .iter()
                .map(|tlv| (tlv.tag, tlv.whole.len()))
                .collect()
        };
        assert_eq!(shapes(&object), shapes(&published));

        let published = dump("text-0006");
        assert_eq!(shape(&session_key(&public)), shape(&published));
        assert_eq!(session_key(&public)[..13], published[..13]);
    }

    #[test]
    fn application_data_have_the_shape_of_the_published_ones() {
        let (file, published) = (application_data(true, CA_TEXT_ID), dump("text-0005"));
        assert_eq!(
            (shape(&file), file.len()),
            (shape(&published), published.len())
        );
        assert_eq!(file[..15], published[..15], "headers and identification");
        assert_eq!(file[68..], published[68..], "filler");
        assert_eq!(application_data(false, CA_TEXT_ID)[9], 0);
    }

    const CA_TEXT_ID: KeyId = crate::certificate::CA_TEXT;

    #[test]
    fn long_texts_move_the_offsets_with_the_longer_length_form() {
        for length in [10, 70, 90, 127, 128, 255, 256, 400] {
            let file = attributes(&vec![b'n'; length], &[b'a'; 5], "19800217", b'2').unwrap();
            let fields = inner(&file);
            let offsets: Vec<usize> = fields[0]
                .value
                .chunks(2)
                .map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]])))
                .collect();
            let tags: Vec<_> = offsets
                .iter()
                .map(|offset| u16::from_be_bytes([file[*offset], file[offset + 1]]))
                .collect();
            assert_eq!(tags, [0xDF22, 0xDF23, 0xDF24, 0xDF25], "{length}");
        }
        assert_eq!(
            attributes(&vec![b'n'; 70_000], b"a", "19800217", b'2'),
            None
        );
    }
}
