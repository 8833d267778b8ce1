//! The suite that a vendor runs against a driver host.
