//! Fuzz targets for every parser of outside bytes, and the replay of their corpus.
//!
//! A target is a function that takes any bytes and panics when a promise is broken; what a target promises
//! stands at its head.
//! The ordinary tests replay the small corpus that stands in `corpus/NAME`, without libFuzzer:
//!
//! ```text
//! cargo nextest run -p fuzz
//! ```
//!
//! The real fuzzer runs on a stable compiler; it needs a C++ compiler to build libFuzzer:
//!
//! ```text
//! cargo build --config tests/fuzz/libfuzzer.toml --target x86_64-unknown-linux-gnu -p fuzz --features libfuzzer
//! target/x86_64-unknown-linux-gnu/debug/fuzz-NAME -max_total_time=60 -print_final_stats=1 FOUND tests/fuzz/corpus/NAME
//! ```
//!
//! `FOUND` is a folder for what the fuzzer finds.
//! Input that made a target panic is cut down (`-minimize_crash=1`) and joins the corpus with the repair.
//!
//! | name | outside bytes | reach the product through |
//! |---|---|---|
//! | `agent-line` | lines to a driver host | its standard input |
//! | `api-message` | bodies and text frames | the local API and the PIN page |
//! | `card-read` | a card's answers to a whole read | the card reader |
//! | `card-text` | a name or address | the card |
//! | `config` | the agent's configuration | a file |
//! | `host-line` | lines from a driver host | its standard output |
//! | `http` | whole connections | the local API and the native door |
//! | `tlv` | a card's files | the card |
//! | `token` | counter tokens | the local API |
//! | `trust-file` | a key file | the configuration |
//! | `ws-frame` | frames after the handshake | the event stream |
//!
//! A new target is a module under `target`, a line in [`TARGETS`], a binary under `targets` and a folder of
//! corpus; the replay fails until all of them are there.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unreachable,
    reason = "a target says by panicking that a promise is broken"
)]

pub mod target;

/// Takes any bytes; panics when a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 11] = [
    ("agent-line", target::host_protocol::agent_line),
    ("api-message", target::local_api::api_message),
    ("card-read", target::card_read::card_read),
    ("card-text", target::card_data::card_text),
    ("config", target::local_api::config),
    ("host-line", target::host_protocol::host_line),
    ("http", target::connection::http),
    ("tlv", target::card_data::tlv),
    ("token", target::local_api::token),
    ("trust-file", target::card_data::trust_file),
    ("ws-frame", target::connection::ws_frame),
];
