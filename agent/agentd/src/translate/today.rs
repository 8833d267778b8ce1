//! Today in Japan, where a card's validity ends with the day.

/// Japan Standard Time is nine hours ahead of UTC all year round.
const JAPAN_MILLIS: u64 = 9 * 3600 * 1000;
const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// The date in Japan as `YYYY-MM-DD`, at a time in milliseconds since 1970 (UTC).
#[must_use]
pub fn today_in_japan(unix_millis: u64) -> String {
    let days = unix_millis.saturating_add(JAPAN_MILLIS) / DAY_MILLIS;
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The Gregorian date of a day counted from 1970-01-01: years that begin in March put the leap day last,
/// and 400 such years always have 146,097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days from 0000-03-01 to 1970-01-01.
    let since_march_0000 = days + 719_468;
    let era = since_march_0000 / 146_097;
    let day_of_era = since_march_0000 % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, month lengths repeat every five months in 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (year_of_era + era * 400 + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::today_in_japan;

    #[test]
    fn the_day_changes_at_midnight_in_japan() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (15 * 3600 - 1, "1970-01-01"),
            (15 * 3600, "1970-01-02"),
            (951_782_400, "2000-02-29"),
            (1_709_132_399, "2024-02-28"),
            (1_709_132_400, "2024-02-29"),
            (1_795_219_200, "2026-11-21"),
            (1_798_729_200, "2027-01-01"),
        ] {
            assert_eq!(today_in_japan(seconds * 1000), date);
        }
    }
}
