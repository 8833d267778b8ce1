//! Commands that a broker hands over, and what the journal of commands holds after a power cut.

use commands::journal::Journal;
use commands::{
    Approver, Authority, Bundle, CommandKeeper, Danger, Document, Message, Situation, Step,
    approve, join,
};
use device_api::Moment;
use journal_file::memory::MemoryDisk;
use telemetry::message::machine::TimeQuality;
use telemetry::name::{Digest, Label};
use telemetry::topic::{DownKind, DownTopic};
use telemetry::{DeviceName, Signer as _, SoftwareSigner, Word};

/// A time at which orders of the corpus are valid.
const NOW: u64 = 1_795_000_000;

/// A message with a command. Where the first byte is odd, the rest is a document that a known approver signs
/// here, so that the fuzzer gets to what stands behind the signature.
///
/// Promise: what is read has one encoding; nothing begins that was not signed, and nothing begins before its
/// line is in the journal.
pub fn command_message(input: &[u8]) {
    let signer = SoftwareSigner::from_seed(&[7; 32]).expect("every 32 bytes are a seed");
    let (signed, message) = match input.split_first() {
        Some((first, rest)) if first & 1 == 1 => {
            let Ok(document) = Document::read(rest) else {
                return;
            };
            assert_eq!(document.bytes(), rest, "a second encoding");
            let issuer = &document.order().issuer;
            let approval = approve(&document, &signer, issuer, NOW);
            let message = join(&[approval.expect("the key is there")]);
            (true, message.expect("our own approval"))
        }
        Some((_, message)) => (false, message.to_vec()),
        None => (false, Vec::new()),
    };
    let name = |text: &str| text.parse::<Label>().expect("a name");
    let mut target = DeviceName {
        tenant: name("hoshino-shi"),
        device: name("c-03"),
    };
    let mut issuer = name("sato");
    if let Ok(read) = Message::read(&message) {
        target = read.document().order().target.clone();
        issuer = read.document().order().issuer.clone();
    }
    let approver = Approver {
        name: issuer,
        key: signer.verifying_key(),
        may: [Danger::ReadOnly, Danger::Reversible, Danger::Destructive].into(),
    };
    let authority = Authority::new([approver]).expect("one approver");
    let topic = DownTopic {
        to: target.clone(),
        kind: DownKind::Command,
    };
    let disk = MemoryDisk::default();
    let (mut keeper, said) = CommandKeeper::open(Box::new(disk.clone()), target, authority)
        .expect("an empty journal can be opened");
    assert!(said.is_empty(), "something to say of nothing");
    let version: Word = "0.1.0".parse().expect("a word");
    let configuration = Digest::of(b"configuration");
    let now = Situation {
        moment: Moment::default(),
        unix_seconds: NOW,
        quality: TimeQuality::Synchronised,
        open: false,
        version: &version,
        configuration: &configuration,
    };
    let before = disk.bytes();
    let received = keeper.receive(&message, &topic, &now);
    received.expect("the disk does not fail");
    assert!(signed || disk.bytes() == before, "kept without a signature");
    let steps = keeper.due(&now).expect("the disk does not fail");
    let begun = steps.iter().filter(|step| matches!(step, Step::Start(_)));
    let begun = begun.count();
    assert!(begun <= usize::from(signed), "begun without a signature");
    let journal = String::from_utf8(disk.bytes()).expect("a journal is text");
    assert_eq!(
        journal.matches(" running ").count(),
        begun,
        "begun before it was kept"
    );
    let again = keeper.due(&now).expect("the disk does not fail");
    assert!(again.is_empty(), "begun twice");
}

/// The journal of commands. Where the first byte is odd, each line is given its check sum here.
///
/// Promise: a journal that can be opened can be opened again, and knows the same orders in the same states.
pub fn command_journal(input: &[u8]) {
    let bytes = match input.split_first() {
        Some((first, lines)) if first & 1 == 1 => super::printing::summed(lines),
        Some((_, bytes)) => bytes.to_vec(),
        None => Vec::new(),
    };
    let disk = MemoryDisk::default();
    disk.put(&bytes);
    let Ok(journal) = Journal::open(Box::new(disk.clone())) else {
        assert_eq!(disk.bytes(), bytes, "changed although it could not be read");
        return;
    };
    let known: Vec<_> = journal.entries().cloned().collect();
    drop(journal);
    let again = Journal::open(Box::new(disk)).expect("what was opened can be opened again");
    assert!(again.entries().eq(&known), "other orders are known");
}

/// A diagnostics bundle, as a monitor gets it.
///
/// Promise: what is read has one encoding, and no line in it holds anything but printable ASCII.
pub fn command_bundle(input: &[u8]) {
    let Ok(bundle) = Bundle::read(input) else {
        return;
    };
    let written = bundle.write().expect("what was read can be written");
    assert!(
        Bundle::read(&written).as_ref() == Ok(&bundle),
        "another bundle"
    );
    let plain = |line: &String| line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    assert!(
        bundle.lines().iter().all(plain),
        "a line that no agent lets go"
    );
}
