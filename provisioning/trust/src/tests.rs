//! What is issued, as OpenSSL judges it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::*;

/// 2026-09-21; certificates of these tests live around it, whatever the machine's clock says.
const NOW: i64 = 1_790_000_000;

const DAY: i64 = 86_400;

struct Desk {
    folder: TempDir,
    root: Authority,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Authority::create("試験市", Validity::days(NOW, 3650).unwrap()).unwrap();
        write_public(&folder.path().join("ca.pem"), root.certificate_pem()).unwrap();
        Self { folder, root }
    }

    fn span() -> Validity {
        Validity::days(NOW, 60).unwrap()
    }

    fn device(&self) -> Credentials {
        let name = DeviceName::new("sakura-city", "counter-07").unwrap();
        self.root.issue_device(&name, Self::span()).unwrap()
    }

    fn write(&self, name: &str, credentials: &Credentials) -> (PathBuf, PathBuf) {
        write_credentials(self.folder.path(), name, credentials).unwrap()
    }

    /// Has OpenSSL verify a certificate for a purpose, at a moment; its answer.
    fn verify(&self, certificate: &Path, purpose: &str, at: i64) -> Result<String, String> {
        let authority = self.folder.path().join("ca.pem");
        openssl(
            &["verify", "-x509_strict", "-purpose", purpose],
            &[
                "-attime".as_ref(),
                at.to_string().as_ref(),
                "-CAfile".as_ref(),
                authority.as_ref(),
                certificate,
            ],
        )
    }
}

fn openssl(words: &[&str], paths: &[&Path]) -> Result<String, String> {
    let output = Command::new("openssl").args(words).args(paths).output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

#[test]
fn openssl_accepts_each_certificate_for_its_purpose_and_no_other() {
    let desk = Desk::new();
    let names = ["broker.example", "127.0.0.1", "::1"];
    let server = desk.root.issue_server(&names, Desk::span()).unwrap();
    let peer = desk.root.issue_peer(&names, Desk::span()).unwrap();
    let monitor = desk.root.issue_monitor(Desk::span()).unwrap();
    for (name, credentials, as_server, as_client) in [
        ("server", server, true, false),
        ("peer", peer, true, true),
        ("monitor", monitor, false, true),
        ("device", desk.device(), false, true),
    ] {
        let (certificate, _) = desk.write(name, &credentials);
        let server = desk.verify(&certificate, "sslserver", NOW + DAY);
        let client = desk.verify(&certificate, "sslclient", NOW + DAY);
        assert_eq!(server.is_ok(), as_server, "{name}: {server:?}");
        assert_eq!(client.is_ok(), as_client, "{name}: {client:?}");
    }
}

#[test]
fn openssl_refuses_it_before_and_after_its_time() {
    let desk = Desk::new();
    let (certificate, _) = desk.write("device", &desk.device());
    for (at, good) in [
        (NOW - 1, false),
        (NOW, true),
        // RFC 5280 counts the last second in; OpenSSL does not.
        (NOW + 60 * DAY - 1, true),
        (NOW + 60 * DAY + 1, false),
    ] {
        let answer = desk.verify(&certificate, "sslclient", at);
        assert_eq!(answer.is_ok(), good, "{at}: {answer:?}");
    }
}

#[test]
fn openssl_refuses_what_another_authority_of_the_same_name_signed() {
    let desk = Desk::new();
    let other = Desk::new();
    let (certificate, _) = desk.write("device", &other.device());
    assert!(desk.verify(&certificate, "sslclient", NOW + 1).is_err());
}

#[test]
fn openssl_reads_the_names_that_were_given() {
    let desk = Desk::new();
    let (certificate, _) = desk.write("device", &desk.device());
    let subject = ["x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in"];
    let subject = openssl(&subject, &[&certificate]).unwrap();
    assert_eq!(subject.trim(), "subject=CN=counter-07,O=sakura-city");
    let names = ["broker.example", "127.0.0.1"];
    let server = desk.root.issue_server(&names, Desk::span()).unwrap();
    let (certificate, key) = desk.write("server", &server);
    let shown = ["x509", "-noout", "-ext", "subjectAltName", "-in"];
    let shown = openssl(&shown, &[&certificate]).unwrap();
    assert!(
        shown.contains("DNS:broker.example, IP Address:127.0.0.1"),
        "{shown}"
    );
    let public = openssl(&["pkey", "-pubout", "-in"], &[&key]).unwrap();
    let certified = ["x509", "-noout", "-pubkey", "-in"];
    assert_eq!(openssl(&certified, &[&certificate]).unwrap(), public);
}

#[test]
fn the_facts_are_what_was_asked_for() {
    let facts = read_certificate(Desk::new().device().certificate_pem()).unwrap();
    assert_eq!(facts.common_name(), Some("counter-07"));
    assert_eq!(facts.organization(), Some("sakura-city"));
    assert_eq!(facts.not_before(), NOW);
    assert_eq!(facts.not_after(), NOW + 60 * DAY);
    assert_eq!(facts.life_left(NOW + 59 * DAY).as_secs(), 86_400);
    assert!(facts.life_left(NOW + 61 * DAY).is_zero());
}

#[test]
fn a_certificate_that_openssl_made_is_read_and_one_with_two_names_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    for (subject, name) in [("/O=a/CN=one", Some("one")), ("/CN=one/CN=two", None)] {
        let words = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            subject,
            "-keyout",
        ];
        let pem = openssl(&words, &[&key]).unwrap();
        assert_eq!(read_certificate(&pem).unwrap().common_name(), name);
    }
}

#[test]
fn what_is_no_certificate_is_an_error_at_every_length() {
    let pem = Desk::new().device().certificate_pem().to_owned();
    let end = pem.find("-----END").unwrap();
    for length in 0..end {
        let cut = pem.get(..length).unwrap();
        assert!(read_certificate(cut).is_err(), "{length}");
    }
    assert!(read_certificate(&pem.replace("MII", "AII")).is_err());
}

#[test]
fn an_authority_comes_back_from_its_files_and_signs_as_before() {
    let desk = Desk::new();
    let written = desk.root.credentials();
    let again = Authority::from_pem(written.certificate_pem(), written.key_pem()).unwrap();
    let monitor = again.issue_monitor(Desk::span()).unwrap();
    let (certificate, _) = desk.write("monitor", &monitor);
    desk.verify(&certificate, "sslclient", NOW + 1).unwrap();
}

#[test]
fn an_authority_is_not_taken_up_with_another_key_or_from_a_leaf() {
    let desk = Desk::new();
    let other = Desk::new().root.credentials();
    let mixed = Authority::from_pem(desk.root.certificate_pem(), other.key_pem());
    assert!(matches!(mixed, Err(TrustError::OtherKey)));
    let leaf = desk.device();
    let leaf = Authority::from_pem(leaf.certificate_pem(), leaf.key_pem());
    assert!(matches!(leaf, Err(TrustError::NotAnAuthority)));
}

#[test]
fn nothing_outlives_its_authority() {
    let desk = Desk::new();
    let asked = desk.root.issue_monitor(Validity::days(NOW, 3651).unwrap());
    assert!(matches!(asked, Err(TrustError::Outlives { .. })));
}

#[test]
fn a_server_has_names_that_are_hosts() {
    let desk = Desk::new();
    for bad in [
        &[][..],
        &[""],
        &["*.example"],
        &["a b"],
        &["-a"],
        &["窓口.example"],
    ] {
        assert!(
            desk.root.issue_server(bad, Desk::span()).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn debug_output_shows_no_key() {
    let desk = Desk::new();
    let shown = format!("{:?} {:?}", desk.root, desk.root.credentials());
    assert!(!shown.contains("PRIVATE"), "{shown}");
    assert!(!shown.contains(desk.root.credentials().key_pem().lines().nth(1).unwrap()));
}

#[cfg(unix)]
#[test]
fn a_key_is_for_its_owner_alone_even_over_an_open_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let open = desk.folder.path().join("device.key");
    std::fs::write(&open, "old").unwrap();
    std::fs::write(desk.folder.path().join(".device.key.new"), "cut short").unwrap();
    let (_, key) = desk.write("device", &desk.device());
    assert_eq!(key, open);
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(std::fs::read_to_string(&key).unwrap().contains("PRIVATE"));
    let left = std::fs::read_dir(desk.folder.path()).unwrap();
    assert_eq!(left.count(), 3, "ca.pem, device.pem, device.key");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let missing = Path::new("no-such-folder/device.key");
    let error = write_private(missing, "x").unwrap_err();
    assert!(error.to_string().contains("no-such-folder"), "{error}");
}
