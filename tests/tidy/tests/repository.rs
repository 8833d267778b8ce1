//! The repository keeps its own rules.
#![expect(
    clippy::expect_used,
    reason = "a test fails where its material cannot be read"
)]

use tidy::{Repository, edges, examples, layout, licences, links, source, words};

fn demand_none(rule: fn(&Repository) -> Vec<String>) {
    let repository = Repository::read().expect("the repository can be read");
    let complaints = rule(&repository);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_layout_is_the_documented_one() {
    demand_none(layout::check);
}

#[test]
fn dependencies_point_the_documented_way() {
    demand_none(edges::check);
}

#[test]
fn examples_in_documentation_run() {
    demand_none(examples::check);
}

#[test]
fn outside_crates_come_from_the_public_index_under_accepted_licences() {
    demand_none(licences::check);
}

#[test]
fn source_files_have_their_shape() {
    demand_none(source::check);
}

#[test]
fn no_forbidden_text_appears() {
    demand_none(words::check);
}

#[test]
fn paths_that_texts_name_exist() {
    demand_none(links::check);
}

#[test]
fn tests_that_the_security_page_names_exist() {
    demand_none(links::check_proofs);
}
