//! What a certificate says of itself: whose it is, and how long it lives.
//!
//! Nothing is verified here; whoever reads its own certificate trusts it already.

use std::time::Duration;

use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::x509::AttributeTypeAndValue;

use crate::TrustError;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    common_name: Option<String>,
    organization: Option<String>,
    not_before: i64,
    not_after: i64,
}

impl CertificateFacts {
    /// The CN: the id of a device. `None` where there is none, or several.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The O: the tenant of a device. `None` where there is none, or several.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// The first second at which it is valid, since 1970.
    #[must_use]
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    /// The last second at which it is valid, since 1970.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// How long it is still valid at `now`, in seconds since 1970; zero when it has expired.
    #[must_use]
    pub fn life_left(&self, now: i64) -> Duration {
        let seconds = u64::try_from(self.not_after.saturating_sub(now)).unwrap_or(0);
        Duration::from_secs(seconds)
    }
}

/// Reads the first certificate of a PEM text.
///
/// # Errors
/// When there is none, or it is malformed.
pub fn read_certificate(pem: &str) -> Result<CertificateFacts, TrustError> {
    with_certificate(pem, |certificate| {
        let subject = certificate.subject();
        let validity = certificate.validity();
        CertificateFacts {
            common_name: only(subject.iter_common_name()),
            organization: only(subject.iter_organization()),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        }
    })
}

/// Hands the first certificate of a PEM text to `read`; it borrows from bytes that live no longer.
pub(crate) fn with_certificate<T>(
    pem: &str,
    read: impl FnOnce(&X509Certificate<'_>) -> T,
) -> Result<T, TrustError> {
    let unreadable = |detail: String| TrustError::Unreadable { detail };
    let blocks = Pem::iter_from_buffer(pem.as_bytes());
    let block = blocks
        .filter_map(Result::ok)
        .find(|block| block.label == "CERTIFICATE");
    let block = block.ok_or_else(|| unreadable("no block CERTIFICATE".to_owned()))?;
    let certificate = block
        .parse_x509()
        .map_err(|error| unreadable(error.to_string()))?;
    Ok(read(&certificate))
}

/// The one value of an attribute. Two would let two readers see two names.
fn only<'a>(mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first.as_str().ok().map(str::to_owned)
}
