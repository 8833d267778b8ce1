//! Holds the layout, the direction of dependencies and the text of the repository.
//!
//! Rules in prose rot; these are checked in every run of the tests.
//! Each module holds one kind of rule as a function from a [`Repository`] to complaints, and
//! `tests/repository.rs` demands that there are none.
//!
//! | module | holds |
//! |---|---|
//! | [`layout`] | what stands at the top level and one below, folder = package name |
//! | [`edges`] | which crate may use which, and which outside crates are kept to one place |
//! | [`examples`] | examples in documentation run, and are looked for only where there are any |
//! | [`licences`] | where the outside crates come from and under which licences |
//! | [`source`] | the shape of Rust files: header, size, the places of one kind of code |
//! | [`words`] | text that must not appear |
//! | [`links`] | paths that documents and comments name exist |
//!
//! It reads only; it never changes or formats a file.

pub mod edges;
pub mod examples;
pub mod layout;
pub mod licences;
pub mod links;
mod repository;
pub mod source;
pub mod words;

pub use repository::{File, Repository};
