//! Requests that are refused and carry the citizen's data where nobody expects them.
//!
//! Written byte by byte, because a well-behaved client cannot send most of them.
//! Everything that comes back is kept: status, headers, body, frames.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::ensure;
use harness::Counter;

use super::person::Person;

/// How long a stream that stays open is listened to after its last word.
const SILENCE: Duration = Duration::from_millis(300);

/// A page of the enrolled origin that sends nonsense.
pub(crate) struct Stranger {
    api: SocketAddr,
    pin_page: SocketAddr,
    origin: String,
    token: String,
}

impl Stranger {
    pub(crate) fn of(counter: &Counter, token: &str) -> Self {
        let addresses = counter.agent.addresses();
        Self {
            api: addresses.api,
            pin_page: addresses.pin,
            origin: counter.origin().to_owned(),
            token: token.to_owned(),
        }
    }

    /// Sends every one of them, and returns what was answered to each.
    pub(crate) fn send_all(&self, person: &Person) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut answers = Vec::new();
        for (name, request) in self.requests(person) {
            let answer = exchange(self.api, request.as_bytes(), None)?;
            ensure!(answer.starts_with(b"HTTP/1.1 4"), "{name} was not refused");
            answers.push((name, answer));
        }
        for (name, address, upgrade, message) in self.streams(person) {
            let answer = exchange(address, upgrade.as_bytes(), Some(message.as_bytes()))?;
            ensure!(answer.starts_with(b"HTTP/1.1 101"), "{name} was not opened");
            answers.push((name, answer));
        }
        Ok(answers)
    }

    fn requests(&self, person: &Person) -> Vec<(String, String)> {
        let (pin, number, name) = (&person.pin, &person.number, person.name());
        let all = format!("\"pin\":\"{pin}\",\"number\":\"{number}\",\"name\":\"{name}\"");
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let post = |path: &str, body: &str| self.request("POST", path, "", body);
        let get = |path: &str, more: &str| self.request("GET", path, more, "");
        let requests = [
            (
                "an unknown field of a job",
                post("/v1/jobs", &format!("{{{all}}}")),
            ),
            (
                "an unknown field of a lease",
                post("/v1/leases", &format!("{{\"device\":\"x\",{all}}}")),
            ),
            (
                "a value of the wrong type",
                post(
                    "/v1/jobs/a/answers",
                    &format!("{{\"kind\":\"secret\",\"ask\":\"{pin}\",\"value\":{pin}}}"),
                ),
            ),
            (
                "an answer to a job that is none",
                post(
                    &format!("/v1/jobs/{pin}/answers"),
                    &format!("{{\"kind\":\"secret\",\"ask\":1,\"value\":\"{pin}\"}}"),
                ),
            ),
            (
                "a kind that is none",
                post("/v1/jobs/a/answers", &format!("{{\"kind\":\"{pin}\"}}")),
            ),
            (
                "no JSON",
                post(
                    "/v1/jobs",
                    &format!("pin={pin}&number={number}&name={name}"),
                ),
            ),
            (
                "broken JSON",
                post("/v1/jobs", &format!("{{\"pin\":\"{pin}\",\"{number}")),
            ),
            (
                "a body where none belongs",
                post("/v1/nonces", &format!("{{{all}}}")),
            ),
            ("metrics", get("/metrics", "")),
            ("a path", get(&format!("/v1/jobs/{pin}"), "")),
            (
                "a path that is none",
                get(&format!("/v1/{pin}/{number}/{encoded}"), ""),
            ),
            (
                "a query",
                get(
                    &format!("/v1/devices?pin={pin}&number={number}&name={encoded}"),
                    "",
                ),
            ),
            ("a header that nobody reads, without a way in", {
                let more = format!("x-pin: {pin}\r\nx-number: {number}\r\nx-name: {name}\r\n");
                get("/v1/nowhere", &more)
            }),
            ("a key of repetition", {
                let more = format!("idempotency-key: {number}-{pin}\r\n");
                self.request("POST", "/v1/jobs", &more, &format!("{{{all}}}"))
            }),
            (
                "a token",
                self.with("authorization", &format!("Bearer {pin}.{number}.{encoded}")),
            ),
            (
                "an origin",
                self.with("origin", &format!("http://{pin}.{number}.example")),
            ),
            (
                "a host",
                self.with("host", &format!("{pin}.{number}.example")),
            ),
            (
                "a method",
                self.request(&format!("PIN{number}"), "/v1/hello", "", ""),
            ),
            ("no HTTP", format!("{pin} {number} {name}\r\n\r\n")),
        ];
        requests
            .map(|(name, request)| (name.to_owned(), request))
            .into()
    }

    fn request(&self, method: &str, target: &str, more: &str, body: &str) -> String {
        let Self {
            api, origin, token, ..
        } = self;
        format!(
            "{method} {target} HTTP/1.1\r\nhost: {api}\r\norigin: {origin}\r\nauthorization: Bearer {token}\r\n\
             {}: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}",
            agent_api::REQUEST_HEADER,
            body.len()
        )
    }

    /// A plain request of which one header says something else.
    fn with(&self, header: &str, value: &str) -> String {
        let lines = self.request("GET", "/v1/devices", "", "");
        let lines = lines.split("\r\n").map(|line| {
            if line.starts_with(&format!("{header}: ")) {
                format!("{header}: {value}")
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\r\n")
    }

    /// Streams whose first message is none.
    fn streams(&self, person: &Person) -> Vec<(String, SocketAddr, String, String)> {
        let own = format!("http://{}", self.pin_page);
        let (pin, number) = (&person.pin, &person.number);
        let nonsense = format!("{{\"type\":\"secret\",\"pin\":\"{pin}\",\"number\":\"{number}\"}}");
        let hello = format!("{{\"type\":\"hello\",\"token\":\"{pin}.{number}\"}}");
        let key = format!("{{\"type\":\"register\",\"key\":\"{pin}{number}\"}}");
        let events = |message| {
            (
                self.api,
                upgrade(self.api, "/v1/events", &self.origin),
                message,
            )
        };
        let page = |message| {
            (
                self.pin_page,
                upgrade(self.pin_page, "/pin/events", &own),
                message,
            )
        };
        let streams = [
            ("nonsense on the event stream", events(nonsense.clone())),
            ("a token on the event stream", events(hello)),
            ("nonsense on the PIN page's stream", page(nonsense)),
            ("a key on the PIN page's stream", page(key)),
        ];
        streams
            .map(|(name, (address, upgrade, message))| (name.to_owned(), address, upgrade, message))
            .into()
    }
}

fn upgrade(address: SocketAddr, path: &str, origin: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n"
    )
}

/// Sends a request, then perhaps one WebSocket message, and takes everything that comes until the end.
fn exchange(
    address: SocketAddr,
    request: &[u8],
    message: Option<&[u8]>,
) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.write_all(request)?;
    if let Some(message) = message {
        // A final text frame, masked with zeros: the message as it is (RFC 6455, 5.2).
        let length = u8::try_from(message.len())?;
        ensure!(length < 126, "too long for a short frame");
        stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0])?;
        stream.write_all(message)?;
    }
    let mut answer = Vec::new();
    // An end, a reset and silence all end it; what came before them counts.
    let _how_it_ended = stream.read_to_end(&mut answer);
    Ok(answer)
}
