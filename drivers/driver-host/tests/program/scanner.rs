//! The binary with code scanners at TCP ports: which code reaches which page, and which none.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
};

use device_api::{Clock as _, SystemClock};
use host_protocol::{
    AgentMessage, DeviceState, HostMessage, Item, Outcome, Product, Scan, ScanCount, Step, Task,
};
use ring::rand::SystemRandom;
use scanner::preapplication::seal::{Form, Validity, divide};
use scanner::{Application, Field};
use serde_json::{Value, json};

use crate::host::Host;

/// A driver host of code scanners.
struct Scanners {
    host: Host,
}

/// A scanner that the host has opened.
struct Gun {
    id: String,
    line: TcpStream,
}

impl Scanners {
    /// With these scanners, each with its settings beside name and connection, and the other settings.
    fn with<const N: usize>(scanners: [(&str, Value); N], others: Value) -> (Self, [Gun; N]) {
        let listeners = scanners.map(|(name, settings)| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let tcp = listener.local_addr().unwrap().to_string();
            // What is shown twice in a test is meant twice.
            let mut scanner = json!({
                "name": name, "connection": {"tcp": tcp}, "duplicate_window_ms": 0,
            });
            add(&mut scanner, settings);
            (format!("codeScanner:{name}"), scanner, listener)
        });
        let scanners: Vec<&Value> = listeners.iter().map(|(_, each, _)| each).collect();
        let mut settings = json!({ "scanners": scanners });
        add(&mut settings, others);
        let host = Host::of("scanner", settings);
        let mut scanners = Self { host };
        scanners.see_all_ready(N);
        let guns = listeners.map(|(id, _, listener)| {
            let (line, _) = listener.accept().unwrap();
            Gun { id, line }
        });
        (scanners, guns)
    }

    fn see_all_ready(&mut self, count: usize) {
        loop {
            if let HostMessage::Devices { devices, .. } = self.host.hear()
                && devices.len() == count
                && devices.iter().all(|each| each.state == DeviceState::Ready)
            {
                return;
            }
        }
    }

    /// Waits until this scanner has counted so many codes that nobody waited for.
    fn strays(&mut self, gun: &Gun, count: u64) {
        loop {
            if let HostMessage::Devices { devices, .. } = self.host.hear()
                && devices.iter().any(|device| {
                    device.id == gun.id && device.counters.get("strayScans") == Some(&count)
                })
            {
                return;
            }
        }
    }

    /// A page that waits for codes.
    fn waits(&mut self, gun: &Gun) -> u64 {
        let id = self.host.begin(&gun.id, Task::ScanCodes {}, 30_000);
        loop {
            if let HostMessage::Progress { step, .. } = self.host.hear() {
                assert_eq!(step, Step::WaitingForCode);
                return id;
            }
        }
    }

    /// The next code of a page, which has not said yet that it was received.
    fn given(&mut self, job: u64) -> (u32, Scan) {
        loop {
            let heard = self.host.hear();
            assert!(!matches!(heard, HostMessage::Finished { .. }), "{heard:?}");
            if let HostMessage::Item { id, n, item } = heard {
                let Item::Scan { scan } = item else {
                    panic!("{item:?} is no code")
                };
                assert_eq!(id, job);
                return (n, *scan);
            }
        }
    }

    /// The next code of a page, received.
    fn takes(&mut self, job: u64) -> Scan {
        let (n, scan) = self.given(job);
        self.host.say(&AgentMessage::Received { id: job, n });
        scan
    }

    fn ends(&mut self, job: u64) -> ScanCount {
        self.host.say(&AgentMessage::Cancel { id: job });
        let outcome = self.host.outcome(job);
        if let Outcome::Done { product } = &outcome
            && let Product::Scans { count } = **product
        {
            return count;
        }
        panic!("{outcome:?} is no count");
    }
}

/// Adds members to an object.
fn add(object: &mut Value, members: Value) {
    let Value::Object(members) = members else {
        panic!("{members} has no members")
    };
    object.as_object_mut().unwrap().extend(members);
}

impl Gun {
    /// Sends what a scanner transmits, all of it at once.
    fn sends(&mut self, bytes: &[u8]) {
        self.line.write_all(bytes).unwrap();
    }

    /// Reads codes, with the usual delimiters.
    fn reads(&mut self, codes: &[&[u8]]) {
        let framed = codes.iter().map(|code| [b"]Q1", *code, b"\r"].concat());
        let bytes: Vec<u8> = framed.flatten().collect();
        self.sends(&bytes);
    }
}

fn content(scan: &Scan) -> (&[u8], Option<&str>) {
    (scan.bytes.expose(), scan.fault.as_deref())
}

/// A citizen had shown the first of two codes before the counter was ready; the next citizen's page was told
/// of an incomplete message, or would have got the first one's as soon as its second code was shown.
#[test]
fn a_part_that_nobody_waited_for_reaches_no_page() {
    let (mut scanners, [mut gun]) = Scanners::with([("front", json!({}))], json!({}));
    let parts = divide(b"of another citizen", 2).unwrap();
    // The code before the part tells when both were taken in.
    gun.reads(&[b"stray", &parts[0]]);
    scanners.strays(&gun, 1);
    let job = scanners.waits(&gun);
    gun.reads(&[b"wanted"]);
    assert_eq!(content(&scanners.takes(job)), (&b"wanted"[..], None));
    assert_eq!(scanners.ends(job).delivered, 1);
}

#[test]
fn a_part_that_one_page_got_does_not_reach_the_next() {
    let (mut scanners, [mut gun]) = Scanners::with([("front", json!({}))], json!({}));
    let parts = divide(b"of another citizen", 2).unwrap();
    let job = scanners.waits(&gun);
    gun.reads(&[b"before", &parts[0]]);
    assert_eq!(content(&scanners.takes(job)), (&b"before"[..], None));
    scanners.ends(job);
    let job = scanners.waits(&gun);
    gun.reads(&[&parts[1], b"wanted"]);
    let incomplete = (&b""[..], Some("SCN-INCOMPLETE"));
    assert_eq!(content(&scanners.takes(job)), incomplete);
    assert_eq!(content(&scanners.takes(job)), (&b"wanted"[..], None));
    scanners.ends(job);
}

/// The settings that accept the pre-applications of a form, and a code of it that is valid now.
fn pre_application() -> (Value, String) {
    let form = Form::new(302_058, 7, &[5; 32]).unwrap();
    let key: String = form.public().iter().map(|b| format!("{b:02x}")).collect();
    let now = u32::try_from(SystemClock::new().unix_millis() / 1000).unwrap();
    let application = Application {
        procedure: "residentRecord".to_owned(),
        fields: vec![Field {
            name: "copies".to_owned(),
            value: "2".to_owned().into(),
        }],
    };
    let validity = Validity {
        issued: now,
        expires: now + 600,
    };
    let code = form.make(&application, validity, None, &SystemRandom::new());
    let accepted = json!({"municipality": 302_058, "forms": [{"id": 7, "public_key": key}]});
    (json!({"pre_applications": accepted}), code.unwrap())
}

fn procedure(scan: &Scan) -> Result<&str, &str> {
    match (&scan.pre_application, &scan.fault) {
        (Some(form), None) => Ok(&form.procedure),
        (None, Some(fault)) => Err(fault),
        other => panic!("{other:?}"),
    }
}

/// The page that described replayed codes never saw one: nobody asked whether a code had been used.
#[test]
fn a_pre_application_that_a_page_received_is_refused_at_every_scanner() {
    let (settings, code) = pre_application();
    let scanners = [("front", json!({})), ("back", json!({}))];
    let (mut scanners, [mut front, mut back]) = Scanners::with(scanners, settings);
    let job = scanners.waits(&front);
    front.reads(&[code.as_bytes(), code.as_bytes()]);
    assert_eq!(procedure(&scanners.takes(job)), Ok("residentRecord"));
    let again = scanners.takes(job);
    assert_eq!(procedure(&again), Err("SCN-REPLAYED"));
    assert_eq!((content(&again).0, again.text.is_none()), (&b""[..], true));
    scanners.ends(job);
    let job = scanners.waits(&back);
    back.reads(&[code.as_bytes(), b"another"]);
    assert_eq!(procedure(&scanners.takes(job)), Err("SCN-REPLAYED"));
    assert_eq!(content(&scanners.takes(job)), (&b"another"[..], None));
    scanners.ends(job);
}

/// A page that fails while it takes a code over must not cost the citizen the application.
#[test]
fn a_pre_application_that_nobody_received_can_be_shown_again() {
    let (settings, code) = pre_application();
    let (mut scanners, [mut gun]) = Scanners::with([("front", json!({}))], settings);
    gun.reads(&[code.as_bytes()]);
    scanners.strays(&gun, 1);
    for _ in 0..2 {
        let job = scanners.waits(&gun);
        gun.reads(&[code.as_bytes()]);
        assert_eq!(procedure(&scanners.given(job).1), Ok("residentRecord"));
        let count = scanners.ends(job);
        assert_eq!((count.delivered, count.undelivered), (0, 1));
    }
    let job = scanners.waits(&gun);
    gun.reads(&[code.as_bytes(), code.as_bytes()]);
    assert_eq!(procedure(&scanners.takes(job)), Ok("residentRecord"));
    assert_eq!(procedure(&scanners.takes(job)), Err("SCN-REPLAYED"));
    scanners.ends(job);
}

/// A scanner that was set up as the manual recommends gave nothing but garbled codes: the settings had no
/// word for the STX.
#[test]
fn a_scanner_that_is_set_up_as_recommended_for_text_is_read() {
    let set = json!({"start": "stx", "suffix": "etx_lrc"});
    let (mut scanners, [mut gun]) = Scanners::with([("front", set)], json!({}));
    let job = scanners.waits(&gun);
    let framed = |text: &[u8]| {
        let lrc = text.iter().fold(0x03, |lrc, byte| lrc ^ byte);
        [&[0x02], text, &[0x03, lrc]].concat()
    };
    let mut damaged = framed(b"]Q1ABC");
    *damaged.last_mut().unwrap() ^= 1;
    gun.sends(&[framed(b"]Q1ABC"), damaged, framed(b"]C0123")].concat());
    let scan = scanners.takes(job);
    assert_eq!(content(&scan), (&b"ABC"[..], None));
    assert_eq!(scan.symbology.as_deref(), Some("]Q1"));
    assert_eq!(
        content(&scanners.takes(job)),
        (&b""[..], Some("SCN-GARBLED"))
    );
    assert_eq!(content(&scanners.takes(job)), (&b"123"[..], None));
    scanners.ends(job);
}
