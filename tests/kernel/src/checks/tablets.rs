//! Signature tablets: the tablet driver on simulated ones, through the kernel's HID layer.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use device_api::{FaultCode, Patience};
use link::Interrupter;
use link::identity::Found;
use sim_peripherals::{HidModel as Simulated, PenDisplay, PenFlags, PenPoint, Stu};
use tablet::picture::{Picture, WHITE};
use tablet::shown::Page;
use tablet::{
    CaptureDesk, CaptureRequest, CapturedInk, Connection, Document, MediaType, Press, Sample,
    Screen, ScreenClosed, SignatureTablet, TabletError, TabletSettings,
};

use super::cycles::Pulled;
use crate::machine::{Machine, load, unload};
use crate::models::behind;
use crate::uhid::{HidModel, Uhid};

/// Long enough for a picture to reach a pad on an emulated processor.
const SOON: Duration = Duration::from_secs(40);
/// How long a stroke may take to be seen before it is written once more.
const SEEN_WITHIN: Duration = Duration::from_millis(500);
/// Strokes that are written before we believe that nobody sees them.
const STROKES: u32 = 60;

/// What the driver sees of the surroundings.
struct Desk {
    monitor: Option<Monitor>,
    pressed: Arc<Mutex<Option<Press>>>,
    wakers: Sender<Interrupter>,
    inked: Sender<usize>,
}

/// The screen under a pen display.
struct Monitor(Sender<()>);

impl Screen for Monitor {
    fn show(&mut self, _: &Page) -> Result<(), ScreenClosed> {
        self.0.send(()).map_err(|_closed| ScreenClosed)
    }

    fn clear(&mut self) {}

    fn closed(&self) -> bool {
        false
    }
}

impl CaptureDesk for Desk {
    fn screen(&mut self) -> Option<&mut dyn Screen> {
        let monitor = self.monitor.as_mut()?;
        Some(monitor)
    }

    fn ink(&mut self, samples: &[Sample]) {
        let touching = samples.iter().filter(|sample| sample.tip).count();
        // Who does not listen any more has seen enough.
        let _deaf = self.inked.send(touching);
    }

    fn pressed(&mut self) -> Option<Press> {
        let mut pressed = self.pressed.lock().unwrap_or_else(PoisonError::into_inner);
        pressed.take()
    }

    fn wake_by(&mut self, interrupter: Interrupter) {
        drop(self.wakers.send(interrupter));
    }
}

/// The other side of a desk.
struct Citizen {
    shown: Receiver<()>,
    pressed: Arc<Mutex<Option<Press>>>,
    wakers: Receiver<Interrupter>,
    inked: Receiver<usize>,
}

fn desk(has_monitor: bool) -> (Desk, Citizen) {
    let (show, shown) = mpsc::channel();
    let (wake, wakers) = mpsc::channel();
    let (ink, inked) = mpsc::channel();
    let pressed = Arc::new(Mutex::new(None));
    let desk = Desk {
        monitor: has_monitor.then_some(Monitor(show)),
        pressed: Arc::clone(&pressed),
        wakers: wake,
        inked: ink,
    };
    let citizen = Citizen {
        shown,
        pressed,
        wakers,
        inked,
    };
    (desk, citizen)
}

/// One stroke that both a pad's signing area and a monitor hold, hovering before and after.
fn stroke() -> Vec<Option<PenPoint>> {
    // Fewer reports than the kernel keeps for a reader who is late.
    const TOUCHING: u16 = 40;
    let point = |number: u16, pressure| PenPoint {
        x: 0.3 + 0.4 * f32::from(number) / f32::from(TOUCHING),
        y: 0.75,
        pressure,
    };
    let mut points = vec![Some(point(0, 0.0)); 3];
    points.extend((0..TOUCHING).map(|number| Some(point(number, 0.5))));
    points.push(Some(point(TOUCHING, 0.0)));
    points.push(None);
    points
}

impl Citizen {
    /// Writes until it is seen.
    fn writes(&self, mut sends: impl FnMut(Option<PenPoint>) -> Result<()>) -> Result<()> {
        /// Most of a stroke.
        const ENOUGH: usize = 30;
        let mut touching = 0;
        for _ in 0..STROKES {
            for point in stroke() {
                sends(point)?;
            }
            while let Ok(more) = self.inked.recv_timeout(SEEN_WITHIN) {
                touching += more;
                if touching >= ENOUGH {
                    return Ok(());
                }
            }
        }
        anyhow::bail!("nobody sees the pen: {touching} samples")
    }

    fn confirms(&self) -> Result<()> {
        let waker = self.wakers.recv_timeout(SOON)?;
        *self.pressed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Press::Confirm);
        waker.interrupt();
        Ok(())
    }
}

fn request() -> Result<CaptureRequest> {
    let page = Picture::plain(120, 40, WHITE)?.to_png()?;
    Ok(CaptureRequest {
        document: Document::new(page, MediaType::Png)?,
        every_page: true,
        idle: SOON,
    })
}

/// Has the document signed, while the citizen does something on this thread.
fn signed(
    machine: &Machine,
    tablet: &mut dyn SignatureTablet,
    has_monitor: bool,
    acts: impl FnOnce(&Citizen) -> Result<()>,
) -> Result<Result<CapturedInk, TabletError>> {
    let request = request()?;
    let patience = Patience::new(Arc::clone(&machine.clock), machine.within(SOON));
    let (mut desk, citizen) = desk(has_monitor);
    std::thread::scope(|threads| {
        let capturing = threads.spawn(|| tablet.capture(&request, &mut desk, &patience));
        let acted = acts(&citizen);
        if acted.is_err() {
            patience.stop();
        }
        let ink = capturing.join().ok().context("the capture panicked")?;
        acted.with_context(|| format!("the capture ended with {ink:?}"))?;
        Ok(ink)
    })
}

fn settings(model: &HidModel) -> TabletSettings {
    let mut settings = TabletSettings::new(Connection::HidRaw {
        vendor: model.vendor,
        product: model.product,
        serial: Some(model.serial.clone()),
    });
    settings.picture = (480, 270);
    settings
}

fn opened(machine: &mut Machine, model: &HidModel) -> Result<Box<dyn SignatureTablet>> {
    let (settings, clock) = (settings(model), Arc::clone(&machine.clock));
    machine.opened(|| tablet::open(&settings, Arc::clone(&clock)))
}

fn is_whole(ink: &CapturedInk) -> Result<()> {
    ensure!(!ink.strokes().is_empty(), "no stroke");
    ensure!(ink.shown.len() == 1, "{} pages", ink.shown.len());
    ensure!(ink.attempts == 1, "{} attempts", ink.attempts);
    Ok(())
}

pub(super) fn pad(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    // A real pad's descriptor is not public, and the simulated one's names no pen: Wacom's driver would claim the
    // pad and refuse it, and the kernel would then give it to nobody.
    unload("wacom")?;
    let (model, behaviour, stu) = behind(Stu::new(PenFlags::default()));
    let device = Uhid::plug(&model, behaviour)?;
    let is = |found: &Found| found.is(0x056a, 0x00a8);
    machine.arrival(is)?;
    let mut pad = tablet::open(&settings(&model), Arc::clone(&machine.clock))?;
    let ink = signed(machine, pad.as_mut(), false, |citizen| {
        citizen.writes(|point| {
            let report = {
                let mut stu = stu.lock().unwrap_or_else(PoisonError::into_inner);
                stu.report(point)
            };
            device.sends(&report.0)
        })?;
        citizen.confirms()
    })??;
    is_whole(&ink)?;
    let sent = ink.shown.first().and_then(|shown| shown.sent_sha256);
    ensure!(sent.is_some(), "nothing was sent to its screen");
    device.unplug();
    machine.departure(is)
}

/// Writes with a pen display's pen, once its monitor shows the document.
fn writes_below(citizen: &Citizen, device: &Uhid) -> Result<()> {
    citizen.shown.recv_timeout(SOON).context("nothing shown")?;
    citizen.writes(|point| device.sends(&PenDisplay.report(point).0))
}

pub(super) fn pen_display(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    let identity = PenDisplay.identity();
    let is = |found: &Found| found.is(identity.vendor, identity.product);
    for _ in 0..2 {
        let (model, behaviour, _) = behind(PenDisplay);
        let device = Uhid::plug(&model, behaviour)?;
        machine.arrival(is)?;
        let mut display = tablet::open(&settings(&model), Arc::clone(&machine.clock))?;
        let ink = signed(machine, display.as_mut(), true, |citizen| {
            writes_below(citizen, &device)?;
            citizen.confirms()
        })??;
        is_whole(&ink)?;
        // And once more, with the plug pulled in the middle of a signature.
        let lost = signed(machine, display.as_mut(), true, |citizen| {
            writes_below(citizen, &device)?;
            device.unplug();
            Ok(())
        })?;
        let code = lost.err().map(|error| error.fault());
        ensure!(code == Some(FaultCode::DeviceGone), "{code:?}");
        machine.departure(is)?;
    }
    Ok(())
}

/// What happens at a counter where udev loads Wacom's driver late.
pub(super) fn taken_over(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    unload("wacom")?;
    let (mut model, behaviour, _) = behind(PenDisplay);
    // Wacom One 13.
    (model.vendor, model.product) = (0x056a, 0x03a6);
    let is = |found: &Found| found.is(0x056a, 0x03a6);
    let device = Uhid::plug(&model, behaviour)?;
    machine.arrival(is)?;
    let mut display = tablet::open(&settings(&model), Arc::clone(&machine.clock))?;
    let lost = signed(machine, display.as_mut(), true, |citizen| {
        writes_below(citizen, &device)?;
        load(&["wacom"])
    })?;
    let code = lost.err().map(|error| error.fault());
    ensure!(code == Some(FaultCode::DeviceGone), "{code:?}");
    let mut display = opened(machine, &model)?;
    let ink = signed(machine, display.as_mut(), true, |citizen| {
        writes_below(citizen, &device)?;
        citizen.confirms()
    })??;
    is_whole(&ink)?;
    device.unplug();
    machine.departure(is)
}

/// A pen display that is plugged in, and pulled while our driver uses it.
pub(super) fn one_life(machine: &mut Machine, pulled: Pulled) -> Result<()> {
    let (model, behaviour, _) = behind(PenDisplay);
    let device = Uhid::plug(&model, behaviour)?;
    if pulled == Pulled::Unseen {
        return Ok(());
    }
    let mut display = opened(machine, &model)?;
    let lost = signed(machine, display.as_mut(), true, |citizen| {
        match pulled {
            Pulled::Unseen | Pulled::Opened => {}
            Pulled::Waited => citizen.shown.recv_timeout(SOON).context("nothing shown")?,
            Pulled::Spoken => writes_below(citizen, &device)?,
        }
        device.unplug();
        Ok(())
    })?;
    let code = lost.err().map(|error| error.fault());
    ensure!(code == Some(FaultCode::DeviceGone), "{code:?}");
    machine.departure(|found| found.is(model.vendor, model.product))
}
