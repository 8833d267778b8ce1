//! Who a connection is, and whom it trusts: certificates and a key for TLS.
//!
//! The provider of cryptography is `ring`, named here and not taken from the process, so that no other part
//! of the program can change what a connection accepts.

use std::fmt;
use std::sync::Arc;

use device_api::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// A certificate with its key, and the authorities whose brokers are accepted.
///
/// The key leaves it only inside the TLS library, and `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Identity(Arc<ClientConfig>);

impl Identity {
    /// Reads the PEM texts of the accepted authorities, of our certificate with its chain, and of its key.
    ///
    /// # Errors
    ///
    /// If one of the texts holds nothing of its kind, or key and certificate do not belong together.
    pub fn from_pem(
        authorities: &[u8],
        certificate: &[u8],
        key: &Secret,
    ) -> Result<Self, IdentityError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(authorities).ok_or(IdentityError::Authorities)? {
            roots
                .add(authority)
                .map_err(|source| IdentityError::Authority { source })?;
        }
        let chain = certificates(certificate).ok_or(IdentityError::Certificate)?;
        // The parser's error may quote the key's text, so it goes no further.
        let key = PrivateKeyDer::from_pem_slice(key.expose())
            .ok()
            .ok_or(IdentityError::Key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| IdentityError::Pair { source })?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|source| IdentityError::Pair { source })?;
        Ok(Self(Arc::new(config)))
    }

    /// Takes a configuration that was made elsewhere, such as one whose key lies in a security chip.
    #[must_use]
    pub const fn from_config(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }

    /// The configuration for the TLS library, for connections that are no [`Link`](super::Link).
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// At least one certificate, and none that cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .ok()?;
    (!all.is_empty()).then_some(all)
}

/// Why texts make no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// No authority can be read.
    #[error("the authorities are no certificates in PEM form")]
    Authorities,
    /// An authority is not one.
    #[error("an authority cannot be trusted")]
    Authority {
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// No certificate of ours can be read.
    #[error("the certificate is none in PEM form")]
    Certificate,
    /// No key can be read.
    #[error("the key is none in PEM form")]
    Key,
    /// Certificate and key do not belong together, or are of a kind that is not accepted.
    #[error("certificate and key cannot be used")]
    Pair {
        /// What the TLS library says.
        source: rustls::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_certificates_are_refused_by_name() {
        let key = Secret::new(b"no key".to_vec());
        assert!(matches!(
            Identity::from_pem(b"", b"", &key),
            Err(IdentityError::Authorities)
        ));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            Identity::from_pem(broken, b"", &key),
            Err(IdentityError::Authority { .. })
        ));
    }

    #[test]
    fn debug_shows_no_key() {
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
        let identity = Identity::from_config(Arc::new(config));
        assert_eq!(format!("{identity:?}"), "Identity(..)");
    }
}
