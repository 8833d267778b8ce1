//! The messages of `linux/uhid.h`, by the offsets that a C compiler gives them.

use super::*;
use crate::models::{PEN_DESCRIPTOR, wacom_pen};

#[test]
fn a_new_device_is_described_at_the_places_of_the_header_file() {
    let message = create(&wacom_pen()).unwrap();
    assert_eq!(message.len(), 4 + 128 + 64 + 64 + 2 + 2 + 4 * 4 + 4096);
    assert_eq!(message[..4], [11, 0, 0, 0]);
    assert!(message[4..].starts_with(b"Played pen display\0"));
    assert!(message[196..].starts_with(b"PEN0001\0"));
    assert_eq!(usize::from(message[260]), PEN_DESCRIPTOR.len());
    assert_eq!(message[264..272], [0x6a, 0x05, 0, 0, 0xa8, 0, 0, 0]);
    assert!(message[280..].starts_with(PEN_DESCRIPTOR));
    let mut long = wacom_pen();
    long.serial = "9".repeat(64);
    assert!(create(&long).is_err());
}

fn answered(message: &[u8], with: Option<&[u8]>) -> (Option<Vec<u8>>, Vec<Request>) {
    let (sender, requests) = std::sync::mpsc::channel();
    let with = with.map(<[u8]>::to_vec);
    let mut behaviour: Behaviour = Box::new(move |request| {
        sender.send(request).unwrap();
        with.clone()
    });
    let reply = answer(message, &mut behaviour);
    (reply, requests.try_iter().collect())
}

#[test]
fn a_feature_report_is_asked_for_and_answered_or_refused() {
    let asked = [9, 0, 0, 0, 7, 0, 0, 0, 2, 0];
    let (reply, requests) = answered(&asked, Some(&[2, 9]));
    assert_eq!(requests, [Request::Feature(2)]);
    assert_eq!(reply.unwrap(), [10, 0, 0, 0, 7, 0, 0, 0, 0, 0, 2, 0, 2, 9]);
    let (reply, _) = answered(&asked, None);
    assert_eq!(reply.unwrap(), [10, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0]);
}

#[test]
fn a_report_that_is_set_or_put_out_reaches_the_device() {
    let set = [13, 0, 0, 0, 8, 0, 0, 0, 2, 0, 2, 0, 2, 6, 0xff];
    let (reply, requests) = answered(&set, Some(&[]));
    assert_eq!(requests, [Request::SetFeature(vec![2, 6])]);
    assert_eq!(reply.unwrap(), [14, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
    let mut output = vec![6, 0, 0, 0, 4, 1, 2];
    output.resize(4 + 4096, 0);
    output.extend([3, 0, 1]);
    let (reply, requests) = answered(&output, Some(&[]));
    assert_eq!(
        (reply, requests),
        (None, vec![Request::Output(vec![4, 1, 2])])
    );
}

#[test]
fn a_message_cut_short_asks_nothing() {
    let set = [13, 0, 0, 0, 8, 0, 0, 0, 2, 0, 2, 0, 2, 6];
    for length in 0..set.len() {
        assert_eq!(answered(&set[..length], Some(&[])), (None, vec![]));
    }
}
