//! A citizen who exists for one run, made of words that stand nowhere else.
//!
//! Every value is drawn anew, so that nothing found later can be a coincidence of an earlier run.
//! The individual number has a wrong check digit on purpose (order of the Ministry of Internal Affairs and
//! Communications of 2014, article 5: weights 2 to 7 and 2 to 6), so that it is nobody's.

use std::fmt::Write as _;

use rand::Rng;

/// The citizen's card in controls of the simulation.
pub(crate) const HOLDER: &str = "canary";

/// Kanji of JIS X 0208 that can follow one another by chance nowhere: two names are drawn from these.
const KANJI: [char; 24] = [
    '鰯', '鱈', '鯖', '鮭', '鰹', '鯛', '鯉', '鮎', '鶴', '鷹', '鴨', '鳩', '鷺', '鶯', '鵜', '鴎',
    '楓', '槙', '樫', '椿', '柊', '榊', '楠', '櫟',
];

/// The citizen.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) pin: String,
    /// What the citizen types by mistake: another card's PIN, perhaps.
    pub(crate) mistyped: String,
    pub(crate) family_name: String,
    pub(crate) given_name: String,
    pub(crate) street: String,
    pub(crate) birth: String,
    pub(crate) number: String,
    pub(crate) serial: String,
    security_code: String,
}

/// Something about the citizen that must be found nowhere.
#[derive(Debug)]
pub(crate) struct Canary {
    /// What it is.
    pub(crate) what: &'static str,
    /// The value, or a part that identifies it.
    pub(crate) value: String,
}

impl Person {
    /// Draws a citizen.
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        let pin = draw_pin(random);
        let mistyped = loop {
            let other = draw_pin(random);
            if other != pin {
                break other;
            }
        };
        Self {
            pin,
            mistyped,
            family_name: draw_kanji(random, 3),
            given_name: draw_kanji(random, 3),
            street: draw_kanji(random, 4),
            birth: format!(
                "{}{:02}{:02}",
                random.random_range(1930..2000),
                random.random_range(1..=12),
                random.random_range(1..=28)
            ),
            number: draw_nobodys_number(random),
            serial: draw_digits(random, 15),
            security_code: draw_digits(random, 4),
        }
    }

    /// The name as the card holds it.
    pub(crate) fn name(&self) -> String {
        format!("{}\u{3000}{}", self.family_name, self.given_name)
    }

    /// The holders' file of the simulation, with this citizen alone.
    pub(crate) fn holders_file(&self) -> String {
        format!(
            "[[holder]]\nid = \"{HOLDER}\"\nlabel = {{ ja = \"試験\", en = \"A test\" }}\npin = \"{}\"\n\
             [holder.person]\nname = \"{}\"\naddress = \"見本市{}一丁目\"\nbirth = \"{}\"\nsex = \"2\"\n\
             number = \"{}\"\nmunicipality = \"13299\"\nserial = \"{}\"\nsecurity_code = \"{}\"\n\
             expires_in_days = 900\n",
            self.pin,
            self.name(),
            self.street,
            self.birth,
            self.number,
            self.serial,
            self.security_code
        )
    }

    /// Everything that must be found nowhere; `number_b` is what the simulation made of the citizen.
    pub(crate) fn canaries(&self, number_b: &str) -> Vec<Canary> {
        let mut canaries = Vec::new();
        let mut plant = |what, value: &str| {
            canaries.push(Canary {
                what,
                value: value.to_owned(),
            });
        };
        plant("PIN", &self.pin);
        plant("mistyped PIN", &self.mistyped);
        plant("name", &self.family_name);
        plant("name", &self.given_name);
        plant("address", &self.street);
        plant("individual number", &self.number);
        plant("serial", &self.serial);
        plant("number B", number_b);
        for birth in written_dates(&self.birth) {
            plant("birth date", &birth);
        }
        canaries
    }
}

/// The ways in which a date is written.
fn written_dates(date: &str) -> Vec<String> {
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let plain = |digits: &str| digits.trim_start_matches('0').to_owned();
    vec![
        date.to_owned(),
        format!("{year}-{month}-{day}"),
        format!("{year}/{month}/{day}"),
        format!("{year}年{}月{}日", plain(month), plain(day)),
    ]
}

/// A PIN that is no year, no status word of the card and no round number.
fn draw_pin(random: &mut impl Rng) -> String {
    loop {
        let pin = random.random_range(2100..8999_u32);
        let is_status_word = (6000..7000).contains(&pin);
        if !is_status_word && pin % 10 != 0 {
            return pin.to_string();
        }
    }
}

fn draw_kanji(random: &mut impl Rng, count: usize) -> String {
    let mut text = String::new();
    while text.chars().count() < count {
        let kanji = KANJI.get(random.random_range(0..KANJI.len()));
        text.extend(kanji.filter(|kanji| !text.contains(**kanji)));
    }
    text
}

fn draw_digits(random: &mut impl Rng, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        let _infallible = write!(text, "{}", random.random_range(1..=9_u32));
    }
    text
}

/// Eleven digits and one that is not their check digit.
fn draw_nobodys_number(random: &mut impl Rng) -> String {
    let digits = draw_digits(random, 11);
    let weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = digits
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    format!("{digits}{}", (check + 1) % 10)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::{Person, written_dates};

    #[test]
    fn two_runs_share_no_canary() {
        let draw = |seed| Person::draw(&mut StdRng::seed_from_u64(seed));
        let (one, two) = (draw(1), draw(2));
        assert_ne!(one.number, two.number);
        assert_ne!(one.serial, two.serial);
        assert_ne!((&one.pin, &one.birth), (&two.pin, &two.birth));
        assert_ne!(one.pin, one.mistyped);
    }

    #[test]
    fn a_date_is_sought_as_people_and_programs_write_it() {
        let forms = ["19320508", "1932-05-08", "1932/05/08", "1932年5月8日"];
        assert_eq!(written_dates("19320508"), forms);
    }
}
