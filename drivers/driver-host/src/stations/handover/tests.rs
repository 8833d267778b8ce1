//! Days, and what a job is told of a file that waits for its receipt.

use std::io;
use std::path::Path;

use device_api::{Deadline, SystemClock};
use tempfile::TempDir;

use super::*;
use crate::output::Speaker;

const FIRST: &str = "3-000001.csv";

/// A folder whose receipts are waited for, already open.
fn opened() -> (TempDir, AtFolder) {
    let temp = tempfile::tempdir().unwrap();
    let below = |name: &str| temp.path().join(name).display().to_string();
    for folder in ["out", "ack", "state"] {
        fs::create_dir(below(folder)).unwrap();
    }
    let template = "format = 1\nname = \"t\"\nencoding = \"utf-8-bom\"\n\
        file_name = \"{counter}-{sequence}.csv\"\n[[columns]]\nheader = \"n\"\nfield = \"name\"\n";
    fs::write(below("t.toml"), template).unwrap();
    let mut post = AtFolder {
        settings: Settings {
            template: below("t.toml"),
            counter: "3".to_owned(),
            outgoing: below("out"),
            acknowledgements: below("ack"),
            state: below("state"),
            wait_for_receipt: true,
            overdue_minutes: 30,
            keep_days: 7,
        },
        clock: Arc::new(SystemClock::new()),
        sheet: Arc::new(Sheet::new(DeviceClass::Handover, "t", Arc::new(|| {}))),
        outbox: None,
    };
    post.open().unwrap();
    (temp, post)
}

/// One job with a patience of a minute.
fn work(post: &mut AtFolder) -> Result<Product, HostFault> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(60)));
    let patience = Patience::new(clock, deadline);
    let speaker = Speaker::start(io::sink(), |_| {}).unwrap();
    let values = [("name".to_owned(), SecretText::new("山田".to_owned()))];
    let task = Task::HandOver {
        template: "t".to_owned(),
        values: values.into_iter().collect(),
    };
    post.work(&Job::new(1, task, patience, (Arc::new(|| {}), speaker)))
}

fn is_there(temp: &TempDir, below: impl AsRef<Path>) -> bool {
    temp.path().join(below).exists()
}

/// The share with the acknowledgements was gone for a moment: the job failed with `HND-FOLDER` although the file
/// stood in its folder, and the clerk handed over twice.
#[test]
fn a_file_that_stands_in_its_folder_is_told_also_where_its_receipt_cannot_be_seen() {
    let (temp, mut post) = opened();
    fs::remove_dir(temp.path().join("ack")).unwrap();
    let Ok(Product::HandedOver { file }) = work(&mut post) else {
        panic!("the job failed");
    };
    assert_eq!((file.file.as_str(), file.sequence), (FIRST, 1));
    assert_eq!(file.taken, Some(false));
    assert!(is_there(&temp, Path::new("out").join(FIRST)));
}

#[test]
fn a_rejection_names_its_file() {
    let (temp, mut post) = opened();
    fs::write(temp.path().join(format!("ack/{FIRST}.err")), "no").unwrap();
    let fault = work(&mut post).unwrap_err();
    assert_eq!(
        (fault.code.as_str(), fault.about.as_deref()),
        ("HND-VALUE", Some(FIRST))
    );
}

#[test]
fn a_receipt_ends_the_wait() {
    let (temp, mut post) = opened();
    fs::write(temp.path().join(format!("ack/{FIRST}.ack")), "").unwrap();
    let Ok(Product::HandedOver { file }) = work(&mut post) else {
        panic!("the job failed");
    };
    assert_eq!(file.taken, Some(true));
}

#[test]
fn a_day_in_japan_begins_nine_hours_earlier() {
    for (millis, (year, month, day)) in [
        (0, (1970, 1, 1)),
        (1_795_273_199_999, (2026, 11, 21)),
        (1_795_273_200_000, (2026, 11, 22)),
        (951_750_000_000, (2000, 2, 29)),
    ] {
        let expected = CivilDate::new(year, month, day).unwrap();
        assert_eq!(date_in_japan(millis), Some(expected), "{millis}");
    }
}
