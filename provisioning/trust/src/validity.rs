//! From when until when a certificate is valid.

use time::OffsetDateTime;

use crate::TrustError;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A span of time in seconds since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Validity {
    /// Valid from `not_before` until `not_after`, in seconds since 1970.
    ///
    /// # Errors
    /// When it ends before it begins, or lies outside what a certificate can express.
    pub fn new(not_before: i64, not_after: i64) -> Result<Self, TrustError> {
        let refused = TrustError::Span {
            not_before,
            not_after,
        };
        let (Some(from), Some(until)) = (moment(not_before), moment(not_after)) else {
            return Err(refused);
        };
        if until <= from {
            return Err(refused);
        }
        Ok(Self {
            not_before: from,
            not_after: until,
        })
    }

    /// Valid for `days` days from `not_before`, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Validity::new`].
    pub fn days(not_before: i64, days: u32) -> Result<Self, TrustError> {
        let span = i64::from(days).saturating_mul(DAY);
        Self::new(not_before, not_before.saturating_add(span))
    }

    /// Its begin, in seconds since 1970.
    #[must_use]
    pub fn not_before(self) -> i64 {
        self.not_before.unix_timestamp()
    }

    /// Its end, in seconds since 1970.
    #[must_use]
    pub fn not_after(self) -> i64 {
        self.not_after.unix_timestamp()
    }

    pub(crate) fn moments(self) -> (OffsetDateTime, OffsetDateTime) {
        (self.not_before, self.not_after)
    }
}

/// RFC 5280, 4.1.2.5: a year has four digits; before 1950 there is no date that all readers share.
fn moment(seconds: i64) -> Option<OffsetDateTime> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    (1950..=9999).contains(&moment.year()).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_length_and_dates_that_certificates_know() {
        assert!(Validity::new(0, 1).is_ok());
        for (from, until) in [
            (1, 1),
            (2, 1),
            (0, i64::MAX),
            (i64::MIN, 0),
            (-700_000_000, 0),
        ] {
            assert!(Validity::new(from, until).is_err(), "{from} {until}");
        }
        assert!(Validity::days(0, 0).is_err());
        assert_eq!(Validity::days(10, 2).unwrap().not_after(), 10 + 2 * DAY);
    }
}
