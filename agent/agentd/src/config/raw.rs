//! The configuration file as it is written.
//!
//! The doc comments here are the reference: `docs/configuration.md` is made of them.
//! Nothing here is checked beyond its type; [`super::Config`] is what the agent works with.

use std::path::PathBuf;

use agent_api::token::Scope;
use host_protocol::settings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = file)]
pub struct Config {
    /// The agent's id: 1 to 64 letters, digits, dots, hyphens or underscores.
    /// Counter tokens must name it as their audience (`aud`).
    /// Default: `agent`.
    pub agent_id: String,
    /// Address and port of the local API.
    /// Only loopback addresses are accepted; port 0 takes any free port.
    /// Default: `127.0.0.1:21710`.
    pub listen: String,
    /// Address and port of the citizen's PIN page, which has its own port and so its own web origin.
    /// Only loopback addresses are accepted; port 0 takes any free port.
    /// Default: `127.0.0.1:21711`.
    pub pin_listen: String,
    /// The folder of the agent's key, its audit log, and `ports.json`, which holds the real addresses
    /// (`api` and `pin`) while the agent runs.
    /// It is made if it is not there, readable by the agent's user alone.
    /// Default: `/var/lib/madoguchi`, on Windows `C:\ProgramData\Madoguchi`.
    #[schema(value_type = Option<String>)]
    pub state_dir: Option<PathBuf>,
    /// What is written to the log, as a filter such as `info` or `info,agentd=debug`.
    /// The driver host gets the same filter.
    /// Lines go to standard error and into `logs` in the state folder: eight files of 1 MiB, for thirty days at most.
    /// They leave this machine only in what the signed command `diagnostics` fetches, and none that could hold a number or name of a person.
    /// Default: `info`.
    pub log: String,
    /// How many requests each origin may make in a second; four times as many may come at once.
    /// Requests with a valid token and those without one are counted apart, each up to this number.
    /// 10 to 10000. A counter needs about ten for a reading.
    /// Default: 50.
    pub requests_per_second: u32,
    /// The Unix socket for native clients.
    /// Default: none.
    pub unix_socket: Option<UnixSocket>,
    /// What each web origin may do. An origin without a grant may do nothing.
    /// Default: none.
    pub grant: Vec<Grant>,
    /// Who may sign counter tokens.
    /// Default: none, so that no token is accepted.
    pub issuer: Vec<Issuer>,
    /// Which issuers of My Number cards are believed.
    pub card_trust: CardTrust,
    /// The driver process of card readers, and the program of all that ship with the agent.
    pub driver_host: DriverHost,
    /// Code scanners.
    /// Default: none.
    pub code_scanner: Vec<settings::CodeScanner>,
    /// Whose pre-applications (事前申請) code scanners accept.
    /// Default: none, so that none is accepted.
    pub pre_applications: Option<settings::PreApplications>,
    /// Printers of tickets and receipts.
    /// Default: none.
    pub ticket_printer: Vec<settings::TicketPrinter>,
    /// Printers of pages.
    /// Default: none.
    pub page_printer: Vec<settings::PagePrinter>,
    /// Scanners of documents.
    /// Default: none.
    pub document_scanner: Vec<settings::DocumentScanner>,
    /// Tablets for signatures by hand (手書き署名).
    /// Default: none.
    pub signature_tablet: Vec<settings::SignatureTablet>,
    /// The keyboard of this machine, for typing into forms of programs that cannot be changed.
    /// Default: none, so that nothing is typed.
    pub keyboard: Option<settings::Keyboard>,
    /// Folders through which other systems take reception data over.
    /// Default: none.
    pub handover: Vec<settings::Handover>,
    /// With which key of the municipality documents are signed that carry a pen signature.
    /// Default: none; such documents then carry the ink and the sealed container only.
    pub document_signing: Option<DocumentSigning>,
    /// Driver hosts of other vendors. What is not listed here does not start.
    /// Default: none.
    pub vendor_driver: Vec<VendorDriver>,
    /// Who may sign driver hosts of other vendors.
    /// Default: none, so that none starts.
    pub driver_publisher: Vec<DriverPublisher>,
    /// Where and as whom the agent reports how it stands.
    /// Default: none, so that nothing is reported and no command is taken.
    pub telemetry: Option<Telemetry>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            agent_id: "agent".to_owned(),
            listen: "127.0.0.1:21710".to_owned(),
            pin_listen: "127.0.0.1:21711".to_owned(),
            state_dir: None,
            log: "info".to_owned(),
            requests_per_second: 50,
            unix_socket: None,
            grant: Vec::new(),
            issuer: Vec::new(),
            card_trust: CardTrust::default(),
            driver_host: DriverHost::default(),
            code_scanner: Vec::new(),
            pre_applications: None,
            ticket_printer: Vec::new(),
            page_printer: Vec::new(),
            document_scanner: Vec::new(),
            signature_tablet: Vec::new(),
            keyboard: None,
            handover: Vec::new(),
            document_signing: None,
            vendor_driver: Vec::new(),
            driver_publisher: Vec::new(),
            telemetry: None,
        }
    }
}

/// A socket through which programs on this machine reach the same API without a browser.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = unix_socket)]
pub struct UnixSocket {
    /// The socket, as an absolute path; it is made with mode 0660.
    #[schema(value_type = String)]
    pub path: PathBuf,
    /// The user ids that may connect, as the kernel reports them.
    /// A client of user 1000 has what the grant for the origin `unix:1000` gives; it needs no token, and
    /// where it brings one, staff and counter are the token's.
    /// Default: none.
    #[serde(default)]
    pub allowed_uids: Vec<u32>,
}

/// What one origin may do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = grant)]
pub struct Grant {
    /// The origin, exactly as a browser sends it, such as `https://madoguchi.city.example.jp`.
    /// There are no patterns. `http` is accepted for 127.0.0.1 and localhost only.
    pub origin: String,
    /// The operations; a token must permit them too.
    pub operations: Vec<Scope>,
}

/// A backend that may sign counter tokens.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = issuer)]
pub struct Issuer {
    /// The `iss` claim of its tokens.
    pub name: String,
    /// Its Ed25519 public key, base64url without padding.
    pub public_key: String,
    /// The origins for whose pages it may sign; each must have a grant.
    /// Default: every origin that has a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<String>>,
}

/// Which issuers of My Number cards are believed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = card_trust)]
pub struct CardTrust {
    /// Keys that come with the driver: `jlis-production` for real cards, `jlis-test` for the test cards
    /// of J-LIS, which must never be believed at a real counter.
    /// Default: `["jlis-production"]`.
    pub builtin: Vec<BuiltinTrust>,
    /// Files of the same shape with further keys, as absolute paths.
    /// Default: none.
    #[schema(value_type = Vec<String>)]
    pub files: Vec<PathBuf>,
}

impl Default for CardTrust {
    fn default() -> Self {
        Self {
            builtin: vec![BuiltinTrust::JlisProduction],
            files: Vec::new(),
        }
    }
}

/// Keys that come with the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltinTrust {
    /// Real cards.
    JlisProduction,
    /// Test cards of J-LIS.
    JlisTest,
}

impl BuiltinTrust {
    /// The name that the driver host takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JlisProduction => "jlis-production",
            Self::JlisTest => "jlis-test",
        }
    }
}

/// The municipality's key, with which documents are signed (PAdES).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = document_signing)]
pub struct DocumentSigning {
    /// The private key, PKCS#8 in DER: P-256, or RSA of 2048 bits or more. An absolute path.
    #[schema(value_type = String)]
    pub key: PathBuf,
    /// Its certificates, PEM, its own first. An absolute path.
    #[schema(value_type = String)]
    pub certificates: PathBuf,
    /// The municipality's name, as it stands in the signature.
    pub name: String,
}

/// The driver process of card readers, and the program of all that ship with the agent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = driver_host)]
pub struct DriverHost {
    /// The program, as an absolute path.
    /// Default: `driver-host` in the folder of `agentd`.
    #[schema(value_type = Option<String>)]
    pub program: Option<PathBuf>,
    /// Its first arguments; the card trust and the log filter are added.
    /// Default: `["pcsc"]`.
    pub args: Vec<String>,
}

impl Default for DriverHost {
    fn default() -> Self {
        Self {
            program: None,
            args: vec!["pcsc".to_owned()],
        }
    }
}

/// A driver host of another vendor; see `docs/vendor-drivers.md`.
/// Before each start its files are compared with the signed manifest; one that differs does not start
/// (`HST-NOT-ALLOWED` in the log).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = vendor_driver)]
pub struct VendorDriver {
    /// Its name, as in the manifest: 1 to 64 letters, digits, dots, hyphens or underscores.
    /// The ids of its devices must begin with the name and a colon.
    pub name: String,
    /// The program, as an absolute path. For a script this is the interpreter.
    #[schema(value_type = String)]
    pub program: PathBuf,
    /// Its arguments. One that is exactly the path of a listed file becomes the path of the verified copy.
    /// Default: none.
    #[serde(default)]
    pub args: Vec<String>,
    /// Every other file that the program loads, such as its script and its own libraries, as absolute paths.
    /// Default: none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub files: Vec<PathBuf>,
    /// The manifest, as an absolute path.
    #[schema(value_type = String)]
    pub manifest: PathBuf,
    /// The manifest's signature (Ed25519, 64 bytes), as an absolute path.
    #[schema(value_type = String)]
    pub signature: PathBuf,
    /// The name of the `driver_publisher` who must have signed it.
    pub publisher: String,
    /// What the host is told with the welcome; what it may hold, the vendor documents.
    /// Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub settings: Option<toml::Table>,
}

/// Somebody who may sign driver hosts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = driver_publisher)]
pub struct DriverPublisher {
    /// Its name.
    pub name: String,
    /// Its Ed25519 public key, base64url without padding.
    pub public_key: String,
}

/// Where and as whom the agent reports how it stands (`docs/protocol/telemetry.md`).
/// What it cannot send it keeps, signed, in `telemetry/` of the state folder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = telemetry)]
pub struct Telemetry {
    /// The municipality: 1 to 32 of `a-z`, `0-9` and `-`.
    pub tenant: String,
    /// This machine's name there, which its certificate bears: 1 to 32 of `a-z`, `0-9` and `-`.
    pub device: String,
    /// The brokers, each as `host:port`, the preferred one first.
    pub brokers: Vec<String>,
    /// The certificates of the authorities whose brokers are believed, PEM. An absolute path.
    #[schema(value_type = String)]
    pub authorities: PathBuf,
    /// The certificate for the broker, PEM, its own first. An absolute path.
    #[schema(value_type = String)]
    pub certificate: PathBuf,
    /// The private key of that certificate, PEM. An absolute path.
    #[schema(value_type = String)]
    pub key: PathBuf,
    /// The Ed25519 public keys of monitors whose acknowledgements count, as 64 hexadecimal digits.
    pub monitors: Vec<String>,
    /// Seconds between two signs of life: 5 to 300.
    /// Default: 30.
    #[serde(default = "beat_seconds")]
    pub beat_seconds: u32,
    /// How much is kept while nobody can be reached, in MiB: 8 to 4096.
    /// Default: 64.
    #[serde(default = "store_mib")]
    pub store_mib: u32,
    /// Who may approve commands.
    /// Default: none, so that no command is carried out.
    #[serde(default)]
    pub approver: Vec<Approver>,
    /// When the counter is closed, as two times of day in Japan such as `19:00-07:30`: this machine is
    /// restarted by a command within them only.
    /// Default: none, so that it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
}

/// Somebody who may approve commands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = approver)]
pub struct Approver {
    /// A name: 1 to 32 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// The Ed25519 public key, as 64 hexadecimal digits.
    pub public_key: String,
    /// What may be approved: `read`, `reversible`, `destructive`.
    pub classes: Vec<CommandClass>,
}

/// How dangerous a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = command_class)]
pub enum CommandClass {
    /// It fetches something and changes nothing.
    Read,
    /// It changes what another command can change back.
    Reversible,
    /// It cannot be taken back; two people approve it.
    Destructive,
}

const fn beat_seconds() -> u32 {
    30
}

const fn store_mib() -> u32 {
    64
}
