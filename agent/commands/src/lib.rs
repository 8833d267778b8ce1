//! Signed commands: who may order what, and what became of it.
