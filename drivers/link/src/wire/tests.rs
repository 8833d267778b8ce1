//! What is told of frames, and what is not.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use device_api::Deadline;

use super::*;
use crate::memory;
use crate::{Link as _, ReportLink as _};

#[test]
fn a_long_frame_is_cut_and_a_hidden_one_is_a_word() {
    assert_eq!(Shown(Some(&[0x1b, 0x40])).to_string(), "1b40");
    assert_eq!(Shown(None).to_string(), "hidden");
    let long = Shown(Some(&[0; 300])).to_string();
    assert_eq!(long.len(), 512 + 3);
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn at_trace_level_plain_bytes_are_shown_and_nothing_of_a_citizen() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let (device, mut link) = memory::reports([]);
        let soon = Deadline::at(device.clock().now().plus(Duration::from_secs(1)));
        device.answers_features(|_| Some(b"\x02secret-feature".to_vec()));
        device.sends(b"secret-scan".as_slice());
        link.send(&Frame::plain([0xbe, 0xef]), soon).unwrap();
        link.send(&Frame::personal(b"secret-name".as_slice()), soon)
            .unwrap();
        link.set_feature(&Frame::personal(b"secret-set".as_slice()), soon)
            .unwrap();
        link.feature(2, soon).unwrap();
        let frame = link.receive(soon).unwrap();
        tracing::trace!(?frame, ?link);
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("beef") && text.contains("length=11"),
        "{text}"
    );
    // As text, and as hexadecimal digits.
    for secret in ["secret", "736563726574"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(text.matches("hidden").count(), 4, "{text}");
}
