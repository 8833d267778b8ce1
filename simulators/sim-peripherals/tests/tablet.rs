//! The simulated tablets at their wire: requests, pen reports, the screen, and faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sim_peripherals::{
    Address, Attach, FaultPlan, Pace, PenError, PenPoint, SignatureTablet, TabletAction,
    TabletKind, TabletSettings, Trace,
};

const PATIENCE: Duration = Duration::from_secs(10);

struct Host(TcpStream);

impl Host {
    fn connect(tablet: &SignatureTablet) -> Self {
        let Address::Tcp(address) = tablet.address() else {
            panic!("a TCP address")
        };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(tablet.wait_for(|view| view.connected, PATIENCE).connected);
        let mut host = Self(stream);
        assert_eq!(host.read().0, b'D', "the descriptor comes first");
        host
    }

    /// A message: its kind and content.
    fn read(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 3];
        self.0.read_exact(&mut head).unwrap();
        let mut content = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        self.0.read_exact(&mut content).unwrap();
        (head[0], content)
    }

    fn ask(&mut self, kind: u8, content: &[u8]) -> (u8, Vec<u8>) {
        let mut message = vec![kind];
        message.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
        message.extend_from_slice(content);
        self.0.write_all(&message).unwrap();
        self.read()
    }
}

fn tablet() -> SignatureTablet {
    SignatureTablet::start(TabletSettings::default()).unwrap()
}

fn plan(tablet: &SignatureTablet, faults: &str) {
    let plan: FaultPlan = serde_json::from_str(&format!(r#"{{"faults":[{faults}]}}"#)).unwrap();
    tablet.plan_faults(plan).unwrap();
}

#[test]
fn an_uploaded_image_and_the_ink_over_it_are_on_the_screen() {
    let tablet = tablet();
    let mut host = Host::connect(&tablet);
    assert_eq!(host.ask(b'S', &[0x25, 4]), (b'A', vec![]));
    let blocks = (800_usize * 480 * 3).div_ceil(253);
    for _ in 0..blocks {
        let mut block = vec![0x26, 253, 0];
        block.resize(256, 0xC0);
        assert_eq!(host.ask(b'S', &block).0, b'A');
    }
    assert_eq!(host.ask(b'S', &[0x27, 0]).0, b'A');
    assert_eq!(host.ask(b'S', &[0x21, 1]).0, b'A');
    let before = tablet.view().screen.unwrap();
    assert_eq!((before.images, before.inking), (1, true));
    let plain = tablet.screen_png().unwrap();
    tablet
        .play(&Trace::signature(5, 3, 100), Pace::AtOnce)
        .unwrap();
    let after = tablet.view().screen.unwrap();
    assert_eq!(after.sha256, before.sha256);
    let signed = tablet.screen_png().unwrap();
    assert_ne!(plain, signed);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("tablet.png"), signed).unwrap();
}

#[test]
fn lost_samples_show_as_gaps_in_the_sequence() {
    let tablet = tablet();
    let mut host = Host::connect(&tablet);
    assert_eq!(host.ask(b'S', &[0x0E, 1]).0, b'A');
    plan(
        &tablet,
        r#"{"where":{"report":2},"kind":"lose"},{"where":{"report":4},"kind":{"truncate":3}}"#,
    );
    let points = vec![PenPoint::default(); 4];
    tablet.play(&Trace { points }, Pace::AtOnce).unwrap();
    let reports: Vec<Vec<u8>> = (0..4).map(|_| host.read().1).collect();
    let sequences: Vec<&[u8]> = reports
        .iter()
        .map(|report| &report[9.min(report.len())..])
        .collect();
    assert_eq!(sequences, [&[0, 1][..], &[0, 3], &[], &[0, 5]]);
    assert_eq!(
        (tablet.counters().samples, tablet.counters().reports),
        (5, 4)
    );
}

#[test]
fn a_cable_pulled_in_a_stroke_ends_it_and_the_screen_forgets() {
    let tablet = tablet();
    let mut host = Host::connect(&tablet);
    host.ask(b'S', &[0x21, 1]);
    plan(&tablet, r#"{"where":{"report":40},"kind":"unplug"}"#);
    let trace = Trace::signature(1, 1, 100);
    assert_eq!(
        tablet.play(&trace, Pace::AtOnce),
        Err(PenError::NobodyThere)
    );
    assert!(!tablet.view().plugged);
    assert!(!tablet.view().screen.unwrap().inking);
    tablet.act(TabletAction::Plug).unwrap();
    let mut host = Host::connect(&tablet);
    assert_eq!(host.ask(b'G', &[0x08]).1[1..8], *b"STU-540");
}

#[test]
fn requests_fail_as_planned() {
    let tablet = tablet();
    plan(
        &tablet,
        r#"{"where":{"named":"get 09"},"kind":"refuse"},
           {"where":{"command":2},"kind":{"truncate":10}},
           {"where":{"command":4},"kind":"hang","clearsWhen":"onReplug"}"#,
    );
    let mut host = Host::connect(&tablet);
    assert_eq!(host.ask(b'G', &[0x09]), (b'R', vec![]));
    assert_eq!(host.ask(b'G', &[0x09]).1.len(), 7);
    assert_eq!(host.ask(b'G', &[0x77]), (b'R', vec![]));
    host.0.write_all(b"G\0\x01\x09").unwrap();
    assert!(tablet.wait_for(|view| view.hung, PATIENCE).hung);
    assert_eq!(tablet.pen(None), Err(PenError::Hung));
}

#[test]
fn a_wrong_descriptor_is_told_once() {
    let tablet = SignatureTablet::start(TabletSettings {
        attach: Attach::Tcp(0),
        kind: TabletKind::PenDisplay,
    })
    .unwrap();
    let descriptor = || {
        let Address::Tcp(address) = tablet.address() else {
            panic!("a TCP address")
        };
        Host(TcpStream::connect(address).unwrap()).read().1
    };
    let right = descriptor();
    plan(&tablet, r#"{"where":"connect","kind":"wrongDescriptor"}"#);
    assert!(descriptor().len() < right.len());
    assert_eq!(descriptor(), right);
    assert_eq!(tablet.screen_png(), None);
}

#[test]
fn in_real_time_a_trace_takes_as_long_as_its_samples() {
    let tablet = tablet();
    let _host = Host::connect(&tablet);
    #[expect(clippy::disallowed_methods, reason = "the test is about real time")]
    let start = Instant::now();
    tablet
        .play(&Trace::tap(0.5, 0.5, 20), Pace::RealTime)
        .unwrap();
    assert!(start.elapsed() >= Duration::from_millis(25 * 5));
}
