//! Placeholder until the document is there.
