//! Calendar dates as the card writes them, and the Japanese era years that verification number B uses.
//!
//! Day arithmetic follows the proleptic Gregorian calendar, in days since 1970-01-01.

use std::fmt;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// First days of the eras, newest first, and the year before their first year.
const ERAS: [((u16, u8, u8), u16); 5] = [
    ((2019, 5, 1), 2018),
    ((1989, 1, 8), 1988),
    ((1926, 12, 25), 1925),
    ((1912, 7, 30), 1911),
    ((1868, 1, 25), 1867),
];

impl Date {
    /// The day written as `YYYYMMDD`; `None` when there is no such day.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |range| {
            digits
                .get(range)
                .and_then(|part: &str| part.parse::<u16>().ok())
        };
        let date = Self {
            year: number(0..4)?,
            month: u8::try_from(number(4..6)?).ok()?,
            day: u8::try_from(number(6..8)?).ok()?,
        };
        (Self::from_days(date.days()) == Some(date)).then_some(date)
    }

    /// The day that contains this moment in Japan, given in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn in_japan(unix_seconds: u64) -> Option<Self> {
        let days = unix_seconds.checked_add(9 * 3600)? / 86_400;
        Self::from_days(i64::try_from(days).ok()?)
    }

    /// The day so many days later, or earlier; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Option<Self> {
        Self::from_days(self.days().checked_add(i64::from(days))?)
    }

    /// Year, month and day.
    #[must_use]
    pub const fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// As six digits with the year of the Japanese era, which is how the birth date enters
    /// verification number B; `None` before the Meiji era.
    #[must_use]
    pub fn era_digits(self) -> Option<String> {
        let (_, before) = ERAS.iter().find(|(first, _)| self.parts() >= *first)?;
        Some(format!(
            "{:02}{:02}{:02}",
            self.year - before,
            self.month,
            self.day
        ))
    }

    /// Days since 1970-01-01; the month is counted from March, so that the leap day ends the year.
    fn days(self) -> i64 {
        let shifted = (i64::from(self.month) + 9) % 12;
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let leap_days = year / 4 - year / 100 + year / 400;
        year * 365 + leap_days + (shifted * 153 + 2) / 5 + i64::from(self.day) - 1 - 719_468
    }

    fn from_days(days: i64) -> Option<Self> {
        let day = days.checked_add(719_468)?;
        let century = (4 * day + 3) / 146_097;
        let in_century = day - century * 146_097 / 4;
        let year = (4 * in_century + 3) / 1461;
        let in_year = in_century - 1461 * year / 4;
        let shifted = (5 * in_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = century * 100 + year + i64::from(month <= 2);
        Some(Self {
            year: u16::try_from(year)
                .ok()
                .filter(|year| (1..=9999).contains(year))?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(in_year - (153 * shifted + 2) / 5 + 1).ok()?,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        for digits in ["20240229", "19800217", "20001231", "19000228"] {
            assert_eq!(Date::parse(digits).unwrap().to_string(), digits);
        }
        for digits in [
            "20230229", "19000229", "20241301", "20240100", "2024011", "2024011x",
        ] {
            assert_eq!(Date::parse(digits), None, "{digits}");
        }
    }

    #[test]
    fn days_are_counted_across_months_and_leap_years() {
        let date = |digits| Date::parse(digits).unwrap();
        assert_eq!(date("20240228").plus_days(2), Some(date("20240301")));
        assert_eq!(date("20250101").plus_days(-1), Some(date("20241231")));
        assert_eq!(date("20240301").plus_days(365), Some(date("20250301")));
        assert_eq!(Date::parse("99991231").unwrap().plus_days(1), None);
    }

    #[test]
    fn the_day_in_japan_begins_nine_hours_earlier() {
        assert_eq!(Date::in_japan(0), Date::parse("19700101"));
        assert_eq!(Date::in_japan(15 * 3600 - 1), Date::parse("19700101"));
        assert_eq!(Date::in_japan(15 * 3600), Date::parse("19700102"));
    }

    #[test]
    fn era_years_change_on_the_day_the_era_does() {
        let era = |digits| Date::parse(digits).unwrap().era_digits();
        assert_eq!(era("19800217").as_deref(), Some("550217"));
        assert_eq!(era("20190430").as_deref(), Some("310430"));
        assert_eq!(era("20190501").as_deref(), Some("010501"));
        assert_eq!(era("19890107").as_deref(), Some("640107"));
        assert_eq!(era("19890108").as_deref(), Some("010108"));
        assert_eq!(era("18671231"), None);
    }
}
