//! Held against the examples of the specification and against bytes of another implementation: the packets
//! named "mosquitto" were captured from mosquitto_pub and mosquitto_sub 2.0.11 of Debian 12.

use proptest::prelude::*;

use super::*;

fn packet_of(hex_bytes: &str) -> Packet {
    let bytes = hex::decode(hex_bytes).unwrap();
    let (packet, length) = decode(&bytes).unwrap().unwrap();
    assert_eq!(length, bytes.len());
    packet
}

fn error_of(hex_bytes: &str) -> Malformed {
    decode(&hex::decode(hex_bytes).unwrap()).unwrap_err()
}

#[test]
fn remaining_lengths_are_those_of_table_2_4() {
    for (hex_bytes, value) in [
        ("00", 0),
        ("7f", 127),
        ("8001", 128),
        ("ff7f", 16_383),
        ("808001", 16_384),
        ("ffff7f", 2_097_151),
        ("80808001", 2_097_152),
        ("ffffff7f", 268_435_455),
    ] {
        let bytes = hex::decode(hex_bytes).unwrap();
        let expected = Ok(Some((value, bytes.len())));
        assert_eq!(remaining_length(&bytes), expected, "{hex_bytes}");
        for cut in 0..bytes.len() {
            assert_eq!(remaining_length(&bytes[..cut]), Ok(None));
        }
    }
    assert_eq!(remaining_length(&[0x80; 4]), Err(Malformed::Length));
}

#[test]
fn a_string_is_that_of_section_1_5_3() {
    let bytes = hex::decode("000541f0aa9b94").unwrap();
    assert_eq!(Reader::new(&bytes).text().unwrap(), "A\u{2A6D4}");
}

#[test]
fn the_connect_header_of_section_3_1_2_is_read() {
    // The header of figure 3.6, with a payload as its flags demand.
    let packet = packet_of("101900044d51545404ce000a000161000177000178000175000170");
    let expected = Connect {
        level: 4,
        clean: true,
        keep_alive: 10,
        client_id: "a".to_owned(),
        will: Some(Will {
            topic: "w".to_owned(),
            payload: b"x".to_vec(),
            quality: 1,
            retain: false,
        }),
        user: Some("u".to_owned()),
    };
    assert_eq!(packet, Packet::Connect(expected));
}

#[test]
fn a_connect_of_mosquitto_is_read() {
    let packet = packet_of(
        "102800044d51545404ee000f00057075622d310003772f310004676f6e65000475736572000470617373",
    );
    let expected = Connect {
        level: 4,
        clean: true,
        keep_alive: 15,
        client_id: "pub-1".to_owned(),
        will: Some(Will {
            topic: "w/1".to_owned(),
            payload: b"gone".to_vec(),
            quality: 1,
            retain: true,
        }),
        user: Some("user".to_owned()),
    };
    assert_eq!(packet, Packet::Connect(expected));
}

#[test]
fn connects_of_other_versions_are_told_by_their_level() {
    for (hex_bytes, level) in [
        // mosquitto, MQTT 5.
        ("101500044d5154540502003c0321001400057075622d35", 5),
        // mosquitto, MQTT 3.1.
        ("101300064d51497364700302003c00057075622d33", 3),
    ] {
        let Packet::Connect(connect) = packet_of(hex_bytes) else {
            panic!("no CONNECT");
        };
        assert_eq!(connect.level, level);
    }
}

#[test]
fn publications_of_mosquitto_are_read_and_written_alike() {
    for (hex_bytes, id, retain) in [
        ("320e0005612f622f63000168656c6c6f", Some(1), false),
        ("310c0005612f622f6368656c6c6f", None, true),
    ] {
        let expected = Publish {
            duplicate: false,
            retain,
            topic: "a/b/c".to_owned(),
            id,
            payload: b"hello".to_vec(),
        };
        assert_eq!(hex::encode(publish_bytes(&expected)), hex_bytes);
        assert_eq!(packet_of(hex_bytes), Packet::Publish(expected));
    }
}

#[test]
fn requests_are_those_of_the_specification_and_of_mosquitto() {
    let filters = |all: &[(&str, u8)]| {
        all.iter()
            .map(|(filter, quality)| ((*filter).to_owned(), *quality))
            .collect::<Vec<_>>()
    };
    for (hex_bytes, expected) in [
        // Figures 3.21 and 3.23: packet identifier 10, a/b at 1 and c/d at 2.
        (
            "820e000a0003612f62010003632f6402",
            Packet::Subscribe {
                id: 10,
                filters: filters(&[("a/b", 1), ("c/d", 2)]),
            },
        ),
        // Section 3.10.3: a/b and c/d.
        (
            "a20c000a0003612f620003632f64",
            Packet::Unsubscribe {
                id: 10,
                filters: vec!["a/b".to_owned(), "c/d".to_owned()],
            },
        ),
        // mosquitto.
        (
            "820800010003612f2301",
            Packet::Subscribe {
                id: 1,
                filters: filters(&[("a/#", 1)]),
            },
        ),
        (
            "a20700020003622f2b",
            Packet::Unsubscribe {
                id: 2,
                filters: vec!["b/+".to_owned()],
            },
        ),
        ("40020009", Packet::PubAck { id: 9 }),
        ("e000", Packet::Disconnect),
        ("c000", Packet::PingReq),
    ] {
        assert_eq!(packet_of(hex_bytes), expected, "{hex_bytes}");
    }
}

#[test]
fn answers_are_those_of_the_specification() {
    let hex_of = |bytes: Vec<u8>| hex::encode(bytes);
    assert_eq!(hex_of(connack(false, ConnectCode::Accepted)), "20020000");
    assert_eq!(hex_of(connack(true, ConnectCode::Accepted)), "20020100");
    assert_eq!(
        hex_of(connack(true, ConnectCode::UnacceptableProtocol)),
        "20020001"
    );
    assert_eq!(hex_of(puback(0x1234)), "40021234");
    // Figure 3.27: granted 0, granted 2, failure.
    assert_eq!(hex_of(suback(10, &[0, 2, 0x80])), "9005000a000280");
    assert_eq!(hex_of(unsuback(10)), "b002000a");
    assert_eq!(hex_of(pingresp()), "d000");
}

#[test]
fn what_the_specification_forbids_is_refused() {
    for (hex_bytes, expected) in [
        ("c100", Malformed::Flags),
        ("8008000100036120230100", Malformed::Flags),
        ("8202000a", Malformed::NoFilter),
        ("a202000a", Malformed::NoFilter),
        ("3206000161000078", Malformed::Identifier),
        ("3805000161000178", Malformed::Flags),
        ("340600016100017878", Malformed::Quality),
        ("36060001610001787878", Malformed::Quality),
        ("30050003612f2b", Malformed::Text),
        ("30020000", Malformed::Text),
        ("300500036100ff", Malformed::Text),
        ("c00100", Malformed::LeftOver),
        ("3002ff00", Malformed::Short),
        ("2000", Malformed::Type),
        ("f000", Malformed::Type),
        ("ffffffffff", Malformed::Length),
        ("30ffffff7f", Malformed::TooLarge),
        // The reserved flag of CONNECT, a password without a user, parts of a will without one.
        ("100d00044d5154540403000a000161", Malformed::Flags),
        ("100d00044d5154540442000a000161", Malformed::Flags),
        ("100d00044d515454042a000a000161", Malformed::Flags),
        ("100d00044d5154550402000a000161", Malformed::Protocol),
    ] {
        assert_eq!(error_of(hex_bytes), expected, "{hex_bytes}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&bytes));
    }

    #[test]
    fn what_is_cut_short_is_not_complete(length in 0_usize..300, cut in 0_usize..300) {
        let publish = Publish {
            duplicate: true,
            retain: false,
            topic: "a/b".to_owned(),
            id: Some(7),
            payload: vec![3; length],
        };
        let bytes = publish_bytes(&publish);
        let cut = cut.min(bytes.len() - 1);
        prop_assert_eq!(decode(&bytes[..cut]), Ok(None));
        prop_assert_eq!(decode(&bytes), Ok(Some((Packet::Publish(publish), bytes.len()))));
    }
}
