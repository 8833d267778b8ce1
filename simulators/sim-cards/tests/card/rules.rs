//! The rules of the simulated My Number card, one by one; the sources are beside the code.

use proptest::prelude::*;
use sim_kit::{Card, Power};

use crate::bench::Bench;

const COMMON: &str = "00A4040C0AD3921000310001010100";
const TEXT: &str = "00A4040C0AD3921000310001010408";
const DOMAIN: &str = "00A4040C07A0000001510000";

impl Bench {
    /// Sends a command in hexadecimal, with blanks between its parts, and returns data and status word.
    fn send(&mut self, command: &str) -> (Vec<u8>, u16) {
        let bytes = hex::decode(command.replace(' ', "")).unwrap();
        let mut answer = self.card.transmit(&bytes);
        let status = answer.split_off(answer.len() - 2);
        (answer, u16::from_be_bytes([status[0], status[1]]))
    }

    /// The status word alone.
    fn status(&mut self, command: &str) -> u16 {
        self.send(command).1
    }

    /// Presents a secret to a key file by its short id.
    fn verify(&mut self, key: u8, secret: &str) -> u16 {
        let secret_hex = hex::encode(secret);
        self.status(&format!(
            "002000{:02X} {:02X} {secret_hex}",
            0x80 | key,
            secret.len()
        ))
    }

    fn pin(&mut self) -> u16 {
        let pin = self.holder.pin.clone();
        self.verify(0x11, &pin)
    }
}

/// Sends each command and compares its status word.
fn check(bench: &mut Bench, steps: &[(&str, u16)]) {
    for (command, expected) in steps {
        let status = bench.status(command);
        assert_eq!(
            status, *expected,
            "{command}: {status:04X}, not {expected:04X}"
        );
    }
}

#[test]
fn the_first_command_after_power_up_is_answered_6f00_and_only_the_first() {
    let mut bench = Bench::of("hanako");
    bench.card.power(Power::Off);
    bench.card.power(Power::On);
    check(&mut bench, &[(TEXT, 0x6F00), (TEXT, 0x9000)]);
    bench.card.power(Power::Reset);
    check(&mut bench, &[(TEXT, 0x9000)]);
}

#[test]
fn applications_are_selected_by_their_whole_identifier() {
    let mut bench = Bench::of("hanako");
    check(
        &mut bench,
        &[
            (COMMON, 0x9000),
            (TEXT, 0x9000),
            (DOMAIN, 0x9000),
            ("00A4040C09D39210003100010104", 0x6A82),
            ("00A4040C0AD392F000260100000001", 0x6A82),
            ("00A4040C", 0x6700),
            ("00A404000AD3921000310001010408", 0x6A86),
        ],
    );
}

#[test]
fn the_master_file_cannot_be_selected() {
    let mut bench = Bench::of("hanako");
    check(
        &mut bench,
        &[
            ("00A40000", 0x6A86),
            (TEXT, 0x9000),
            ("00A40000", 0x9000),
            ("00A40000023F00", 0x6A82),
        ],
    );
    check(&mut bench, &[("00B0850001", 0x9000)]);
}

#[test]
fn the_common_record_is_free_and_has_28_digits() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(COMMON, 0x9000)]);
    let (record, status) = bench.send("00B2010C00");
    assert_eq!((record.len(), status), (30, 0x9000));
    assert_eq!(&record[..2], [0x01, 0x1C]);
    assert_eq!(&record[17..22], b"13299");
    assert_eq!(&record[22..], b"20340508");
    check(
        &mut bench,
        &[
            ("00A4020C020001", 0x9000),
            ("00B2010400", 0x9000),
            ("00B2020400", 0x6A83),
            ("00B2010500", 0x6A81),
            ("00B201041D", 0x6700),
            ("00B2010C", 0x6700),
            ("00B0000000", 0x6981),
            ("00B2011400", 0x6A82),
        ],
    );
}

#[test]
fn data_objects_answer_outside_applications_and_large_ones_only_to_extended_lengths() {
    let mut bench = Bench::of("hanako");
    assert_eq!(bench.send("00CA00F000"), (b"13299".to_vec(), 0x9000));
    assert_eq!(bench.send("00CA00F200"), (b"20340508".to_vec(), 0x9000));
    check(
        &mut bench,
        &[
            ("00CA00F800", 0x6700),
            ("00CA7F2100", 0x6A88),
            ("00CA00F0", 0x6700),
        ],
    );
    let (chain, status) = bench.send("00CA00F8000000");
    assert_eq!((chain.len(), status), (575, 0x9000));
    check(
        &mut bench,
        &[
            (TEXT, 0x9000),
            ("00CA00F000", 0x6A88),
            ("00CA5F5100", 0x9000),
        ],
    );
}

#[test]
fn each_secret_opens_its_files_and_no_others() {
    let readable = |secret: Option<u8>| -> Vec<u8> {
        let mut bench = Bench::of("hanako");
        check(&mut bench, &[(TEXT, 0x9000)]);
        let (pin, a) = (bench.holder.pin.clone(), bench.holder.number.clone());
        let b = bench.holder.verification_number_b();
        match secret {
            Some(0x11) => assert_eq!(bench.verify(0x11, &pin), 0x9000),
            Some(0x14) => assert_eq!(bench.verify(0x14, &a), 0x9000),
            Some(0x15) => assert_eq!(bench.verify(0x15, &b), 0x9000),
            _ => {}
        }
        let opens = |id: &u8| match bench.status(&format!("00B0{:02X}0001", 0x80 | id)) {
            0x9000 => true,
            0x6982 => false,
            other => panic!("EF {id:02X}: {other:04X}"),
        };
        (1..=8).filter(opens).collect()
    };
    assert_eq!(readable(None), [4, 5, 8]);
    assert_eq!(readable(Some(0x11)), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(readable(Some(0x14)), [1, 3, 4, 5, 6, 7, 8]);
    assert_eq!(readable(Some(0x15)), [2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn an_empty_verify_asks_for_the_tries_and_spends_none() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    for _ in 0..5 {
        check(
            &mut bench,
            &[
                ("00200091", 0x63C3),
                ("00200094", 0x63CA),
                ("00200095", 0x63CA),
            ],
        );
    }
    check(
        &mut bench,
        &[("00A4020C020011", 0x9000), ("00200080", 0x63C3)],
    );
    assert_eq!(bench.pin(), 0x9000);
    check(&mut bench, &[("00200080", 0x9000), ("00200095", 0x63CA)]);
}

#[test]
fn the_third_wrong_pin_answers_63c0_and_every_later_one_6984_even_the_right_one() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    for expected in [0x63C2, 0x63C1, 0x63C0, 0x6984] {
        assert_eq!(bench.verify(0x11, "0000"), expected);
    }
    assert_eq!(bench.pin(), 0x6984);
    check(&mut bench, &[("00200091", 0x63C0), ("00B0820001", 0x6982)]);
    let b = bench.holder.verification_number_b();
    assert_eq!(bench.verify(0x15, &b), 0x9000);
}

#[test]
fn the_right_pin_gives_all_tries_back() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.verify(0x11, "0000"), 0x63C2);
    assert_eq!(bench.pin(), 0x9000);
    assert_eq!(bench.card.tries_left().pin, 3);
}

#[test]
fn a_wrong_secret_takes_back_what_the_right_one_had_opened() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    assert_eq!(bench.verify(0x11, "123"), 0x63C2);
    check(&mut bench, &[("00B0820001", 0x6982)]);
}

#[test]
fn spent_tries_survive_the_power() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.verify(0x11, "0000"), 0x63C2);
    bench.card.power(Power::Off);
    bench.power_up();
    check(&mut bench, &[(TEXT, 0x9000), ("00200091", 0x63C2)]);
}

#[test]
fn blocked_and_nearly_blocked_cards_are_so_from_the_first_day() {
    let mut blocked = Bench::of("blocked");
    check(&mut blocked, &[(TEXT, 0x9000), ("00200091", 0x63C0)]);
    assert_eq!(blocked.pin(), 0x6984);
    let mut last = Bench::of("last-try");
    check(&mut last, &[(TEXT, 0x9000), ("00200091", 0x63C1)]);
    assert_eq!(last.verify(0x11, "0000"), 0x63C0);
}

#[test]
fn a_verified_pin_survives_a_warm_reset_but_not_select_or_power_off() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    bench.card.power(Power::Reset);
    bench.card.power(Power::On);
    check(&mut bench, &[("00B0820001", 0x9000)]);
    for leave in [TEXT, COMMON, DOMAIN] {
        check(
            &mut bench,
            &[(leave, 0x9000), (TEXT, 0x9000), ("00B0820001", 0x6982)],
        );
        assert_eq!(bench.pin(), 0x9000);
    }
    bench.card.power(Power::Off);
    bench.power_up();
    check(
        &mut bench,
        &[
            ("00B0820001", 0x6A82),
            (TEXT, 0x9000),
            ("00B0820001", 0x6982),
        ],
    );
}

#[test]
fn a_failed_select_leaves_everything_as_it_was() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    check(
        &mut bench,
        &[
            ("00A4040C0AD392F000260100000001", 0x6A82),
            ("00B0820001", 0x9000),
        ],
    );
}

#[test]
fn key_files_are_not_read_and_files_are_not_verified() {
    let mut bench = Bench::of("hanako");
    check(
        &mut bench,
        &[
            (TEXT, 0x9000),
            ("00200080", 0x6986),
            ("00B0000001", 0x6986),
            ("00B0910001", 0x6981),
            ("00200082", 0x6981),
            ("00200092", 0x63C0),
            ("00200092 04 31323334", 0x6984),
            ("00200093 04 31323334", 0x6981),
            ("0020009E", 0x6A88),
            ("00200011", 0x6A86),
            ("00200191", 0x6A86),
            ("00200091 11 3131313131313131313131313131313131", 0x6700),
            ("00A4020C02001E", 0x6A82),
            ("00A4020C022F10", 0x6A82),
            ("00A4020C0111", 0x6700),
        ],
    );
    assert_eq!(bench.card.tries_left().pin, 3);
}

#[test]
fn reading_goes_up_to_the_end_of_the_file_and_no_further() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    let (number, status) = bench.send("00B0810000");
    assert_eq!((number.len(), status), (17, 0x9000));
    assert_eq!(number[15..], [0xFF, 0xFF]);
    assert_eq!(bench.send("00B0000F05"), (vec![0xFF, 0xFF], 0x9000));
    check(
        &mut bench,
        &[
            ("00B0001101", 0x6B00),
            ("00B07FFF01", 0x6B00),
            ("00B0A10001", 0x6A86),
            ("00B08100", 0x6700),
        ],
    );
    let (end, status) = bench.send("00B08200 00 0800");
    assert_eq!((end.len(), status), (1024, 0x9000));
    assert_eq!(end[200..], [0xFF; 824]);
    assert_eq!(bench.send("00B003FF00"), (vec![0xFF], 0x9000));
}

#[test]
fn a_card_that_warns_at_the_end_of_a_file_does_so_only_there() {
    let mut bench = Bench::of("warning");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    let (number, status) = bench.send("00B0810000");
    assert_eq!((number.len(), status), (17, 0x6282));
    check(
        &mut bench,
        &[
            ("00B0810011", 0x9000),
            ("00B0810012", 0x6282),
            ("00B08111 01", 0x6B00),
        ],
    );
}

#[test]
fn an_older_card_refuses_extended_lengths() {
    let mut bench = Bench::of("older");
    check(&mut bench, &[("00CA00F8000000", 0x6700), (TEXT, 0x9000)]);
    check(
        &mut bench,
        &[("00B08500000100", 0x6700), ("00B0850001", 0x9000)],
    );
}

#[test]
fn the_anti_clone_key_signs_without_any_secret_but_only_in_its_application() {
    let digest_info = format!("3031300D060960864801650304020105000420{}", "5A".repeat(32));
    let sign = format!("802A0000 33 {digest_info} 00");
    let mut bench = Bench::of("hanako");
    check(
        &mut bench,
        &[
            (&sign, 0x6985),
            (COMMON, 0x9000),
            (&sign, 0x6985),
            (TEXT, 0x9000),
        ],
    );
    let (signature, status) = bench.send(&sign);
    assert_eq!((signature.len(), status), (256, 0x9000));
    check(
        &mut bench,
        &[
            (&format!("802A0000 33 {digest_info}"), 0x6700),
            (&format!("802A0000 33 {digest_info} 80"), 0x6700),
            (&format!("802A0001 33 {digest_info} 00"), 0x6A86),
            (&format!("002A0000 33 {digest_info} 00"), 0x6E00),
            ("802A000000", 0x6700),
        ],
    );
}

#[test]
fn challenges_have_the_length_asked_for_and_differ() {
    let mut bench = Bench::of("hanako");
    let (one, status) = bench.send("0084000010");
    assert_eq!((one.len(), status), (16, 0x9000));
    assert_ne!(one, bench.send("0084000010").0);
    assert_eq!(bench.send("0084000000").0.len(), 256);
    check(
        &mut bench,
        &[
            ("00840000000010", 0x6985),
            ("0084000110", 0x6A86),
            ("00840000", 0x6700),
        ],
    );
}

#[test]
fn unknown_classes_instructions_and_lengths_have_their_status_words() {
    let mut bench = Bench::of("hanako");
    check(
        &mut bench,
        &[
            ("00880099 01 00 00", 0x6D00),
            ("80AE0000", 0x6D00),
            ("90B0000000", 0x6E00),
            ("01B0000000", 0x6881),
            ("08B0000000", 0x6882),
            ("80B0000000", 0x6E00),
            ("00B0", 0x6700),
            ("00200091 05 31", 0x6700),
        ],
    );
}

#[test]
fn debug_output_of_a_card_shows_neither_secrets_nor_a_person() {
    let mut bench = Bench::of("hanako");
    check(&mut bench, &[(TEXT, 0x9000)]);
    assert_eq!(bench.pin(), 0x9000);
    let text = format!("{:?}", bench.card);
    for word in ["1234", "見本", "花子", "19920508", "000000000019"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a reader sends, a card answers with a status word, and no tries are spent but by VERIFY.
    #[test]
    fn any_bytes_are_answered_with_a_status_word(
        commands in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20),
    ) {
        let mut bench = Bench::of("hanako");
        bench.card.transmit(&hex::decode(TEXT).unwrap());
        let mut presented = 0;
        for command in &commands {
            prop_assert!(bench.card.transmit(command).len() >= 2);
            presented += u8::from(command.get(1) == Some(&0x20));
        }
        let left = bench.card.tries_left();
        prop_assert!(left.pin + left.a + left.b + presented >= 23);
    }
}
