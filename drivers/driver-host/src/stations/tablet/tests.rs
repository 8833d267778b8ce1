//! A citizen signs: on a page that feels the pen, and on a pen display behind a byte stream.

mod calibrating;

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use device_api::SystemClock;
use host_protocol::{
    Act, Area, Attachment, HostMessage, InkSample, Item, SampleClock, SecretBytes, Signature,
    ToShow, decode,
};
use ring::digest::{SHA256, digest};
use serde_json::json;
use tablet::picture::{Picture, WHITE};

use super::*;
use crate::output::Speaker;

const SIZE: (u32, u32) = (640, 400);

/// Hands on every line that is said to the agent.
struct Lines(Sender<Vec<u8>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody listens any more at the end of a test.
        drop(self.0.send(bytes.to_vec()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The agent and the citizen.
struct Outside {
    heard: Receiver<Vec<u8>>,
    rest: Vec<u8>,
    parts: Vec<u8>,
}

impl Outside {
    fn message(&mut self) -> HostMessage {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return decode(&line[..line.len() - 1]).unwrap();
            }
            self.rest.extend(self.heard.recv().unwrap());
        }
    }

    /// The next page that is to be shown, and its picture.
    fn page(&mut self) -> (ToShow, Vec<u8>) {
        loop {
            let message = self.message();
            if let HostMessage::Part { data, .. } = &message {
                self.parts.extend(data.expose());
            }
            if let HostMessage::Item {
                item: Item::Show { page },
                ..
            } = message
            {
                return (page, std::mem::take(&mut self.parts));
            }
        }
    }

    /// Whether something is said before long.
    fn is_told_something(&mut self) -> bool {
        const BEFORE_LONG: Duration = Duration::from_millis(250);
        if !self.rest.contains(&b'\n')
            && let Ok(line) = self.heard.recv_timeout(BEFORE_LONG)
        {
            self.rest.extend(line);
        }
        self.rest.contains(&b'\n')
    }

    /// What is told of the pen next.
    fn ink(&mut self) -> Vec<InkSample> {
        loop {
            if let HostMessage::Item {
                item: Item::Ink { samples },
                ..
            } = self.message()
            {
                return samples;
            }
        }
    }

    /// Whether the pen was heard, without waiting.
    fn has_begun(&mut self) -> bool {
        let signing = HostMessage::Progress {
            id: 1,
            step: Step::Signing,
            card: None,
        };
        self.rest.extend(self.heard.try_iter().flatten());
        self.rest.contains(&b'\n') && self.message() == signing
    }

    fn samples(&mut self) -> Vec<InkSample> {
        self.parts.clear();
        loop {
            if let HostMessage::Part { data, last, .. } = self.message() {
                self.parts.extend(data.expose());
                if last {
                    return serde_json::from_slice(&self.parts).unwrap();
                }
            }
        }
    }
}

struct Rig {
    job: Arc<Job>,
    outside: Outside,
    post: Box<dyn Post>,
    sheet: Arc<Sheet>,
}

/// A document of one page, which is so many pixels high.
fn document(height: u32) -> Vec<u8> {
    let picture = Picture::plain(400, height, WHITE).unwrap();
    picture.to_png().unwrap()
}

/// A document that stands wholly above the signing area.
const SHORT: u32 = 200;

fn rig(connection: &serde_json::Value, every_page: bool) -> Rig {
    rig_with(connection, every_page, (SHORT, "image/png"))
}

fn rig_with(
    connection: &serde_json::Value,
    every_page: bool,
    (height, media_type): (u32, &str),
) -> Rig {
    let (station, tools) = station(connection, &json!({}));
    let (job, outside) = ordered(&tools, every_page, (height, media_type));
    Rig {
        job,
        outside,
        post: (station.post)(),
        sheet: station.sheet,
    }
}

/// A tablet, with calibrations that the agent kept.
fn station(connection: &serde_json::Value, kept: &serde_json::Value) -> (Station, Tools) {
    let tools = Tools {
        clock: Arc::new(SystemClock::new()),
        on_change: Arc::new(|| {}),
        bell: Bell::default(),
    };
    let tablet = json!({
        "name": "1", "connection": connection, "picture_width": SIZE.0, "picture_height": SIZE.1,
    });
    let settings = json!({"tablets": [tablet], "kept": kept});
    (open(settings, &tools).unwrap().remove(0), tools)
}

/// A job for a signature, and who hears of it.
fn ordered(
    tools: &Tools,
    every_page: bool,
    (height, media_type): (u32, &str),
) -> (Arc<Job>, Outside) {
    let document = document(height);
    let order = SignOrder {
        document: Attachment {
            attachment: 1,
            media_type: media_type.to_owned(),
            length: u64::try_from(document.len()).unwrap(),
        },
        every_page,
    };
    let (job, outside) = start(tools, Task::CaptureSignature { order });
    job.add_part(1, &SecretBytes::new(document), true);
    (job, outside)
}

/// A job, and who hears of it.
fn start(tools: &Tools, task: Task) -> (Arc<Job>, Outside) {
    let (lines, heard) = channel();
    let speaker = Speaker::start(Lines(lines), |_error| {}).unwrap();
    let clock = Arc::clone(&tools.clock);
    let limit = Deadline::at(clock.now().plus(Duration::from_secs(60)));
    let patience = Patience::new(clock, limit);
    let bell = tools.bell.clone();
    let nudge: crate::floor::Nudge = Arc::new(move || bell.ring());
    let job = Arc::new(Job::new(1, task, patience, (nudge, speaker)));
    let outside = Outside {
        heard,
        rest: Vec::new(),
        parts: Vec::new(),
    };
    (job, outside)
}

/// A stroke in the middle of the area, in hundredths of a pixel.
fn stroke(area: Area, from_us: u64, count: u16) -> Vec<InkSample> {
    let (x, y) = (area.x + area.width / 4, area.y + area.height / 2);
    let place = |pixel: u32| i32::try_from(pixel * 100).unwrap();
    (0..count)
        .map(|n| {
            let at = from_us + u64::from(n) * 5_000;
            InkSample(at, place(x) + i32::from(n) * 37, place(y), 30_000, 0, 0, 3)
        })
        .collect()
}

fn signed(product: Result<Product, HostFault>) -> Box<Signature> {
    let Product::Signature { signature } = product.unwrap() else {
        panic!("something else than a signature")
    };
    signature
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_a_page_felt_is_what_comes_out() {
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!("page"), false);
    let citizen = thread::spawn({
        let job = Arc::clone(&job);
        move || {
            let (page, picture) = outside.page();
            let area = page.area.unwrap();
            assert_eq!((page.page, page.pages, page.ink_area), (1, 1, None));
            // What was written before the page was there is not on it.
            job.act(Act::Ink {
                samples: stroke(area, 0, 50),
            });
            job.act(Act::Shown { page: 1 });
            let ink = stroke(area, 1_000_000, 40);
            // A touch beside the area, which is none of the signature.
            let beside = Area { x: 0, y: 0, ..area };
            let mut touch = stroke(beside, 0, 20);
            let lifted = touch.last().copied().unwrap();
            touch.push(InkSample(lifted.0, 0, 0, 0, 0, 0, 0));
            for sample in &mut touch {
                sample.2 = 100;
            }
            job.act(Act::Ink { samples: touch });
            for part in ink.chunks(10) {
                job.act(Act::Ink {
                    samples: part.to_vec(),
                });
            }
            job.act(Act::Confirm {});
            (outside.samples(), ink, area, picture)
        }
    });
    let signature = signed(post.work(&job));
    let (samples, ink, area, picture) = citizen.join().unwrap();
    let samples: Vec<InkSample> = samples
        .into_iter()
        .filter(|sample| sample.6 & 1 != 0)
        .collect();
    let clock = samples[0].0;
    for (sample, given) in samples.iter().zip(&ink) {
        assert_eq!(sample.0 - clock, given.0 - ink[0].0);
        assert_eq!((sample.1, sample.2, sample.3), (given.1, given.2, given.3));
        assert_eq!(sample.6, 3);
    }
    assert_eq!((samples.len(), signature.count), (40, 41));
    assert_eq!(signature.device.clock, SampleClock::Page);
    assert_eq!(
        (signature.device.max_x, signature.device.max_y),
        (64_000, 40_000)
    );
    assert_eq!(signature.measured_milli_rate, 200_000);
    assert_eq!(
        (signature.attempts, signature.lost, signature.unreadable),
        (1, 0, 0)
    );
    assert_eq!(signature.area, area);
    let fine = [area.x, area.y, area.width, area.height].map(|n| i32::try_from(n * 100).unwrap());
    assert_eq!(signature.ink_area, fine);
    let hash = hex(digest(&SHA256, &picture).as_ref());
    assert_eq!(signature.shown[0].picture_sha256, hash);
    assert_eq!(
        signature.document_sha256,
        hex(digest(&SHA256, &document(SHORT)).as_ref())
    );
}

/// What the citizen does once the only page is there, and the fault that comes of it.
fn fault_of(acts: impl FnOnce(Area) -> Vec<Act> + Send + 'static) -> String {
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!("page"), false);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        let (page, _picture) = outside.page();
        acting.act(Act::Shown { page: 1 });
        for act in acts(page.area.unwrap()) {
            acting.act(act);
        }
        outside
    });
    let fault = post.work(&job).unwrap_err();
    drop(citizen.join().unwrap());
    fault.code
}

#[test]
fn nothing_written_is_no_signature() {
    let confirm = Act::Confirm {};
    assert_eq!(fault_of(|_area| vec![confirm]), "SIG-EMPTY");
    let beside = |area: Area| {
        let outside = Area { x: 0, y: 0, ..area };
        let samples = stroke(
            Area {
                width: 4,
                height: 4,
                ..outside
            },
            0,
            40,
        );
        vec![Act::Ink { samples }, Act::Confirm {}]
    };
    assert_eq!(fault_of(beside), "SIG-EMPTY");
    let nonsense = |area: Area| {
        let mut samples = stroke(area, 0, 40);
        for sample in &mut samples {
            sample.1 = i32::MAX;
        }
        vec![Act::Ink { samples }, Act::Confirm {}]
    };
    assert_eq!(fault_of(nonsense), "SIG-EMPTY");
}

#[test]
fn the_citizen_may_decline() {
    assert_eq!(fault_of(|_area| vec![Act::Decline {}]), "SIG-DECLINED");
}

#[test]
fn a_new_start_leaves_nothing_of_the_old_one() {
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!("page"), true);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        let (page, _picture) = outside.page();
        let area = page.area.unwrap();
        acting.act(Act::Shown { page: 1 });
        acting.act(Act::Ink {
            samples: stroke(area, 0, 30),
        });
        acting.act(Act::Redo {});
        outside.page();
        acting.act(Act::Shown { page: 1 });
        acting.act(Act::Ink {
            samples: stroke(area, 9_000_000, 20),
        });
        acting.act(Act::Confirm {});
        outside.samples().len()
    });
    let signature = signed(post.work(&job));
    assert_eq!(citizen.join().unwrap(), 20);
    assert_eq!((signature.attempts, signature.shown.len()), (2, 2));
}

#[test]
fn every_page_is_seen_before_the_last_is_signed() {
    let long = (700, "image/png");
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig_with(&json!("page"), true, long);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        let mut turn = |to: u32| {
            let (page, _picture) = outside.page();
            assert_eq!(page.page, to);
            acting.act(Act::Shown { page: to });
            page
        };
        let pages = turn(1).pages;
        assert!(pages > 2);
        // Neither is there a place to sign yet, nor can pages be left out.
        acting.act(Act::Confirm {});
        acting.act(Act::Turn { page: pages });
        acting.act(Act::Turn { page: 2 });
        assert_eq!(turn(2).area, None);
        acting.act(Act::Turn { page: 1 });
        turn(1);
        for page in 2..pages {
            acting.act(Act::Turn { page });
            turn(page);
        }
        acting.act(Act::Turn { page: pages });
        let area = turn(pages).area.unwrap();
        acting.act(Act::Ink {
            samples: stroke(area, 0, 30),
        });
        acting.act(Act::Confirm {});
        (pages, outside)
    });
    let signature = signed(post.work(&job));
    let (pages, _outside) = citizen.join().unwrap();
    let shown: Vec<u32> = signature.shown.iter().map(|page| page.page).collect();
    let expected: Vec<u32> = [1, 2].into_iter().chain(1..=pages).collect();
    assert_eq!((shown, signature.attempts), (expected, 1));
}

#[test]
fn what_cannot_be_shown_is_refused_before_anything_is() {
    for media_type in ["text/html", "application/pdf"] {
        let Rig { job, mut post, .. } = rig_with(&json!("page"), false, (SHORT, media_type));
        assert_eq!(post.work(&job).unwrap_err().code, "SIG-DOCUMENT");
    }
}

#[test]
fn a_cancelled_signature_says_so() {
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!("page"), false);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        outside.page();
        acting.cancel();
        outside
    });
    assert_eq!(post.work(&job).unwrap_err().code, "JOB-CANCELLED");
    drop(citizen.join().unwrap());
}

/// A simulated pen display: tells its descriptor, and then what it is told to.
fn display() -> (String, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (plugged, streams) = channel();
    thread::spawn(move || {
        let descriptor = page_pen::descriptor((32_000, 20_000));
        while let Ok((mut stream, _peer)) = listener.accept() {
            say(&mut stream, b'D', &descriptor).unwrap();
            if plugged.send(stream).is_err() {
                return;
            }
        }
    });
    (address, streams)
}

fn say(stream: &mut TcpStream, kind: u8, content: &[u8]) -> io::Result<()> {
    let mut message = vec![kind];
    message.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    message.extend(content);
    stream.write_all(&message)
}

fn report(switches: u8, x: i32, y: i32, tick: u16) -> Vec<u8> {
    let mut report = vec![1, switches, 0x00, 0x40];
    report.extend(x.to_le_bytes());
    report.extend(y.to_le_bytes());
    report.extend([0; 4]);
    report.extend(tick.to_le_bytes());
    report
}

/// A pen that writes the same stroke over and over, until nobody listens any more.
fn write_on(mut stream: TcpStream, (x, y): (i32, i32)) {
    thread::spawn(move || {
        let mut tick: u16 = 0;
        for n in (0..41).cycle() {
            let switches = if (1..40).contains(&n) { 3 } else { 2 };
            tick = tick.wrapping_add(50);
            if say(&mut stream, b'I', &report(switches, x + n, y, tick)).is_err() {
                return;
            }
        }
    });
}

#[test]
fn ink_of_a_pen_display_is_shown_while_it_is_written() {
    let (address, streams) = display();
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!({"simulated": address}), false);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        let stream = streams.recv().unwrap();
        let (page, _picture) = outside.page();
        let (area, ink_area) = (page.area.unwrap(), page.ink_area.unwrap());
        assert_eq!(ink_area[2], i32::try_from(area.width * 100).unwrap());
        acting.act(Act::Shown { page: 1 });
        // The display counts half as fine as the picture's hundredths.
        let x = i32::try_from((area.x + area.width / 4) * 50).unwrap();
        let y = i32::try_from((area.y + area.height / 2) * 50).unwrap();
        write_on(stream, (x, y));
        let mut seen = Vec::new();
        while seen.len() < 40 {
            seen.extend(outside.ink());
        }
        acting.act(Act::Confirm {});
        (seen, outside.samples(), (x, y))
    });
    let signature = signed(post.work(&job));
    drop(post);
    let (seen, samples, (x, y)) = citizen.join().unwrap();
    assert!(samples.len() >= 5 && signature.device.clock == SampleClock::Device);
    let near = |sample: &InkSample, fine: i32| {
        (0..=41 * fine).contains(&(sample.1 - x * fine)) && (sample.2 - y * fine).abs() <= 1
    };
    assert!(seen.iter().all(|sample| near(sample, 2)), "{seen:?}");
    assert!(samples.iter().all(|sample| near(sample, 1)));
    assert!(seen.iter().all(|sample| sample.3 <= 0xFFFF));
}

#[test]
fn each_sample_is_told_before_the_next_is_written() {
    let (address, streams) = display();
    let Rig {
        job,
        mut outside,
        mut post,
        ..
    } = rig(&json!({"simulated": address}), false);
    let acting = Arc::clone(&job);
    let citizen = thread::spawn(move || {
        let mut stream = streams.recv().unwrap();
        let area = outside.page().0.area.unwrap();
        acting.act(Act::Shown { page: 1 });
        let x = i32::try_from((area.x + area.width / 4) * 50).unwrap();
        let y = i32::try_from((area.y + area.height / 2) * 50).unwrap();
        // What comes before the page is there is not heard.
        while !outside.has_begun() {
            say(&mut stream, b'I', &report(2, x, y, 0)).unwrap();
        }
        let mut tick = 0;
        for _stroke in 0..2 {
            let mut before = None;
            for n in 0..30 {
                tick += 50;
                say(&mut stream, b'I', &report(3, x + n, y, tick)).unwrap();
                let ink = outside.ink();
                let (last, followed) = ink.split_last().unwrap();
                assert_eq!((followed.first(), last.6), (before.as_ref(), 3));
                assert!(followed.len() <= 1 && (last.1 - (x + n) * 2).abs() <= 1);
                before = Some(*last);
            }
            // Of the pen in the air nothing is told but that it was lifted.
            for _hover in 0..10 {
                tick += 50;
                say(&mut stream, b'I', &report(2, x, y, tick)).unwrap();
            }
            let ink = outside.ink();
            assert_eq!((ink.len(), ink.first(), ink[1].6), (2, before.as_ref(), 2));
        }
        acting.cancel();
        (outside, stream)
    });
    assert_eq!(post.work(&job).unwrap_err().code, "JOB-CANCELLED");
    drop(citizen.join().unwrap());
}

#[test]
fn a_tablet_that_leaves_while_nobody_signs_is_gone_and_comes_back() {
    let (address, streams) = display();
    let Rig {
        mut post, sheet, ..
    } = rig(&json!({"simulated": address}), false);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let rest = Patience::new(
        Arc::clone(&clock),
        Deadline::at(clock.now().plus(Duration::from_secs(60))),
    );
    let ends = rest.clone();
    let resting = thread::spawn(move || post.idle(&ends));
    let first = streams.recv().unwrap();
    drop(first);
    // It connects again only after it noticed that the first was closed.
    let second = streams.recv().unwrap();
    while sheet.shown().is_none() {
        thread::yield_now();
    }
    let seen = sheet.shown().unwrap();
    assert_eq!(seen.capabilities.pen, Some(Pen::Display));
    assert_eq!(
        (seen.state, seen.id.as_str()),
        (DeviceState::Ready, "signatureTablet:1")
    );
    rest.stop();
    resting.join().unwrap();
    drop(second);
}
