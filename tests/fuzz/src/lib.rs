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
//! | `command-bundle` | a diagnostics bundle | what a device sends to the monitor |
//! | `command-journal` | the journal of commands | a file, after a power cut |
//! | `command-message` | signed commands | a broker |
//! | `config` | the agent's configuration | a file |
//! | `escl-answer` | answers of eSCL scanners | TCP |
//! | `handover-template` | the template of a handover file | a file |
//! | `host-line` | lines from a driver host | its standard output |
//! | `host-lines` | lines of driver hosts in any order | their standard output |
//! | `http` | whole connections | the local API and the native door |
//! | `ink-record` | ink by ISO/IEC 19794-7 | whoever verifies a signature |
//! | `inkml` | ink as InkML | whoever verifies a signature |
//! | `keystroke-form` | the form of another program | a file |
//! | `link-recording` | a recording of a device | a file |
//! | `pad-report` | reports of a pad | USB |
//! | `pen-report` | report descriptors and reports of pens | USB |
//! | `pre-application` | pre-application codes | any code scanner |
//! | `printer-answer` | answers of a ticket printer | serial, TCP or USB |
//! | `printer-http` | answers of a page printer | TCP |
//! | `printer-ipp` | messages of a page printer | HTTP |
//! | `printer-journal` | a printer's own journal | a file, after a power cut |
//! | `saned-picture` | pictures of a SANE server | TCP |
//! | `saned-reply` | answers of a SANE server | TCP |
//! | `scanned-picture` | JPEG and PNG of pages | an eSCL scanner |
//! | `scanner-code` | the content of codes | any code scanner |
//! | `scanner-keys` | what a code scanner types | a keyboard of its own |
//! | `scanner-line` | what a code scanner sends on its line | a serial line or TCP |
//! | `scanner-reports` | report descriptors and reports | HID POS |
//! | `shown-picture` | pictures to be shown to the citizen | the local API |
//! | `signature-container` | sealed signatures | whoever verifies a signature |
//! | `signed-document` | PDFs to be signed | the local API |
//! | `telemetry-envelope` | topics and envelopes of reports | a broker |
//! | `telemetry-segment` | a segment of reports that wait | a file, after a power cut |
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
pub const TARGETS: [(&str, Target); 40] = [
    ("agent-line", target::host_protocol::agent_line),
    ("api-message", target::local_api::api_message),
    ("card-read", target::card_read::card_read),
    ("card-text", target::card_data::card_text),
    ("command-bundle", target::ordered::command_bundle),
    ("command-journal", target::ordered::command_journal),
    ("command-message", target::ordered::command_message),
    ("config", target::local_api::config),
    ("escl-answer", target::scanned_pages::escl_answer),
    ("handover-template", target::written_by_hand::template),
    ("host-line", target::host_protocol::host_line),
    ("host-lines", target::hearing::host_lines),
    ("http", target::connection::http),
    ("ink-record", target::signatures::ink_record),
    ("inkml", target::signatures::inkml),
    ("keystroke-form", target::written_by_hand::form),
    ("link-recording", target::written_by_hand::recording),
    ("pad-report", target::pens::pad_report),
    ("pen-report", target::pens::pen_report),
    ("pre-application", target::scanned_codes::pre_application),
    ("printer-answer", target::printing::printer_answer),
    ("printer-http", target::printing::printer_http),
    ("printer-ipp", target::printing::printer_ipp),
    ("printer-journal", target::printing::printer_journal),
    ("saned-picture", target::scanned_pages::saned_picture),
    ("saned-reply", target::scanned_pages::saned_reply),
    ("scanned-picture", target::scanned_pages::scanned_picture),
    ("scanner-code", target::scanned_codes::scanner_code),
    ("scanner-keys", target::scanned_codes::scanner_keys),
    ("scanner-line", target::scanned_codes::scanner_line),
    ("scanner-reports", target::scanned_codes::scanner_reports),
    ("shown-picture", target::pens::shown_picture),
    ("signature-container", target::signatures::container),
    ("signed-document", target::signatures::signed_document),
    ("telemetry-envelope", target::reports::envelope),
    ("telemetry-segment", target::reports::segment),
    ("tlv", target::card_data::tlv),
    ("token", target::local_api::token),
    ("trust-file", target::card_data::trust_file),
    ("ws-frame", target::connection::ws_frame),
];
