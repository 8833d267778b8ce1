//! Which issuers of cards are believed: what the arguments name, and nothing else.

use std::{fs, path::Path};

use anyhow::Context as _;
use idcards::TrustAnchors;

use crate::cli::Pcsc;

/// Loads all trust anchors that the arguments name.
///
/// With none, every card is `notVerified`.
pub(crate) fn anchors(arguments: &Pcsc) -> anyhow::Result<TrustAnchors> {
    let mut anchors = TrustAnchors::default();
    for name in &arguments.trust {
        anchors.extend(TrustAnchors::builtin(name)?);
    }
    for path in &arguments.trust_file {
        let context = || format!("trust anchors of {}", path.display());
        anchors.extend(load(path).with_context(context)?);
    }
    Ok(anchors)
}

fn load(path: &Path) -> anyhow::Result<TrustAnchors> {
    Ok(TrustAnchors::load(&fs::read_to_string(path)?)?)
}
