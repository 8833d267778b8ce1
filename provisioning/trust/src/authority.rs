//! The authority: a key, a certificate of its own, and what it issues.

use std::fmt;
use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use zeroize::Zeroizing;

use crate::read::with_certificate;
use crate::{DeviceName, MONITOR, TrustError, Validity};

/// The CN of every server. Clients look at the names beside it; as a user of a broker it is nobody, because
/// no device id has a space or a capital letter.
const SERVER: &str = "Madoguchi server";

/// A certificate authority: it signs, and is signed by nobody but itself.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    not_after: i64,
}

/// A certificate with its private key, both as PEM.
#[derive(Clone)]
pub struct Credentials {
    certificate: String,
    key: Zeroizing<String>,
}

impl Authority {
    /// Makes a new authority with a new key.
    ///
    /// # Errors
    /// When `name` is empty or longer than 64 characters, or the system gives no randomness.
    pub fn create(name: &str, validity: Validity) -> Result<Self, TrustError> {
        // RFC 5280, appendix A: a common name has at most 64 characters.
        if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(TrustError::Name {
                what: "authority",
                name: name.chars().take(64).collect(),
                why: "it must be 1 to 64 printable characters",
            });
        }
        let key = new_key()?;
        let mut params = parameters(validity, &[(DnType::CommonName, name)]);
        // It signs leaves only: an authority below it would be somebody else's decision.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params
            .self_signed(&key)
            .map_err(|source| making("sign the authority's certificate", source))?;
        Ok(Self {
            certificate: certificate.pem(),
            issuer: Issuer::new(params, key),
            not_after: validity.not_after(),
        })
    }

    /// Takes up an authority that was written down: its certificate and its private key, both as PEM.
    ///
    /// # Errors
    /// When one of them is unreadable, the certificate is no authority's, or the key is another's.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TrustError> {
        let key = KeyPair::from_pem_and_sign_algo(key, &PKCS_ECDSA_P256_SHA256)
            .map_err(|source| making("read the authority's key", source))?;
        let (is_authority, public, not_after) = with_certificate(certificate, |certificate| {
            let public = certificate.public_key().subject_public_key.data.to_vec();
            let not_after = certificate.validity().not_after.timestamp();
            (certificate.is_ca(), public, not_after)
        })?;
        if !is_authority {
            return Err(TrustError::NotAnAuthority);
        }
        if public != key.public_key_raw() {
            return Err(TrustError::OtherKey);
        }
        Ok(Self {
            issuer: Issuer::from_ca_cert_pem(certificate, key)
                .map_err(|source| making("take up the authority", source))?,
            certificate: certificate.to_owned(),
            not_after,
        })
    }

    /// The authority's own certificate as PEM: what everybody else trusts.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The authority's certificate with its private key, to be written down.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials {
            certificate: self.certificate.clone(),
            key: Zeroizing::new(self.issuer.key().serialize_pem()),
        }
    }

    /// Issues a server's certificate for `names`: host names and IP addresses by which clients reach it.
    ///
    /// # Errors
    /// When a name is neither, there is none, or the certificate would outlive the authority.
    pub fn issue_server(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        let usages = [ExtendedKeyUsagePurpose::ServerAuth];
        self.issue_host(names, &usages, validity)
    }

    /// Issues the certificate of a node that is server, and client of the other nodes of its cluster.
    ///
    /// # Errors
    /// As [`Authority::issue_server`].
    pub fn issue_peer(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        let usages = [
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        self.issue_host(names, &usages, validity)
    }

    /// Issues the certificate with which a device is a client: CN is the device, O its tenant.
    ///
    /// # Errors
    /// When the certificate would outlive the authority.
    pub fn issue_device(
        &self,
        name: &DeviceName,
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        let subject = [
            (DnType::OrganizationName, name.tenant()),
            (DnType::CommonName, name.device()),
        ];
        self.issue_client(&subject, validity)
    }

    /// Issues the certificate with which the monitor is a client.
    ///
    /// # Errors
    /// As [`Authority::issue_device`].
    pub fn issue_monitor(&self, validity: Validity) -> Result<Credentials, TrustError> {
        self.issue_client(&[(DnType::CommonName, MONITOR)], validity)
    }

    fn issue_host(
        &self,
        names: &[&str],
        usages: &[ExtendedKeyUsagePurpose],
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        if let Some(name) = names.iter().find(|name| !is_host(name)) {
            return Err(refused_host(name));
        }
        if names.is_empty() {
            return Err(refused_host(""));
        }
        let mut params = parameters(validity, &[(DnType::CommonName, SERVER)]);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        params.subject_alt_names = CertificateParams::new(names)
            .map_err(|source| making("name the server", source))?
            .subject_alt_names;
        params.extended_key_usages = usages.to_vec();
        self.sign(params, validity)
    }

    fn issue_client(
        &self,
        subject: &[(DnType, &str)],
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        let mut params = parameters(validity, subject);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, validity)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        validity: Validity,
    ) -> Result<Credentials, TrustError> {
        if validity.not_after() > self.not_after {
            return Err(TrustError::Outlives {
                asked: validity.not_after(),
                authority: self.not_after,
            });
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = new_key()?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|source| making("sign a certificate", source))?;
        Ok(Credentials {
            certificate: certificate.pem(),
            key: Zeroizing::new(key.serialize_pem()),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Authority");
        shown.field("not_after", &self.not_after);
        shown.finish_non_exhaustive()
    }
}

impl Credentials {
    /// The certificate.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The private key (PKCS #8); it is erased from memory with this value, copies are not.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Credentials");
        shown.field("certificate", &self.certificate);
        shown.finish_non_exhaustive()
    }
}

fn new_key() -> Result<KeyPair, TrustError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|source| making("make a key", source))
}

fn parameters(validity: Validity, subject: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = validity.moments();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params
}

/// A host as RFC 1123 names it, or an IP address. A wildcard would vouch for hosts that nobody looked at.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

fn refused_host(name: &str) -> TrustError {
    TrustError::Name {
        what: "host",
        name: name.chars().take(64).collect(),
        why: "it must be a host name or an IP address",
    }
}

fn making(what: &'static str, source: rcgen::Error) -> TrustError {
    TrustError::Making { what, source }
}
