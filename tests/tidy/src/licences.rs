//! Where outside crates come from, and under which licences they may be used.
//!
//! It looks at what the lock file resolves to, on every platform.
//! It knows nothing of security advisories, which need a database that changes daily.

use crate::Repository;

/// The licences under which a crate may be used.
const ACCEPTED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Where Cargo fetches crates unless told otherwise.
const PUBLIC_INDEX: &str = concat!("registry+https://github.com/rust-lang/cra", "tes.io-index");

/// Complains about crates from elsewhere and under other licences.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &repository.metadata.packages {
        let Some(source) = &package.source else {
            continue;
        };
        if source.repr != PUBLIC_INDEX {
            complaints.push(format!("{}: comes from {}", package.name, source.repr));
        }
        let licence = package.license.as_deref().unwrap_or("");
        if !accepted(licence) {
            complaints.push(format!("{}: licence {licence:?}", package.name));
        }
    }
    complaints
}

/// Reads the flat expressions that crates use: alternatives of conjunctions, one level of brackets.
fn accepted(expression: &str) -> bool {
    // Before SPDX expressions, a slash stood for "or".
    let flat = expression.replace('/', " OR ").replace(['(', ')'], "");
    let conjunctions: Vec<&str> = flat.split(" AND ").collect();
    // `(A OR B) AND C` and `A OR B AND C` read the same here: each part needs one accepted choice.
    conjunctions.iter().all(|part| {
        part.split(" OR ")
            .any(|name| ACCEPTED.contains(&name.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn one_accepted_alternative_is_enough_and_every_part_is_needed() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(accepted(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "LGPL-2.1-or-later"] {
            assert!(!accepted(bad), "{bad}");
        }
    }
}
