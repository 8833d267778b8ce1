//! Settings that are only checked: what is wrong is said in a line, and no device is touched.

use std::{
    io::Write,
    net::TcpListener,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::host;

fn check(arguments: &[&str], settings: &Value) -> Output {
    let mut child = host::command()
        .args(arguments)
        .arg("--check-settings")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(settings.to_string().as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

/// Exit code and complaint.
fn verdict(output: &Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code(), said)
}

#[test]
fn good_settings_are_passed_over_in_silence_and_nobody_is_called() {
    let printer = TcpListener::bind("127.0.0.1:0").unwrap();
    printer.set_nonblocking(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let address = printer.local_addr().unwrap().to_string();
    let front = json!({"name": "front", "connection": {"tcp": address}, "profile": "tm-t88vii"});
    let settings = json!({"state_dir": state, "printers": [front]});
    assert_eq!(
        verdict(&check(&["ticket-printer"], &settings)),
        (Some(0), String::new())
    );
    let called = printer.accept().unwrap_err();
    assert_eq!(called.kind(), std::io::ErrorKind::WouldBlock);
    assert!(!state.exists());
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let front = |profile| {
        let printer =
            json!({"name": "front", "connection": {"tcp": "127.0.0.1:9"}, "profile": profile});
        json!({"state_dir": "/tmp", "printers": [printer]})
    };
    let (code, said) = verdict(&check(&["ticket-printer"], &front("tm-t88-vii")));
    assert_eq!((code, said.lines().count()), (Some(5), 1));
    assert!(
        said.starts_with("ticket printer front: no profile tm-t88-vii; there are"),
        "{said}"
    );
    assert!(said.contains("tm-t88vii"), "{said}");
    let form = json!({"keyboard": {"forms": ["/no/such/form.toml"]}});
    let (code, said) = verdict(&check(&["keyboard"], &form));
    assert_eq!((code, said.lines().count()), (Some(5), 1));
    assert!(said.starts_with("form /no/such/form.toml:"), "{said}");
    let net = json!({"name": "a", "reached_by": {"escl": "http://127.0.0.1:9/eSCL"}});
    let twice = json!({"scanners": [net, net]});
    let (code, said) = verdict(&check(&["document-scanner"], &twice));
    assert_eq!((code, said.lines().count()), (Some(5), 1));
    assert!(said.contains("documentScanner:a"), "{said}");
}

#[test]
fn trust_anchors_are_checked_without_settings() {
    let (code, said) = verdict(&check(&["pcsc", "--trust", "nobody"], &Value::Null));
    assert_eq!(code, Some(4));
    assert!(said.contains("nobody"), "{said}");
    let good = check(&["pcsc", "--trust", "jlis-test"], &Value::Null);
    assert_eq!(verdict(&good), (Some(0), String::new()));
}
