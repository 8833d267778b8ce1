//! The simulated counter from outside: its HTTP surfaces, its state folder, its end.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use counter_sim::{CounterSim, SettingsFile};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running counter whose readers are plain sockets of the test.
struct Bench {
    sim: CounterSim,
    readers: Vec<TcpListener>,
    state: TempDir,
}

fn start(state: &Path, slots: Vec<SocketAddr>, more: impl FnOnce(&mut SettingsFile)) -> CounterSim {
    let mut file = SettingsFile {
        state: Some(state.to_owned()),
        pki: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("counter-sim-pki")),
        slots,
        agent_id: Some("agent-7".to_owned()),
        counter_name: Some("3".to_owned()),
        ..SettingsFile::default()
    };
    more(&mut file);
    CounterSim::start(&file.check().unwrap()).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(more: impl FnOnce(&mut SettingsFile)) -> Self {
        let state = tempfile::tempdir().unwrap();
        let readers: Vec<_> = (0..2)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let slots = readers
            .iter()
            .map(|reader| reader.local_addr().unwrap())
            .collect();
        let sim = start(state.path(), slots, more);
        Self {
            sim,
            readers,
            state,
        }
    }

    fn control(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        request(
            method,
            &format!("{}{path}", self.sim.control_address()),
            &[],
            body,
        )
    }

    fn insert(&self, slot: usize, holder: &str) -> u16 {
        let body = json!({ "holder": holder });
        self.control("POST", &format!("/slots/{slot}/insert"), Some(body))
            .0
    }

    /// The reader's side of a slot, once the card has connected.
    fn reader(&self, slot: usize) -> TcpStream {
        let stream = self.readers[slot].accept().unwrap().0;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Option<Value>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = match body {
        Some(body) => {
            let request = request.header("content-type", "application/json");
            agent.run(request.body(body.to_string()).unwrap()).unwrap()
        }
        None => agent.run(request.body(()).unwrap()).unwrap(),
    };
    let text = answer.body_mut().read_to_string().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

fn ask(reader: &mut TcpStream, message: &[u8]) -> Option<Vec<u8>> {
    reader
        .write_all(&u16::try_from(message.len()).unwrap().to_be_bytes())
        .unwrap();
    reader.write_all(message).unwrap();
    let mut length = [0; 2];
    reader.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    reader.read_exact(&mut answer).ok()?;
    Some(answer)
}

const SELECT_TEXT: &[u8] = b"\x00\xA4\x04\x0C\x0A\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08";

#[test]
fn cards_show_what_developers_type_but_neither_numbers_nor_addresses() {
    let bench = Bench::new();
    let (status, cards) = bench.control("GET", "/cards", None);
    assert_eq!(status, 200);
    let cards = cards.as_array().unwrap();
    assert!(cards.len() >= 13);
    let hanako = cards.iter().find(|card| card["id"] == "hanako").unwrap();
    assert_eq!(hanako["pin"], "1234");
    assert_eq!(hanako["verificationNumberB"], "04050820341021");
    assert!(cards.iter().any(|card| card["id"] == "jlis-test-card"));
    let text = serde_json::to_string(cards).unwrap();
    assert!(!text.contains("000000000019") && !text.contains("537686677188"));
}

#[test]
fn a_card_lies_in_one_slot_at_most_and_is_read_there() {
    let bench = Bench::new();
    assert_eq!(bench.insert(0, "hanako"), 200);
    assert_eq!(bench.insert(1, "hanako"), 409, "it lies elsewhere");
    assert_eq!(bench.insert(0, "taro"), 409, "the slot is taken");
    assert_eq!(bench.insert(1, "nobody"), 404);
    assert_eq!(bench.insert(7, "taro"), 404);

    let mut reader = bench.reader(0);
    reader.write_all(&[0, 1, 1]).unwrap();
    assert_eq!(ask(&mut reader, SELECT_TEXT).unwrap(), [0x6F, 0x00]);
    assert_eq!(ask(&mut reader, SELECT_TEXT).unwrap(), [0x90, 0x00]);
    let (_, counters) = bench.control("GET", "/slots/0/counters", None);
    assert_eq!(
        (&counters["apdus"], &counters["byHeader"]["00 A4 04 0C"]),
        (&json!(2), &json!(2))
    );
    let (_, exchanges) = bench.control("GET", "/slots/0/exchanges", None);
    assert_eq!(exchanges[1]["status"], "9000");

    let (status, lifted) = bench.control("POST", "/slots/0/lift", None);
    assert_eq!((status, &lifted["holder"]), (200, &json!("hanako")));
    assert_eq!(bench.control("POST", "/slots/0/lift", None).0, 409);
    assert_eq!(bench.insert(1, "hanako"), 200);
}

#[test]
fn faults_are_planned_shown_struck_and_cleared() {
    let bench = Bench::new();
    let plan = json!({ "faults": [{ "where": { "command": 1 }, "kind": { "status": "6985" } }] });
    assert_eq!(
        bench
            .control("POST", "/slots/0/faults", Some(plan.clone()))
            .0,
        204
    );
    let (_, faults) = bench.control("GET", "/slots/0/faults", None);
    assert_eq!(faults[0]["kind"]["status"], "6985");
    assert_eq!(bench.insert(0, "hanako"), 200);
    assert_eq!(
        ask(&mut bench.reader(0), SELECT_TEXT).unwrap(),
        [0x69, 0x85]
    );
    assert_eq!(bench.control("GET", "/slots/0/faults", None).1, json!([]));

    let absurd = json!({ "faults": [{ "where": { "command": 0 }, "kind": "lift" }] });
    assert_eq!(
        bench.control("POST", "/slots/0/faults", Some(absurd)).0,
        422
    );
    assert_eq!(bench.control("POST", "/slots/0/faults", Some(plan)).0, 204);
    assert_eq!(bench.control("DELETE", "/slots/0/faults", None).0, 204);
    assert_eq!(bench.control("GET", "/slots/0/faults", None).1, json!([]));
}

#[cfg(unix)]
#[test]
fn the_card_service_is_killed_by_its_owner_or_not_at_all() {
    let plan = json!({ "faults": [{ "where": { "command": 1 }, "kind": "serviceKilled" }] });
    let alone = Bench::new();
    assert_eq!(alone.control("POST", "/service/kill", None).0, 409);
    let refused = alone.control("POST", "/slots/0/faults", Some(plan.clone()));
    assert_eq!(refused.0, 422);

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("owner");
    let owner = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    owner
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let told = || {
        let mut order = [0; 16];
        let length = owner.recv(&mut order).unwrap();
        order[..length].to_vec()
    };
    let bench = Bench::with(|file| file.service_owner = Some(socket));
    assert_eq!(bench.control("POST", "/service/kill", None).0, 204);
    assert_eq!(told(), b"kill");
    assert_eq!(bench.control("POST", "/slots/1/faults", Some(plan)).0, 204);
    assert_eq!(bench.insert(1, "hanako"), 200);
    let mut reader = bench.reader(1);
    let length = u16::try_from(SELECT_TEXT.len()).unwrap();
    reader.write_all(&length.to_be_bytes()).unwrap();
    reader.write_all(SELECT_TEXT).unwrap();
    assert_eq!(told(), b"kill");
}

#[test]
fn tries_survive_the_simulator_and_are_restored_on_request() {
    let bench = Bench::new();
    assert_eq!(bench.insert(0, "hanako"), 200);
    let mut reader = bench.reader(0);
    reader.write_all(&[0, 1, 1]).unwrap();
    for command in [SELECT_TEXT, SELECT_TEXT, b"\x00\x20\x00\x91\x040000"] {
        ask(&mut reader, command).unwrap();
    }
    assert_eq!(
        bench.control("GET", "/cards/hanako/tries", None).1["pin"],
        2
    );
    let Bench {
        sim,
        readers,
        state,
    } = bench;
    drop(sim);

    let slots = readers
        .iter()
        .map(|reader| reader.local_addr().unwrap())
        .collect();
    let bench = Bench {
        sim: start(state.path(), slots, |_| {}),
        readers,
        state,
    };
    assert_eq!(
        bench.control("GET", "/cards/hanako/tries", None).1["pin"],
        2
    );
    assert_eq!(
        bench.control("DELETE", "/cards/hanako/tries", None).1["pin"],
        3
    );
    assert_eq!(
        bench.control("GET", "/cards/blocked/tries", None).1["pin"],
        0
    );
    assert_eq!(bench.control("GET", "/cards/nobody/tries", None).0, 404);
}

#[test]
fn other_hosts_and_other_origins_are_refused_on_both_surfaces() {
    let bench = Bench::new();
    let surfaces = [
        (bench.sim.control_address(), "/slots"),
        (bench.sim.counter_address(), "/config.json"),
    ];
    for (address, path) in surfaces {
        let status =
            |headers: &[(&str, &str)]| request("GET", &format!("{address}{path}"), headers, None).0;
        assert_eq!(status(&[]), 200);
        assert_eq!(status(&[("origin", &address)]), 200);
        assert_eq!(status(&[("origin", "https://evil.example")]), 403);
        assert_eq!(status(&[("host", "rebind.example")]), 403);
    }
    let lift = format!("{}/slots/0/lift", bench.sim.control_address());
    let other_page = bench.sim.counter_address();
    assert_eq!(
        request("POST", &lift, &[("origin", &other_page)], None).0,
        403
    );
}

#[test]
fn the_counter_application_serves_its_page_configuration_and_tokens() {
    let page = tempfile::tempdir().unwrap();
    std::fs::write(page.path().join("index.html"), "<h1>counter</h1>").unwrap();
    let bench = Bench::with(|file| file.counter_page = Some(page.path().to_owned()));
    let url = |path: &str| format!("{}{path}", bench.sim.counter_address());
    let fetch = |path: &str| request("GET", &url(path), &[], None);
    assert_eq!(fetch("/"), (200, json!("<h1>counter</h1>")));
    assert_eq!(fetch("/missing.js").0, 404);
    assert_eq!(
        fetch("/config.json").1,
        json!({ "agent": "http://127.0.0.1:21710", "counter": "3" })
    );

    let agent = json!({ "address": "http://127.0.0.1:4711", "id": "agent-8" });
    assert_eq!(bench.control("PUT", "/agent", Some(agent)).0, 204);
    assert_eq!(fetch("/config.json").1["agent"], "http://127.0.0.1:4711");
    let (status, token) = request("POST", &url("/token"), &[], Some(json!({ "nonce": "n" })));
    assert_eq!(status, 200);
    assert_eq!(token["token"].as_str().unwrap().split('.').count(), 3);
    let unknown = Some(json!({ "staff": "mayor" }));
    assert_eq!(request("POST", &url("/token"), &[], unknown).0, 422);
}

#[test]
fn the_port_file_names_every_address_and_goes_with_the_simulator() {
    let bench = Bench::new();
    let path = bench.state.path().join("counter-sim.json");
    let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(file["control"], bench.sim.control_address());
    assert_eq!(file["counterApp"], bench.sim.counter_address());
    assert_eq!(file["issuerPublicKey"], bench.sim.issuer_public_key());
    let key = std::fs::read_to_string(bench.state.path().join("issuer.pub")).unwrap();
    assert_eq!(key, bench.sim.issuer_public_key());
    assert!(Path::new(file["authorities"].as_str().unwrap()).is_file());
    let (status, page) = request("GET", file["bench"].as_str().unwrap(), &[], None);
    assert!(status == 200 && page.as_str().unwrap().contains("カード操作台"));

    let address = bench.sim.control_address();
    drop(bench.sim);
    assert!(!path.exists());
    let host = address.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(host).is_err());
}

#[test]
fn holders_of_a_file_join_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holders.toml");
    let text = r#"
        [[holder]]
        id = "canary"
        label = { ja = "試験", en = "test" }
        pin = "8317"
        [holder.person]
        name = "試験　札"
        address = "試験市"
        birth = "20010101"
        sex = "2"
        number = "000000000019"
        municipality = "13299"
        serial = "900000000000099"
        security_code = "0001"
        expiry = "20350101"
    "#;
    std::fs::write(&path, text).unwrap();
    let bench = Bench::with(|file| file.holders = vec![path]);
    assert_eq!(bench.insert(0, "canary"), 200);
    assert_eq!(bench.control("GET", "/slots", None).1[0]["card"], "canary");
}
