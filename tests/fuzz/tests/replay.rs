//! Replays the corpus, and lets a few random inputs loose on every target.

use std::{collections::BTreeSet, fs, path::Path};

use fuzz::TARGETS;
use proptest::prelude::*;

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises_of_its_target() {
    for (name, target) in TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpus().join(name))
            .expect("every target has a folder of corpus")
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            target(&fs::read(&input).expect("the corpus can be read"));
        }
    }
}

#[test]
fn targets_folders_and_binaries_have_the_same_names() {
    let names: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let folders: BTreeSet<String> = fs::read_dir(corpus())
        .expect("the corpus stands in the repository")
        .map(|entry| entry.expect("the folder can be read").file_name())
        .map(|name| name.into_string().expect("names are ASCII"))
        .collect();
    assert_eq!(folders, names);
    let manifest = include_str!("../Cargo.toml");
    let binaries: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"fuzz-")?.strip_suffix('"'))
        .map(str::to_owned)
        .collect();
    assert_eq!(binaries, names);
}

proptest! {
    #[test]
    fn random_input_keeps_the_promises_of_every_target(
        input in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        for (_, target) in TARGETS {
            target(&input);
        }
    }
}
