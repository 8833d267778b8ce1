//! Takes bytes apart as [`super::sign`] puts them together, and in no other way.

use super::{ALGORITHM, CLAIMS, Claims, EDDSA, EnvelopeError, ISSUED_AT, ISSUER, KEY, Sign1, TAG};
use crate::cbor;
use crate::cbor::strict::{Cursor, Major};
use crate::signer::KeyId;

/// What these bytes hold.
pub(super) fn read(bytes: &[u8]) -> Result<Sign1, EnvelopeError> {
    let mut cursor = Cursor::new(bytes);
    expect(&mut cursor, (Major::Tag, TAG))?;
    expect(&mut cursor, (Major::Array, 4))?;
    let protected = string(&mut cursor)?;
    expect(&mut cursor, (Major::Map, 0))?;
    let payload = string(&mut cursor)?;
    let signature = string(&mut cursor)?;
    cursor.end().map_err(EnvelopeError::Encoding)?;
    let (key, claims) = headers(protected)?;
    Ok(Sign1 {
        key,
        claims,
        protected: protected.to_vec(),
        payload: payload.to_vec(),
        signature: signature.try_into().map_err(|_other| EnvelopeError::Form)?,
    })
}

fn headers(bytes: &[u8]) -> Result<(KeyId, Claims), EnvelopeError> {
    let mut cursor = Cursor::new(bytes);
    expect(&mut cursor, (Major::Map, 4))?;
    label(&mut cursor, ALGORITHM)?;
    if integer(&mut cursor)? != EDDSA {
        return Err(EnvelopeError::Form);
    }
    label(&mut cursor, KEY)?;
    let key = string(&mut cursor)?;
    label(&mut cursor, CLAIMS)?;
    expect(&mut cursor, (Major::Map, 2))?;
    label(&mut cursor, ISSUER)?;
    let issuer = text(&mut cursor)?;
    label(&mut cursor, ISSUED_AT)?;
    let issued_at = unsigned(&mut cursor)?;
    let kind = integer(&mut cursor)?;
    let value = cbor::read(cursor.rest()).map_err(EnvelopeError::Encoding)?;
    let claims = Claims {
        issuer: issuer.to_owned(),
        issued_at,
        label: kind,
        value,
    };
    let key = key.try_into().map_err(|_other| EnvelopeError::Form)?;
    // Labels of private use come after the others; one that does not is out of order.
    if kind >= 0 {
        return Err(EnvelopeError::Form);
    }
    Ok((KeyId(key), claims))
}

fn expect(cursor: &mut Cursor<'_>, head: (Major, u64)) -> Result<(), EnvelopeError> {
    if cursor.head().map_err(EnvelopeError::Encoding)? == head {
        Ok(())
    } else {
        Err(EnvelopeError::Form)
    }
}

fn label(cursor: &mut Cursor<'_>, label: i64) -> Result<(), EnvelopeError> {
    if integer(cursor)? == label {
        Ok(())
    } else {
        Err(EnvelopeError::Form)
    }
}

fn string<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], EnvelopeError> {
    match cursor.head().map_err(EnvelopeError::Encoding)? {
        (Major::Bytes, length) => cursor.take(length).map_err(EnvelopeError::Encoding),
        _ => Err(EnvelopeError::Form),
    }
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, EnvelopeError> {
    match cursor.head().map_err(EnvelopeError::Encoding)? {
        (Major::Text, length) => {
            let bytes = cursor.take(length).map_err(EnvelopeError::Encoding)?;
            std::str::from_utf8(bytes).map_err(|_other| EnvelopeError::Form)
        }
        _ => Err(EnvelopeError::Form),
    }
}

fn unsigned(cursor: &mut Cursor<'_>) -> Result<u64, EnvelopeError> {
    match cursor.head().map_err(EnvelopeError::Encoding)? {
        (Major::Unsigned, value) => Ok(value),
        _ => Err(EnvelopeError::Form),
    }
}

fn integer(cursor: &mut Cursor<'_>) -> Result<i64, EnvelopeError> {
    let (major, argument) = cursor.head().map_err(EnvelopeError::Encoding)?;
    let argument = i64::try_from(argument).map_err(|_greater| EnvelopeError::Form)?;
    if major == Major::Negative {
        Ok(-1 - argument)
    } else if major == Major::Unsigned {
        Ok(argument)
    } else {
        Err(EnvelopeError::Form)
    }
}
