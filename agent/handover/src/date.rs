//! Civil dates, and the Japanese eras.
//!
//! The first days of the eras: Taishō 1912-07-30, Shōwa 1926-12-25, Heisei 1989-01-08, Reiwa 2019-05-01
//! (Cabinet Orders 元号を改める政令). The civil calendar came into force on 1873-01-01, in the sixth year of
//! Meiji (太政官布告 337 of 1872); an earlier date has no civil month and day and is refused.

/// A day of the civil calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilDate {
    year: u16,
    month: u8,
    day: u8,
}

impl CivilDate {
    /// The day, or `None` where the calendar has no such day or the year is not 1 to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year) && (1..=days_in(year, month)?).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = |part: &str, length| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if parts.next().is_some() || !plain(year, 4) || !plain(month, 2) || !plain(day, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// `20261121`.
    pub(crate) fn compact(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// `R08.11.21`, or `None` before 1873.
    pub(crate) fn wareki(self) -> Option<String> {
        const ERAS: [(char, CivilDate, u16); 5] = [
            (
                'R',
                CivilDate {
                    year: 2019,
                    month: 5,
                    day: 1,
                },
                2018,
            ),
            (
                'H',
                CivilDate {
                    year: 1989,
                    month: 1,
                    day: 8,
                },
                1988,
            ),
            (
                'S',
                CivilDate {
                    year: 1926,
                    month: 12,
                    day: 25,
                },
                1925,
            ),
            (
                'T',
                CivilDate {
                    year: 1912,
                    month: 7,
                    day: 30,
                },
                1911,
            ),
            (
                'M',
                CivilDate {
                    year: 1873,
                    month: 1,
                    day: 1,
                },
                1867,
            ),
        ];
        let (letter, _, before) = ERAS.iter().find(|(_, first, _)| self >= *first)?;
        let year = self.year - before;
        Some(format!(
            "{letter}{year:02}.{:02}.{:02}",
            self.month, self.day
        ))
    }
}

fn days_in(year: u16, month: u8) -> Option<u8> {
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
    use super::CivilDate;

    #[test]
    fn the_first_and_last_days_of_the_eras() {
        for (iso, wareki) in [
            ("2026-11-21", "R08.11.21"),
            ("2019-05-01", "R01.05.01"),
            ("2019-04-30", "H31.04.30"),
            ("1989-01-08", "H01.01.08"),
            ("1989-01-07", "S64.01.07"),
            ("1926-12-25", "S01.12.25"),
            ("1926-12-24", "T15.12.24"),
            ("1912-07-30", "T01.07.30"),
            ("1912-07-29", "M45.07.29"),
            ("1873-01-01", "M06.01.01"),
        ] {
            let date = CivilDate::parse(iso).unwrap();
            assert_eq!(date.wareki().unwrap(), wareki);
        }
        assert_eq!(CivilDate::parse("1872-12-31").unwrap().wareki(), None);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-00-10",
            "2026-13-01",
            "2026-11-00",
            "2026-1-01",
            "1950-00-00",
            "2026/11/21",
            "+026-11-21",
            "2026-11-21 ",
            "",
            "２０２６-11-21",
        ] {
            assert_eq!(CivilDate::parse(text), None, "{text}");
        }
        assert_eq!(
            CivilDate::parse("2000-02-29").unwrap().compact(),
            "20000229"
        );
    }
}
