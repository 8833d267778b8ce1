//! Files are read by programs that share no code with ours: Python's `csv` module with its own codecs.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use handover::{CivilDate, Outbox, Places, Row, Stamp, Template};

const VALUES: [&str; 8] = [
    "髙橋　﨑子",
    "a,b\"c\"",
    "one\ntwo",
    "ｱｲｳｶﾞ①㈱",
    "=1+1",
    "",
    " padded ",
    "ソ表能予\\~",
];

fn python(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3")
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn write(folder: &Path, encoding: &str, values: &[&str]) -> String {
    for name in ["out", "ack", "state"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let places = Places {
        outgoing: folder.join("out"),
        acknowledgements: folder.join("ack"),
        state: folder.join("state"),
    };
    let text = format!(
        "format = 1\nname = \"t\"\nencoding = \"{encoding}\"\nnewlines = \"keep\"\nfile_name = \"{{sequence}}.csv\"\n\
         [[columns]]\nheader = \"番号\"\nconstant = \"01\"\n[[columns]]\nheader = \"値\"\nfield = \"v\"\n"
    );
    let mut outbox = Outbox::open(Template::parse(&text).unwrap(), "3", places).unwrap();
    let rows: Vec<Row> = values
        .iter()
        .map(|value| {
            [("v".to_owned(), (*value).to_owned())]
                .into_iter()
                .collect()
        })
        .collect();
    let stamp = Stamp {
        today: CivilDate::new(2026, 11, 21).unwrap(),
        unix_millis: 0,
    };
    let written = outbox.write(&rows, stamp).unwrap();
    folder
        .join("out")
        .join(written.name)
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn python_reads_what_was_handed_over() {
    const SCRIPT: &str = "
import csv, json, sys
with open(sys.argv[1], encoding=sys.argv[2], newline='') as f:
    text = f.read()
assert text.endswith('\\r\\n')
rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
json.dump(rows, sys.stdout)
";
    for (encoding, codec, more) in [
        ("cp932", "cp932", ""),
        ("utf-8-bom", "utf-8-sig", "𠮷\u{E0100}¥−〜"),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let mut values = VALUES.to_vec();
        values.push(more);
        let path = write(temp.path(), encoding, &values);
        let rows: Vec<Vec<String>> =
            serde_json::from_str(&python(SCRIPT, &[&path, codec])).unwrap();
        assert_eq!(rows[0], ["番号", "値"]);
        let expected: Vec<_> = values.iter().map(|value| vec!["01", *value]).collect();
        assert_eq!(rows[1..], expected);
    }
}

/// Every character of the Basic Multilingual Plane and of plane 2, in both directions: what we write, Python
/// reads as the same; what we refuse, Python cannot write either, or writes as private use, or as bytes that it
/// reads as another character (six signs, among them 〜 and −).
#[test]
fn python_agrees_on_every_character_of_cp932() {
    const SCRIPT: &str = "
import json, sys
table = {}
for c in list(range(0x20, 0xd800)) + list(range(0xe000, 0x10000)) + list(range(0x20000, 0x2a6e0)):
    try: b = chr(c).encode('cp932')
    except UnicodeEncodeError: continue
    if b.decode('cp932') == chr(c): table[chr(c)] = b.hex()
json.dump(table, sys.stdout)
";
    let table: BTreeMap<String, String> = serde_json::from_str(&python(SCRIPT, &[])).unwrap();
    let text = "format = 1\nname = \"t\"\nencoding = \"cp932\"\nheader = false\nfile_name = \"{sequence}.csv\"\n[[columns]]\nheader = \"v\"\nfield = \"v\"\n";
    let template = Template::parse(text).unwrap();
    let temp = tempfile::tempdir().unwrap();
    for name in ["out", "ack", "state"] {
        fs::create_dir(temp.path().join(name)).unwrap();
    }
    let places = Places {
        outgoing: temp.path().join("out"),
        acknowledgements: temp.path().join("ack"),
        state: temp.path().join("state"),
    };
    let mut outbox = Outbox::open(template, "3", places).unwrap();
    let all = (0x20..=0xFFFF_u32)
        .chain(0x20000..0x2A6E0)
        .filter_map(char::from_u32);
    let (mut mapped, mut rows) = (Vec::new(), Vec::<Row>::new());
    for one in all.filter(|one| !one.is_control() && !"\"',\u{2028}\u{2029}\u{FEFF}".contains(*one))
    {
        let row: Row = [("v".to_owned(), format!("x{one}"))].into_iter().collect();
        if outbox.check(std::slice::from_ref(&row)).is_ok() {
            mapped.push(one);
            rows.push(row);
        } else if let Some(bytes) = table.get(&one.to_string()) {
            assert!(
                ('\u{E000}'..='\u{F8FF}').contains(&one),
                "U+{:04X} {bytes}",
                u32::from(one)
            );
        }
    }
    assert!(mapped.len() > 7000, "{}", mapped.len());
    let stamp = Stamp {
        today: CivilDate::new(2026, 11, 21).unwrap(),
        unix_millis: 0,
    };
    let name = outbox.write(&rows, stamp).unwrap().name;
    // Decoding, since CP932 has some signs twice: we write IBM's, as Windows does, and Python writes NEC's.
    const DECODE: &str = "
import json, sys
with open(sys.argv[1], encoding='cp932', newline='') as f:
    json.dump([line[1:] for line in f.read().split('\\r\\n')], sys.stdout)
";
    let path = temp.path().join("out").join(name);
    let read: Vec<String> =
        serde_json::from_str(&python(DECODE, &[path.to_str().unwrap()])).unwrap();
    let ours: Vec<String> = mapped
        .iter()
        .map(char::to_string)
        .chain([String::new()])
        .collect();
    assert_eq!(read, ours);
}
