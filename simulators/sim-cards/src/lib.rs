//! Simulated identity cards behind the virtual reader.
