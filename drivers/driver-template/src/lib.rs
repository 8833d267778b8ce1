//! A driver host to copy: one simple device over the public protocol.
