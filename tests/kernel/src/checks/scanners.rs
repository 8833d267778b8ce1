//! Code scanners: the scanner driver on simulated ones, through the kernel's HID layer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use device_api::Patience;
use link::identity::Found;
use scanner::{
    CodeScanner, Connection, HidSelector, KeyboardSelector, ScannerError, ScannerSettings,
};
use sim_peripherals::{HidModel as _, HidScanner, Interface, Layout, Symbology};

use super::cycles::Pulled;
use crate::machine::{Machine, load};
use crate::models::behind;
use crate::uhid::Uhid;

/// A scanner that is plugged in until it is dropped.
pub(super) struct Scanner {
    model: HidScanner,
    device: Uhid,
}

impl Scanner {
    pub(super) fn plug(interface: &Interface) -> Result<Self> {
        let model = HidScanner::new(interface).context("no HID device")?;
        let (played, behaviour, _) = behind(model.clone());
        Ok(Self {
            model,
            device: Uhid::plug(&played, behaviour)?,
        })
    }

    pub(super) fn is(&self) -> impl Fn(&Found) -> bool + use<> {
        let identity = self.model.identity();
        move |found| found.is(identity.vendor, identity.product)
    }

    pub(super) fn scan(&self, code: &[u8]) -> Result<()> {
        let (reports, lost) = self.model.scan(code, &Symbology::Qr);
        ensure!(lost == 0, "{lost} characters cannot be typed");
        for report in reports {
            self.device.sends(&report.0)?;
        }
        Ok(())
    }
}

/// How the driver finds the scanner of an interface.
pub(super) fn settings(interface: &Interface) -> Result<ScannerSettings> {
    let identity = HidScanner::new(interface)
        .context("no HID device")?
        .identity();
    let (vendor, product) = (identity.vendor, identity.product);
    let types = matches!(interface, Interface::Keyboard(_));
    let mut settings = ScannerSettings::new(if types {
        Connection::Keyboard(KeyboardSelector::Product { vendor, product })
    } else {
        Connection::Hid(HidSelector {
            vendor: Some(vendor),
            product: Some(product),
            ..HidSelector::default()
        })
    });
    // A keyboard types the code and nothing before it.
    settings.framing.aim = !types;
    // The same code is read again and again here.
    settings.duplicates = Duration::ZERO;
    Ok(settings)
}

pub(super) fn opened(
    machine: &mut Machine,
    settings: &ScannerSettings,
) -> Result<Box<dyn CodeScanner>> {
    let clock = Arc::clone(&machine.clock);
    machine.opened(|| scanner::open(settings, Arc::clone(&clock)))
}

pub(super) fn patience(machine: &Machine) -> Patience {
    Patience::new(Arc::clone(&machine.clock), machine.patience())
}

/// Scans one code and has the driver read it.
pub(super) fn reads(
    machine: &Machine,
    plugged: &Scanner,
    driver: &mut dyn CodeScanner,
    code: &[u8],
) -> Result<()> {
    plugged.scan(code)?;
    let scan = driver.next(&patience(machine))?;
    ensure!(scan.bytes.bytes() == code, "another code");
    Ok(())
}

/// Reads codes, loses the scanner, and reads from it again after its return.
fn through_an_unplugging(machine: &mut Machine, interface: &Interface, code: &[u8]) -> Result<()> {
    let settings = settings(interface)?;
    for life in 0..2 {
        let plugged = Scanner::plug(interface)?;
        let is = plugged.is();
        let mut driver = opened(machine, &settings)?;
        for _ in 0..3 {
            reads(machine, &plugged, driver.as_mut(), code)
                .with_context(|| format!("in its life {life}"))?;
        }
        if let Interface::Keyboard(_) = interface {
            let second = scanner::open(&settings, Arc::clone(&machine.clock));
            ensure!(
                matches!(second, Err(ScannerError::Busy)),
                "somebody else reads along: {second:?}"
            );
        }
        drop(plugged);
        let gone = driver.next(&patience(machine));
        ensure!(matches!(gone, Err(ScannerError::Gone)), "{gone:?}");
        machine.departure(is)?;
    }
    Ok(())
}

pub(super) fn point_of_sale(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    // Every byte there is, over several reports.
    let code: Vec<u8> = (0..=u8::MAX).collect();
    through_an_unplugging(machine, &Interface::HidPos, &code)
}

pub(super) fn keyboard(machine: &mut Machine) -> Result<()> {
    load(&["uhid", "evdev"])?;
    // No more than the kernel keeps for a reader who is late: 64 events, three for each report.
    through_an_unplugging(machine, &Interface::Keyboard(Layout::Us), b"490123")
}

/// A scanner that is plugged in, and pulled while our driver uses it.
pub(super) fn one_life(machine: &mut Machine, pulled: Pulled) -> Result<()> {
    let interface = Interface::HidPos;
    let plugged = Scanner::plug(&interface)?;
    if pulled == Pulled::Unseen {
        return Ok(());
    }
    let is = plugged.is();
    let mut driver = opened(machine, &settings(&interface)?)?;
    if pulled == Pulled::Spoken {
        reads(machine, &plugged, driver.as_mut(), b"490123")?;
    }
    let patience = patience(machine);
    let ended = if pulled == Pulled::Waited {
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| driver.next(&patience));
            drop(plugged);
            waiting.join().ok()
        })
        .context("waiting ended in a panic")?
    } else {
        drop(plugged);
        driver.next(&patience)
    };
    ensure!(matches!(ended, Err(ScannerError::Gone)), "{ended:?}");
    machine.departure(is)
}
