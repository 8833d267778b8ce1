//! Hostile bytes at every mouth of the running agent: HTTP, WebSocket frames, driver-host lines.
//!
//! Inputs are well-formed ones with random damage, because pure noise is refused at its first byte.
//! What must hold: the process stays the same one, nothing is answered with a server error, and an honest
//! client is served right after.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use harness::{ALL_SCOPES, Counter, Options, binary};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use crate::clerk::Clerk;

/// How long an answer to damaged input may take; the agent's own patience with a silent peer is longer.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

/// Inputs after which an honest client is tried.
const HONEST_EVERY: u32 = 50;

/// Sends `inputs` damaged inputs to each mouth.
///
/// # Errors
/// When a process ended, answered with a server error, or did not serve an honest client.
pub fn hostile(inputs: u32, seed: u64) -> anyhow::Result<String> {
    let rate = ("requests_per_second".to_owned(), 10_000.into());
    let options = Options {
        log: "error".to_owned(),
        agent: toml::Table::from_iter([rate]),
        ..Options::default()
    };
    let mut attack = Attack {
        counter: Counter::start(&options)?,
        random: StdRng::seed_from_u64(seed),
        answers: BTreeMap::new(),
    };
    // The agent answers before its driver host has listed the readers.
    drop(Clerk::at(&attack.counter, 0)?);
    let token = attack.counter.token(&ALL_SCOPES)?;
    let addresses = attack.counter.agent.addresses();
    let process = attack.counter.figures()?;
    for input in 0..inputs {
        attack
            .http(addresses.api, &token)
            .with_context(|| format!("seed {seed}, HTTP {input}"))?;
        attack
            .stream(&token)
            .with_context(|| format!("seed {seed}, stream {input}"))?;
        attack
            .pin_page(addresses.pin)
            .with_context(|| format!("seed {seed}, PIN page {input}"))?;
        if input % HONEST_EVERY == 0 {
            attack
                .honest_client()
                .with_context(|| format!("seed {seed}, after input {input}"))?;
        }
    }
    attack.honest_client()?;
    let same = process.iter().all(harness::ProcessFigures::still_runs);
    ensure!(same, "seed {seed}: a process has ended");
    let answers = attack.answers;
    attack.counter.stop()?;
    let lines = host_lines(inputs, seed)?;
    Ok(format!(
        "{inputs} damaged inputs each, seed {seed}: {answers:?}; every honest client was served; {lines}"
    ))
}

struct Attack {
    counter: Counter,
    random: StdRng,
    answers: BTreeMap<String, u32>,
}

impl Attack {
    fn honest_client(&self) -> anyhow::Result<()> {
        let listed = self.counter.door()?.devices()?;
        ensure!(!listed.devices.is_empty(), "the readers are gone");
        Ok(())
    }

    fn http(&mut self, address: SocketAddr, token: &str) -> anyhow::Result<()> {
        let (origin, host) = (self.counter.origin().to_owned(), address.to_string());
        let body = json!({
            "lease": "1", "fence": 1, "purpose": "test", "deadlineMs": 5000,
            "task": { "kind": "readMyNumberCard", "fields": ["fourAttributes"], "credential": "pinByApi" }
        });
        let request = match self.random.random_range(0..4) {
            0 => format!("GET /v1/hello HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\r\n"),
            1 => format!(
                "GET /v1/devices HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
                 Authorization: Bearer {token}\r\n\r\n"
            ),
            2 => format!(
                "OPTIONS /v1/jobs HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
                 Access-Control-Request-Method: POST\r\n\r\n"
            ),
            _ => format!(
                "POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nX-Madoguchi: 1\r\n\
                 Authorization: Bearer {token}\r\nIdempotency-Key: k\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.to_string().len()
            ),
        };
        let damaged = self.damage(request.into_bytes());
        self.exchange(address, &damaged)
    }

    /// A stream that is opened in order, and then sends damaged frames.
    fn stream(&mut self, token: &str) -> anyhow::Result<()> {
        let address = self.counter.agent.addresses().api;
        let hello = json!({ "type": "hello", "token": token }).to_string();
        let frames = [
            frame(1, hello.as_bytes()),
            frame(1, b"{\"type\":\"token\",\"token\":\"x\"}"),
        ];
        let damaged = self.damage(frames.concat());
        let mut bytes = upgrade("/v1/events", address, self.counter.origin()).into_bytes();
        bytes.extend(damaged);
        self.exchange(address, &bytes)
    }

    fn pin_page(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let origin = format!("http://{address}");
        let said = json!({ "type": "secret", "job": "1", "ask": 1, "value": "1234" }).to_string();
        let frames = [
            frame(1, b"{\"type\":\"register\"}"),
            frame(1, said.as_bytes()),
        ];
        let damaged = self.damage(frames.concat());
        let mut bytes = upgrade("/pin/events", address, &origin).into_bytes();
        bytes.extend(damaged);
        self.exchange(address, &bytes)
    }

    /// Sends, ends its side, and notes how the agent answered.
    fn exchange(&mut self, address: SocketAddr, bytes: &[u8]) -> anyhow::Result<()> {
        let mut peer = TcpStream::connect(address).context("the agent does not listen")?;
        peer.set_read_timeout(Some(LONGEST_ANSWER))?;
        // The agent may close before it has taken everything.
        let _sent = peer
            .write_all(bytes)
            .and_then(|()| peer.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let ended = (&peer).take(64 * 1024).read_to_end(&mut answer);
        let what = match String::from_utf8_lossy(&answer).split(' ').nth(1) {
            Some(status) if answer.starts_with(b"HTTP/1.1 ") => status.to_owned(),
            _ if ended.is_err() && answer.is_empty() => "reset or silent".to_owned(),
            _ => "closed".to_owned(),
        };
        ensure!(!what.starts_with('5'), "answered with {what}");
        *self.answers.entry(what).or_default() += 1;
        Ok(())
    }

    /// One to four random injuries: a changed byte, a cut, a repeated or an inserted piece.
    fn damage(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.random.random_range(1..=4) {
            let at = self.random.random_range(0..=bytes.len());
            match self.random.random_range(0..5) {
                0 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.random.random();
                    }
                }
                1 => bytes.truncate(at),
                2 => {
                    let piece: Vec<u8> = bytes.iter().skip(at).take(40).copied().collect();
                    bytes.splice(at..at, piece);
                }
                3 => {
                    let noise: [u8; 16] = self.random.random();
                    bytes.splice(at..at, noise);
                }
                _ => {
                    let long = vec![b'A'; self.random.random_range(1..100_000)];
                    bytes.splice(at..at, long);
                }
            }
        }
        bytes
    }
}

fn upgrade(path: &str, address: SocketAddr, origin: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A masked frame with a zero mask (RFC 6455, 5.2), so that damage hits what it seems to hit.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => bytes.push(0x80 | short),
        Ok(_) | Err(_) => {
            bytes.push(0x80 | 126);
            bytes.extend(
                u16::try_from(payload.len())
                    .unwrap_or(u16::MAX)
                    .to_be_bytes(),
            );
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Damaged lines at a driver host's standard input; it must still answer a ping after them.
fn host_lines(inputs: u32, seed: u64) -> anyhow::Result<String> {
    let mut host = Command::new(binary("driver-host")?)
        .args(["pcsc", "--log", "off"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = host.stdin.take().context("the host's input")?;
    let output = BufReader::new(host.stdout.take().context("the host's output")?);
    let mut random = StdRng::seed_from_u64(seed);
    input.write_all(b"{\"type\":\"welcome\",\"protocol\":1}\n")?;
    for _ in 0..inputs {
        let mut line = json!({
            "type": "start", "id": random.random_range(1..4), "device": "pcsc:none",
            "deadlineMs": 10, "task": { "kind": "identifyCard" }
        })
        .to_string()
        .into_bytes();
        let at = random.random_range(0..line.len());
        line.splice(at..at, random.random::<[u8; 3]>());
        line.push(b'\n');
        input.write_all(&line).context("the host stopped reading")?;
    }
    input.write_all(b"{\"type\":\"ping\",\"n\":4711}\n")?;
    let answered = output
        .lines()
        .any(|line| line.is_ok_and(|line| line.contains("\"pong\"") && line.contains("4711")));
    drop(input);
    let status = host.wait()?;
    ensure!(
        answered && status.success(),
        "the driver host gave up: {status}"
    );
    Ok(format!(
        "a driver host took {inputs} damaged lines and answered a ping after them"
    ))
}
