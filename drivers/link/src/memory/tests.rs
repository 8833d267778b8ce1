//! The in-memory pair, as a driver and as a test meet it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use device_api::{Deadline, SystemClock};

use super::*;
use crate::{Frame, Link as _, LinkError, ReportLink as _};

fn in_seconds(device: &Device, seconds: u64) -> Deadline {
    Deadline::at(device.clock().now().plus(Duration::from_secs(seconds)))
}

#[test]
fn what_the_device_sends_arrives_in_order_and_is_personal() {
    let (device, mut link) = stream_pair();
    device.sends([1, 2]);
    device.sends([3]);
    let soon = in_seconds(&device, 1);
    let first = link.receive(soon).unwrap();
    assert_eq!(first, Frame::personal([1, 2]));
    assert_eq!(link.receive(soon).unwrap().bytes(), [3]);
}

#[test]
fn without_threads_a_wait_takes_no_time_and_moves_the_clock_to_the_deadline() {
    let (device, mut link) = stream_pair();
    let late = in_seconds(&device, 3600);
    assert!(matches!(link.receive(late), Err(LinkError::TimedOut)));
    assert_eq!(device.clock().now(), late.moment());
}

#[test]
fn what_is_delayed_arrives_when_it_is_due_and_not_before() {
    let (device, mut link) = stream_pair();
    device.sends_after(Duration::from_secs(5), [7]);
    let early = in_seconds(&device, 4);
    assert!(matches!(link.receive(early), Err(LinkError::TimedOut)));
    assert_eq!(link.receive(in_seconds(&device, 4)).unwrap().bytes(), [7]);
    assert_eq!(device.clock().now().since_origin(), Duration::from_secs(5));
}

#[test]
fn a_device_that_vanished_delivers_what_had_arrived_and_is_gone_for_ever() {
    let (device, mut link) = stream_pair();
    device.sends([1]);
    device.vanishes();
    let soon = in_seconds(&device, 1);
    assert!(link.receive(soon).is_ok());
    for _ in 0..2 {
        assert!(matches!(link.receive(soon), Err(LinkError::Gone)));
        let sent = link.send(&Frame::plain([1]), soon);
        assert!(matches!(sent, Err(LinkError::Gone)));
    }
}

#[test]
fn a_device_that_hangs_takes_and_gives_nothing_until_it_resumes() {
    let (device, mut link) = stream_pair();
    device.sends([1]);
    device.hangs();
    let received = link.receive(in_seconds(&device, 1));
    assert!(matches!(received, Err(LinkError::TimedOut)));
    let sent = link.send(&Frame::plain([1]), in_seconds(&device, 1));
    assert!(matches!(sent, Err(LinkError::TimedOut)));
    assert!(device.sent().is_empty());
    device.resumes();
    assert!(link.receive(in_seconds(&device, 1)).is_ok());
}

#[test]
fn a_plug_pulled_in_the_middle_of_a_frame_leaves_its_beginning_with_the_device() {
    let (device, mut link) = stream_pair();
    device.meets_after(4, Fate::Vanish);
    let soon = in_seconds(&device, 1);
    link.send(&Frame::plain([1, 2, 3]), soon).unwrap();
    let second = link.send(&Frame::plain([4, 5, 6]), soon);
    assert!(matches!(second, Err(LinkError::Gone)));
    assert_eq!(device.sent_bytes(), [1, 2, 3, 4]);
}

#[test]
fn a_report_can_come_too_short() {
    let (device, mut link) = reports([]);
    device.truncates_next(1);
    device.sends([1, 2, 3]);
    device.sends([4, 5, 6]);
    let soon = in_seconds(&device, 1);
    assert_eq!(link.receive(soon).unwrap().bytes(), [1]);
    assert_eq!(link.receive(soon).unwrap().bytes(), [4, 5, 6]);
}

#[test]
fn feature_reports_are_answered_by_the_test_and_what_is_written_is_seen() {
    let (device, mut link) = reports([0x05, 0x0d]);
    device.answers_features(|report| (report == 2).then(|| vec![2, 9]));
    let soon = in_seconds(&device, 1);
    assert_eq!(link.descriptor(), [0x05, 0x0d]);
    assert_eq!(link.feature(2, soon).unwrap().bytes(), [2, 9]);
    assert_eq!(link.feature(2, soon).unwrap().bytes(), [2, 9]);
    let other = link.feature(3, soon);
    assert!(matches!(other, Err(LinkError::Malformed { .. })));
    link.set_feature(&Frame::plain([2, 1]), soon).unwrap();
    assert_eq!(device.features_set(), [[2, 1]]);
}

#[test]
fn an_interruption_from_another_thread_ends_a_wait_that_blocks() {
    let (_device, mut link) = stream_pair_on(Arc::new(SystemClock::new()));
    let interrupter = link.interrupter();
    let far = Deadline::at(device_api::Moment::default().plus(Duration::from_secs(600)));
    thread::scope(|threads| {
        let receiving = threads.spawn(|| link.receive(far));
        interrupter.interrupt();
        let received = receiving.join().unwrap();
        assert!(matches!(received, Err(LinkError::Interrupted)));
    });
}
