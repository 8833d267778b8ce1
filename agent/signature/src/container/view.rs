//! The statement for people, as JSON: hashes in digits, times as people write them, no strokes.

use serde_json::{Value, json};

use super::statement::{Document, Statement};

/// What the thing is called. It must not be taken for the citizen's 電子署名.
const KIND: &str = "手書き署名（端末の鍵で封緘）";

/// A statement as JSON; the ink appears by its hash only.
#[must_use]
pub fn view(statement: &Statement) -> Value {
    let device = &statement.device;
    let times = statement.times;
    let ink = statement.ink().map(|ink| {
        json!({
            "sha256": hex::encode(ink.sha256),
            "length": ink.length,
            "inside": ink.inkml.is_some(),
        })
    });
    json!({
        "kind": KIND,
        "format": super::FORMAT,
        "outcome": statement.outcome.word(),
        "attempts": statement.attempts,
        "agent": statement.agent,
        "staff": statement.staff,
        "counter": statement.counter,
        "visit": statement.visit,
        "origin": statement.origin,
        "purpose": statement.purpose,
        "start": utc(times.start_unix_ms),
        "end": utc(times.end_unix_ms),
        "tookMs": times.monotonic_end_us.saturating_sub(times.monotonic_start_us) / 1_000,
        "device": {
            "manufacturer": device.manufacturer,
            "model": device.model,
            "serial": device.serial,
            "firmware": device.firmware,
            "capturedBy": if device.captured_by_page { "page" } else { "device" },
        },
        "documents": statement.documents.iter().map(document).collect::<Vec<Value>>(),
        "ink": ink,
    })
}

fn document(document: &Document) -> Value {
    let pictures: Vec<Value> = document
        .pictures
        .iter()
        .map(|picture| {
            json!({
                "pictureSha256": hex::encode(picture.picture_sha256),
                "uploadedSha256": hex::encode(picture.uploaded_sha256),
                "shownMs": picture.shown_ms,
            })
        })
        .collect();
    json!({
        "title": document.title,
        "sourceSha256": hex::encode(document.source_sha256),
        "pictures": pictures,
    })
}

/// RFC 3339 in UTC; the number itself where it is no year of four digits.
fn utc(unix_ms: i64) -> String {
    let (days, ms) = (
        unix_ms.div_euclid(86_400_000),
        unix_ms.rem_euclid(86_400_000),
    );
    let (year, month, day) = crate::calendar::date(days);
    if !(0..=9_999).contains(&year) {
        return unix_ms.to_string();
    }
    let (s, ms) = (ms / 1_000, ms % 1_000);
    let (hour, minute, second) = (s / 3_600, s / 60 % 60, s % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}
