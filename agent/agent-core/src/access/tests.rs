//! Grants, claims and nonces.
