//! Templates that are understood, and those that are refused.

use super::{Template, TemplateError, check_counter};

const GOOD: &str = r#"
format = 1
name = "resident-record"
encoding = "cp932"
file_name = "rr_{date}_{counter}_{sequence}.csv"
[[columns]]
header = "氏名"
field = "name"
"#;

fn fails(change: impl Fn(&str) -> String) -> TemplateError {
    Template::parse(&change(GOOD)).unwrap_err()
}

#[test]
fn the_smallest_template_is_enough() {
    let template = Template::parse(GOOD).unwrap();
    assert_eq!(template.name(), "resident-record");
    assert_eq!(template.fields().collect::<Vec<_>>(), [("name", false)]);
}

#[test]
fn an_unknown_key_anywhere_is_an_error() {
    assert!(matches!(
        fails(|text| format!("colour = 1\n{text}")),
        TemplateError::Form(_)
    ));
    assert!(matches!(
        fails(|text| format!("{text}colour = 1\n")),
        TemplateError::Form(_)
    ));
    assert!(matches!(
        fails(|text| format!("{text}transforms = [\"cut\"]\n")),
        TemplateError::Form(_)
    ));
    assert!(matches!(
        fails(|text| text.replace("cp932", "sjis")),
        TemplateError::Form(_)
    ));
}

#[test]
fn another_format_is_refused() {
    assert!(matches!(
        fails(|text| text.replace("format = 1", "format = 2")),
        TemplateError::Format { found: 2 }
    ));
}

#[test]
fn a_file_name_that_could_occur_twice_or_lead_elsewhere_is_refused() {
    for name in [
        "a_{date}.csv",
        "{sequence}",
        "{sequence}_{sequence}.csv",
        "../{sequence}.csv",
        "a/{sequence}.csv",
        ".{sequence}.csv",
        "{sequence}.ack",
        "{sequence}.err",
        "{sequence}.part",
        "{sequence}{time}.csv",
        "氏名{sequence}.csv",
        "{sequence}.",
        "{sequence}.c:sv",
        "",
    ] {
        let error = fails(|text| text.replace("rr_{date}_{counter}_{sequence}.csv", name));
        assert!(matches!(error, TemplateError::FileName), "{name}");
    }
}

#[test]
fn a_column_has_one_source_and_a_header_of_its_own() {
    assert!(matches!(
        fails(|text| format!("{text}constant = \"1\"\n")),
        TemplateError::Source { .. }
    ));
    assert!(matches!(
        fails(|text| text.replace("field = \"name\"", "")),
        TemplateError::Source { .. }
    ));
    assert!(matches!(
        fails(|text| format!("{text}[[columns]]\nheader = \"氏名\"\nconstant = \"\"\n")),
        TemplateError::Twice { .. }
    ));
}

#[test]
fn what_the_template_writes_itself_must_be_writable() {
    assert!(matches!(
        fails(|text| text.replace("氏名", "𠮷")),
        TemplateError::Unwritable { .. }
    ));
    let table = |to: &str| {
        GOOD.replace(
            "[[columns]]",
            &format!("unmappable = \"table\"\n[substitutions]\n\"𠮷\" = \"{to}\"\n[[columns]]"),
        )
    };
    Template::parse(&table("吉")).unwrap();
    assert!(matches!(
        Template::parse(&table("𠮷")).unwrap_err(),
        TemplateError::Unwritable { .. }
    ));
    assert!(matches!(
        Template::parse(&table("吉").replace("\"𠮷\" =", "\"𠮷田\" =")).unwrap_err(),
        TemplateError::Unwritable { .. }
    ));
    assert!(matches!(
        fails(|text| text.replace("[[columns]]", "unmappable = \"table\"\n[[columns]]")),
        TemplateError::Substitutions
    ));
}

#[test]
fn a_counter_cannot_lead_out_of_the_folder() {
    for counter in ["", "../x", "a_b", "窓口", "12345678901234567"] {
        assert!(check_counter(counter).is_err(), "{counter}");
    }
    check_counter("3-A").unwrap();
}
