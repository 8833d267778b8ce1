//! Why no certificate was issued or read.

/// What issuing or reading a certificate met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A name that is no identifier, or one that only another kind of user may have.
    #[error("{what} {name:?} is refused: {why}")]
    Name {
        /// Which name it is.
        what: &'static str,
        /// The name.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A span of time that ends before it begins, or that no certificate can express.
    #[error("no certificate is valid from {not_before} until {not_after}")]
    Span {
        /// Its begin, in seconds since 1970.
        not_before: i64,
        /// Its end, in seconds since 1970.
        not_after: i64,
    },
    /// A certificate would be valid for longer than the authority that signs it.
    #[error("a certificate until {asked} would outlive its authority, which ends at {authority}")]
    Outlives {
        /// The end that was asked for, in seconds since 1970.
        asked: i64,
        /// The authority's end, in seconds since 1970.
        authority: i64,
    },
    /// The certificate does not say that it may sign others.
    #[error("the certificate is not an authority's")]
    NotAnAuthority,
    /// Certificate and private key do not belong together.
    #[error("the key is not the certificate's")]
    OtherKey,
    /// The text holds no certificate.
    #[error("the text holds no certificate: {detail}")]
    Unreadable {
        /// What the parser said.
        detail: String,
    },
    /// A key or a certificate could not be made.
    #[error("cannot {what}")]
    Making {
        /// What was attempted.
        what: &'static str,
        /// What the library said.
        source: rcgen::Error,
    },
}
