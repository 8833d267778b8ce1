//! The specification's examples, and hostile lines.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of an integration test fail by panicking"
)]

use std::collections::BTreeSet;

use host_protocol::{
    AgentMessage, Answer, DecodeError, HostMessage, MAX_LINE, SecretText, decode, encode,
};
use proptest::prelude::*;

const SPECIFICATION: &str = include_str!("../../../docs/protocol/driver-host.md");

/// The JSON examples that stand below the heading `part`.
fn examples(part: &str) -> Vec<&'static str> {
    let (_before, rest) = SPECIFICATION.split_once(part).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    section
        .split("```json\n")
        .skip(1)
        .map(|block| block.split("\n```").next().unwrap())
        .collect()
}

fn kinds(lines: &[&str]) -> BTreeSet<String> {
    lines
        .iter()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["type"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// The words that stand at `place` in any of the examples.
fn kinds_at(lines: &[&str], place: &str) -> BTreeSet<String> {
    let values = lines.iter().filter_map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        Some(value.pointer(place)?.as_str()?.to_owned())
    });
    values.collect()
}

fn recoded<M: serde::Serialize + serde::de::DeserializeOwned>(line: &str) -> String {
    let message: M = decode(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
    let line = encode(&message).unwrap();
    std::str::from_utf8(&line).unwrap().trim_end().to_owned()
}

#[test]
fn every_line_of_the_session_is_a_message_of_who_says_it() {
    let (_before, session) = SPECIFICATION.split_once("```session\n").unwrap();
    let lines: Vec<&str> = session.split("\n```").next().unwrap().lines().collect();
    assert!(lines.len() > 10);
    for line in lines {
        let said = match line.split_once(' ').unwrap() {
            ("<", said) => (said, recoded::<HostMessage>(said)),
            (">", said) => (said, recoded::<AgentMessage>(said)),
            _neither => panic!("{line}"),
        };
        assert_eq!(said.0, said.1);
    }
}

/// A vendor finds every step, and is told of none that does not exist.
#[test]
fn every_step_of_the_page_is_one() {
    let (_before, table) = SPECIFICATION
        .split_once("| step | meaning |\n|---|---|\n")
        .unwrap();
    let rows = table.lines().take_while(|line| line.starts_with("| `"));
    let mut count = 0;
    for row in rows {
        let step = row.split('`').nth(1).unwrap();
        let line = format!("{{\"type\":\"progress\",\"id\":1,\"step\":\"{step}\"}}");
        assert_eq!(recoded::<HostMessage>(&line), line);
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn every_example_of_a_host_decodes_and_encodes_to_itself() {
    let lines = examples("\n## Host to agent");
    for line in &lines {
        assert_eq!(recoded::<HostMessage>(line), *line);
    }
    let all = [
        "accepted", "ask", "devices", "finished", "hello", "item", "part", "pong", "progress",
    ];
    assert_eq!(kinds(&lines), all.map(str::to_owned).into());
    let products = [
        "calibration",
        "card",
        "document",
        "handedOver",
        "pages",
        "reading",
        "scans",
        "signature",
        "ticket",
        "tickets",
        "typed",
    ];
    assert_eq!(
        kinds_at(&lines, "/outcome/product/kind"),
        products.map(str::to_owned).into()
    );
    let items = ["ink", "page", "scan", "show"];
    assert_eq!(
        kinds_at(&lines, "/item/kind"),
        items.map(str::to_owned).into()
    );
    let questions = ["pin", "pinOnDevice", "verificationNumberB"];
    assert_eq!(
        kinds_at(&lines, "/question/kind"),
        questions.map(str::to_owned).into()
    );
}

#[test]
fn every_example_of_the_agent_decodes_and_encodes_to_itself() {
    let lines = examples("\n## Agent to host");
    for line in &lines {
        assert_eq!(recoded::<AgentMessage>(line), *line);
    }
    let all = [
        "act", "answer", "cancel", "part", "ping", "received", "start", "welcome",
    ];
    assert_eq!(kinds(&lines), all.map(str::to_owned).into());
    let tasks = [
        "calibrateTablet",
        "captureSignature",
        "handOver",
        "identifyCard",
        "listTickets",
        "printDocument",
        "printTicket",
        "readMyNumberCard",
        "scanCodes",
        "scanDocument",
        "settleTicket",
        "typeText",
    ];
    assert_eq!(
        kinds_at(&lines, "/task/kind"),
        tasks.map(str::to_owned).into()
    );
    let acts = ["confirm", "decline", "ink", "redo", "shown", "turn"];
    assert_eq!(
        kinds_at(&lines, "/act/kind"),
        acts.map(str::to_owned).into()
    );
    let answers = ["declined", "enterOnDevice", "secret", "timedOut"];
    assert_eq!(
        kinds_at(&lines, "/answer/kind"),
        answers.map(str::to_owned).into()
    );
}

#[test]
fn what_is_not_specified_is_refused() {
    for line in [
        "",
        "{}",
        "[]",
        "null",
        "{\"type\":\"launch\"}",
        "{\"type\":\"cancel\"}",
        "{\"type\":\"cancel\",\"id\":-1}",
        "{\"type\":\"cancel\",\"id\":7,\"force\":true}",
        "{\"type\":\"cancel\",\"id\":7} {\"type\":\"cancel\",\"id\":8}",
        "{\"type\":\"answer\",\"id\":7,\"ask\":1,\"answer\":{\"kind\":\"secret\",\"value\":\"1234\"}}",
    ] {
        assert!(decode::<AgentMessage>(line.as_bytes()).is_err(), "{line}");
    }
}

#[test]
fn every_truncation_of_an_example_is_refused() {
    for line in examples("\n## Agent to host") {
        for length in 0..line.len() {
            assert!(decode::<AgentMessage>(&line.as_bytes()[..length]).is_err());
        }
    }
}

#[test]
fn a_refusal_does_not_quote_the_line() {
    let line = br#"{"type":"answer","id":7,"ask":1,"answer":{"kind":"secret","value":7391}}"#;
    let error = decode::<AgentMessage>(line).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("7391"));
}

#[test]
fn a_line_too_long_is_refused_on_both_sides() {
    let line = vec![b' '; MAX_LINE + 2];
    assert!(matches!(
        decode::<AgentMessage>(&line),
        Err(DecodeError::TooLong { .. })
    ));
    let value = SecretText::new("1".repeat(MAX_LINE));
    let answer = Answer::Secret {
        value,
        last_try_allowed: false,
    };
    assert!(
        encode(&AgentMessage::Answer {
            id: 1,
            ask: 1,
            answer
        })
        .is_err()
    );
}

#[test]
fn debug_of_a_message_hides_its_secret() {
    let value = SecretText::new("7391".to_owned());
    let answer = Answer::Secret {
        value,
        last_try_allowed: true,
    };
    let message = AgentMessage::Answer {
        id: 1,
        ask: 1,
        answer,
    };
    assert!(!format!("{message:?}").contains("7391"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _agent = decode::<AgentMessage>(&bytes);
        let _host = decode::<HostMessage>(&bytes);
    }

    #[test]
    fn a_damaged_example_is_read_without_panic(at in 0_usize..1000, byte: u8, pick in 0_usize..100) {
        let lines = [examples("\n## Host to agent"), examples("\n## Agent to host")].concat();
        let mut line = lines[pick % lines.len()].as_bytes().to_vec();
        let at = at % line.len();
        line[at] = byte;
        let _agent = decode::<AgentMessage>(&line);
        let _host = decode::<HostMessage>(&line);
    }

    #[test]
    fn an_answer_survives_the_pipe(value in "\\PC{0,40}", id: u64, ask: u32, allowed: bool) {
        let answer = Answer::Secret { value: SecretText::new(value), last_try_allowed: allowed };
        let message = AgentMessage::Answer { id, ask, answer };
        prop_assert_eq!(decode::<AgentMessage>(&encode(&message).unwrap()).unwrap(), message);
    }
}
