//! Dates as cards hold them: eight digits, not always a day of the calendar.

/// `YYYY-MM-DD` for eight digits that name a day of the Gregorian calendar; anything else stays as it is.
///
/// Where a birth date is not fully known, cards hold `00` for the day or for month and day.
pub(crate) fn dashed(digits: &str) -> String {
    dashed_date(digits).unwrap_or_else(|| digits.to_owned())
}

/// Whether `text` is a day of the calendar as `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    let digits: String = text.split('-').collect();
    dashed_date(&digits).is_some_and(|dashed| dashed == text)
}

fn dashed_date(digits: &str) -> Option<String> {
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    let last = last_day(year.parse().ok()?, month.parse().ok()?)?;
    if !(1..=last).contains(&day.parse().ok()?) {
        return None;
    }
    // Room for all of it at once: growing would leave a copy of somebody's birth date behind.
    let mut date = String::with_capacity("YYYY-MM-DD".len());
    for part in [year, "-", month, "-", day] {
        date.push_str(part);
    }
    Some(date)
}

fn last_day(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_become_a_date_only_when_the_day_exists() {
        for (digits, expected) in [
            ("19800217", "1980-02-17"),
            ("20000229", "2000-02-29"),
            ("19000229", "19000229"),
            ("20230229", "20230229"),
            ("20240431", "20240431"),
            ("19450000", "19450000"),
            ("19450300", "19450300"),
            ("20241301", "20241301"),
            ("1980021", "1980021"),
            ("1980021x", "1980021x"),
        ] {
            assert_eq!(dashed(digits), expected);
        }
    }

    #[test]
    fn only_a_dashed_day_of_the_calendar_is_a_date() {
        assert!(is_date("2026-11-21"));
        for other in ["20261121", "2026-1121", "2026-11-31", "-2026-11-21", ""] {
            assert!(!is_date(other), "{other}");
        }
    }
}
