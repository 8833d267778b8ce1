//! Settings, in the driver's words.
//!
//! Invariant: each printer's folder is its own, whatever its name, and lies in the folder that was given.

use std::path::{Path, PathBuf};

use host_protocol::settings::{Attendance, Connection, Flow, TicketPrinter, TicketPrinters};
use link::serial::FlowControl;
use printer::driver::Attendance as Staff;
use printer::quirks;
use printer::settings::{self, PrinterSettings};

/// The folder of all journals.
///
/// # Errors
/// What is wrong with it, for the log.
pub(super) fn folder(settings: &TicketPrinters) -> Result<PathBuf, String> {
    let folder = PathBuf::from(settings.state_dir.as_deref().unwrap_or_default());
    if settings.printers.is_empty() || folder.is_absolute() {
        Ok(folder)
    } else {
        Err("state_dir must be an absolute path".to_owned())
    }
}

/// The folder of one printer's journal.
pub(super) fn journal(folder: &Path, name: &str) -> PathBuf {
    let mut file = String::from("ticket-printer-");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => file.push(char::from(byte)),
            other => file.push_str(&format!("%{other:02x}")),
        }
    }
    folder.join(file)
}

/// What the driver is given.
///
/// # Errors
/// What is wrong with the settings, for the log.
pub(super) fn driver_settings(printer: &TicketPrinter) -> Result<PrinterSettings, String> {
    let wrong = |what: &str| format!("ticket printer {}: {what}", printer.name);
    if quirks::profile(&printer.profile).is_none() {
        let known: Vec<&str> = quirks::PROFILES.iter().map(|known| known.name).collect();
        let profile = &printer.profile;
        let what = format!("no profile {profile}; there are {}", known.join(", "));
        return Err(wrong(&what));
    }
    let connection = match &printer.connection {
        Connection::Tcp(text) => {
            let address = text.parse();
            let address =
                address.map_err(|_error| wrong("not an address such as 192.168.10.7:9100"))?;
            settings::Connection::Tcp(address)
        }
        Connection::Serial(line) => settings::Connection::Serial {
            path: PathBuf::from(&line.path),
            baud: line.baud,
            flow: match printer.flow {
                Flow::None => FlowControl::None,
                Flow::Software => FlowControl::Software,
                Flow::Hardware => FlowControl::Hardware,
            },
        },
        Connection::Usb {
            vendor: Some(vendor),
            product: Some(product),
            serial,
        } => settings::Connection::Usb {
            vendor: *vendor,
            product: *product,
            serial: serial.clone(),
        },
        Connection::Usb { .. } => {
            return Err(wrong("usb needs the vendor's and the product's number"));
        }
        Connection::Keyboard(_) | Connection::Simulated(_) => {
            return Err(wrong("is reached by tcp, serial or usb"));
        }
    };
    let absolute = |paths: &[String]| -> Result<Vec<PathBuf>, String> {
        let paths = paths.iter().map(PathBuf::from);
        let checked = paths.map(|path| {
            let absolute = path.is_absolute();
            absolute
                .then_some(path)
                .ok_or_else(|| wrong("the path of a font must be absolute"))
        });
        checked.collect()
    };
    Ok(PrinterSettings {
        connection,
        profile: printer.profile.clone(),
        dots: printer.dots,
        fonts: absolute(&printer.fonts)?,
        bold_fonts: absolute(&printer.bold_fonts)?,
        attendance: match printer.attendance {
            Attendance::Attended => Staff::Staffed,
            Attendance::Unattended => Staff::Unattended,
        },
        roll_metres: printer.roll_metres,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(printer: Value) -> Result<PrinterSettings, String> {
        let printer = serde_json::from_value(printer).map_err(|error| error.to_string())?;
        driver_settings(&printer)
    }

    #[test]
    fn settings_reach_the_driver() {
        let tcp = read(json!({
            "name": "発券", "connection": {"tcp": "127.0.0.1:9100"}, "profile": "tm-t88vii",
            "dots": 384, "roll_metres": 80, "fonts": ["/f/a.ttf"], "attendance": "unattended",
        }));
        let tcp = tcp.unwrap();
        assert_eq!(
            tcp.connection,
            settings::Connection::Tcp("127.0.0.1:9100".parse().unwrap())
        );
        assert_eq!((tcp.dots, tcp.roll_metres), (Some(384), Some(80)));
        assert_eq!(tcp.fonts, [PathBuf::from("/f/a.ttf")]);
        assert_eq!(tcp.attendance, Staff::Unattended);
        let serial = read(json!({
            "name": "a", "connection": {"serial": {"path": "/dev/ttyS0", "baud": 38400}},
            "profile": "generic-58", "flow": "software",
        }));
        let wanted = settings::Connection::Serial {
            path: PathBuf::from("/dev/ttyS0"),
            baud: 38_400,
            flow: FlowControl::Software,
        };
        assert_eq!(serial.unwrap().connection, wanted);
        let usb = json!({"usb": {"vendor": 1208, "product": 514}});
        let usb = read(json!({"name": "a", "connection": usb, "profile": "tm-t88v"}));
        assert!(matches!(
            usb.unwrap().connection,
            settings::Connection::Usb { vendor: 1208, .. }
        ));
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let tcp = json!({"tcp": "127.0.0.1:9100"});
        for (connection, profile, more) in [
            (tcp.clone(), "no-such", json!({})),
            (
                json!({"tcp": "printer.example:9100"}),
                "tm-t88vii",
                json!({}),
            ),
            (json!({"usb": {"vendor": 1208}}), "tm-t88vii", json!({})),
            (
                json!({"keyboard": "/dev/input/event0"}),
                "tm-t88vii",
                json!({}),
            ),
            (tcp.clone(), "tm-t88vii", json!({"fonts": ["a.ttf"]})),
            (tcp, "tm-t88vii", json!({"unknown": 1})),
        ] {
            let mut printer = json!({"name": "a", "connection": connection, "profile": profile});
            let Value::Object(more) = more else { panic!() };
            printer.as_object_mut().unwrap().extend(more);
            assert!(read(printer.clone()).is_err(), "{printer}");
        }
    }

    #[test]
    fn a_journal_stays_in_its_folder_whatever_the_printer_is_called() {
        let folder = Path::new("/state");
        let at = |name| journal(folder, name).to_str().unwrap().to_owned();
        assert_eq!(at("front-1"), "/state/ticket-printer-front-1");
        assert_eq!(at("../x"), "/state/ticket-printer-%2e%2e%2fx");
        assert_eq!(at("券"), "/state/ticket-printer-%e5%88%b8");
        assert_ne!(at("a%2f"), at("a/"));
    }

    #[test]
    fn a_printer_needs_a_folder_for_its_journal() {
        let of = |state_dir: Option<&str>, printers: Value| {
            let settings = json!({"state_dir": state_dir, "printers": printers});
            folder(&serde_json::from_value(settings).unwrap())
        };
        let printer = json!([{"name": "a", "connection": {"tcp": "127.0.0.1:1"}, "profile": "x"}]);
        assert!(of(None, printer.clone()).is_err());
        assert!(of(Some("state"), printer.clone()).is_err());
        assert_eq!(
            of(Some("/state"), printer).unwrap(),
            PathBuf::from("/state")
        );
        assert!(of(None, json!([])).is_ok());
    }
}
