//! Rows to bytes: what is written, and what is refused.

use super::compose;
use crate::{HandoverError, Row, Template, ValueFault};

fn template(head: &str, columns: &str) -> Template {
    let text = format!(
        "format = 1\nname = \"t\"\nencoding = \"cp932\"\nfile_name = \"{{sequence}}.csv\"\nheader = false\n{head}\n{columns}"
    );
    Template::parse(&text).unwrap()
}

fn one_column(head: &str, rules: &str) -> Template {
    template(
        head,
        &format!("[[columns]]\nheader = \"a\"\nfield = \"a\"\n{rules}"),
    )
}

fn row(value: &str) -> Row {
    [("a".to_owned(), value.to_owned())].into_iter().collect()
}

fn written(template: &Template, value: &str) -> Vec<u8> {
    compose(template, &[row(value)]).unwrap().bytes.to_vec()
}

fn fault(template: &Template, value: &str) -> ValueFault {
    match compose(template, &[row(value)]) {
        Err(HandoverError::Value {
            row: 1,
            field,
            fault,
        }) if field == "a" => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_are_quoted_where_they_must_be() {
    let needed = one_column("newlines = \"keep\"", "");
    assert_eq!(written(&needed, "x"), b"x\r\n");
    assert_eq!(written(&needed, "a\"b,c"), b"\"a\"\"b,c\"\r\n");
    assert_eq!(written(&needed, "a\r\nb"), b"\"a\nb\"\r\n");
    assert_eq!(
        written(
            &one_column("quoting = \"always\"\nline_ending = \"lf\"", ""),
            "x"
        ),
        b"\"x\"\n"
    );
    let tabs = one_column("delimiter = \"tab\"", "");
    assert_eq!(written(&tabs, "a,b"), b"a,b\r\n");
    assert_eq!(fault(&tabs, "a\tb"), ValueFault::Control { position: 2 });
    assert_eq!(
        fault(&one_column("quoting = \"never\"", ""), "a,b"),
        ValueFault::NeedsQuotes
    );
}

#[test]
fn columns_keep_their_order_and_constants_their_text() {
    let template = template(
        "",
        "[[columns]]\nheader = \"z\"\nconstant = \"01\"\n[[columns]]\nheader = \"a\"\nfield = \"a\"\n[[columns]]\nheader = \"b\"\nfield = \"b\"\n",
    );
    assert_eq!(written(&template, "x"), b"01,x,\r\n");
}

#[test]
fn what_is_too_long_is_refused_and_not_cut() {
    let characters = one_column("", "max_characters = 2");
    assert_eq!(written(&characters, "髙橋"), b"\xfb\xfc\x8b\xb4\r\n");
    assert_eq!(
        fault(&characters, "髙橋様"),
        ValueFault::TooManyCharacters {
            found: 3,
            allowed: 2
        }
    );
    let bytes = one_column("", "max_bytes = 3");
    assert_eq!(
        fault(&bytes, "髙橋"),
        ValueFault::TooManyBytes {
            found: 4,
            allowed: 3
        }
    );
    assert_eq!(written(&bytes, "髙ｱ").len(), 5);
}

#[test]
fn required_missing_and_unknown_fields_are_refused() {
    let required = one_column("", "required = true");
    assert_eq!(fault(&required, ""), ValueFault::Missing);
    let stray: Row = [("b".to_owned(), "1".to_owned())].into_iter().collect();
    let error = compose(&one_column("", ""), &[stray]).unwrap_err();
    assert!(matches!(
        error,
        HandoverError::Value {
            fault: ValueFault::Unknown,
            ..
        }
    ));
}

#[test]
fn every_character_that_cannot_be_written_is_reported_with_its_place() {
    let error = compose(&one_column("", ""), &[row("ok"), row("土𠮷野家\u{E0100}")]).unwrap_err();
    let HandoverError::Unmappable(found) = error else {
        panic!("{error:?}")
    };
    let places: Vec<_> = found
        .iter()
        .map(|one| (one.row, one.field.as_str(), one.position, one.code_point()))
        .collect();
    assert_eq!(
        places,
        [
            (2, "a", 2, "U+20BB7".to_owned()),
            (2, "a", 5, "U+E0100".to_owned())
        ]
    );
}

#[test]
fn geta_and_table_replace_and_report() {
    let geta = compose(&one_column("unmappable = \"geta\"", ""), &[row("𠮷田")]).unwrap();
    assert_eq!(geta.bytes.as_slice(), b"\x81\xac\x93\x63\r\n");
    assert_eq!(
        (geta.replaced.len(), geta.replaced[0].by.as_str()),
        (1, "〓")
    );

    let head =
        "repertoire = \"jis-x-0208\"\nunmappable = \"table\"\n[substitutions]\n\"髙\" = \"高\"";
    let table = one_column(head, "");
    let done = compose(&table, &[row("髙橋")]).unwrap();
    assert_eq!(done.bytes.as_slice(), b"\x8d\x82\x8b\xb4\r\n");
    assert_eq!(done.replaced[0].found.code_point(), "U+9AD9");
    assert!(matches!(
        compose(&table, &[row("﨑")]),
        Err(HandoverError::Unmappable(_))
    ));
}

#[test]
fn control_characters_are_refused_and_line_breaks_follow_the_template() {
    let strict = one_column("", "");
    assert_eq!(fault(&strict, "a\nb"), ValueFault::Control { position: 2 });
    assert_eq!(fault(&strict, "a\0"), ValueFault::Control { position: 2 });
    assert_eq!(
        fault(&strict, "\u{2028}"),
        ValueFault::Control { position: 1 }
    );
    let space = one_column("newlines = \"space\"", "");
    assert_eq!(written(&space, "a\r\nb\rc\nd"), b"a b c d\r\n");
    assert_eq!(fault(&space, "\u{1b}"), ValueFault::Control { position: 1 });
}

#[test]
fn formulas_are_left_refused_or_defused_as_stated() {
    assert_eq!(written(&one_column("", ""), "=1+1"), b"=1+1\r\n");
    let refuse = one_column("formulas = \"refuse\"", "");
    for value in ["=1", "+1", "-1", "@a", "＝1", "＠"] {
        assert_eq!(fault(&refuse, value), ValueFault::Formula);
    }
    assert_eq!(
        written(&one_column("formulas = \"apostrophe\"", ""), "-1"),
        b"'-1\r\n"
    );
}

#[test]
fn debug_output_has_no_value() {
    assert_eq!(format!("{:?}", row("髙橋")), "{\"a\"}");
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read_back(values in proptest::collection::vec("[ -~ぁ-ん一-龠\\n]{0,12}", 1..8), always: bool) {
        let quoting = if always { "always" } else { "needed" };
        let mut utf8 = one_column(&format!("newlines = \"keep\"\nquoting = \"{quoting}\""), "");
        utf8.encoding = crate::Encoding::Utf8Bom;
        let rows: Vec<Row> = values.iter().map(|value| row(value)).collect();
        let bytes = compose(&utf8, &rows).unwrap().bytes;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[3..]);
        let read: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        proptest::prop_assert_eq!(read, values);
    }

    #[test]
    fn no_template_and_no_value_panics(template: String, value: String) {
        let _refused = Template::parse(&template);
        for rules in ["transforms = [\"date-wareki\"]", "transforms = [\"half-width\", \"digits-only\"]", "transforms = [\"full-width\", \"katakana\"]"] {
            let _either = compose(&one_column("unmappable = \"geta\"", rules), &[row(&value)]);
        }
    }
}
