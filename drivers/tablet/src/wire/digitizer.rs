//! Pens that describe themselves (HID Usage Tables 1.5, clause 16 "Digitizers Page"), read by usage, never by offset.
//!
//! Wacom's pen displays describe their pen twice: in a report for any operating system, and in one on the vendor
//! page 0xFF0D that their kernel driver switches them to. On that page the digitizer usages keep their numbers,
//! X and Y are 0x130 and 0x131, and 0x36 says that the pen is sensed beyond range (seen in the Linux driver,
//! `drivers/hid/wacom_wac.h`). Both are pens here; [`Pens::decode`] tells by the report's id which one came.

use thiserror::Error;

use super::descriptor::{Descriptor, DescriptorError, Field, Usage};

const GENERIC_DESKTOP: u16 = 0x01;
const DIGITIZER: u16 = 0x0D;
const WACOM_DIGITIZER: u16 = 0xFF0D;

/// Why a device is no pen that can be read.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum PenError {
    /// The descriptor cannot be used.
    #[error("device does not describe its reports properly")]
    Descriptor(#[source] DescriptorError),
    /// It describes no pen with a position and a tip.
    #[error("device describes no pen")]
    NoPen,
}

/// A report that is shorter than the descriptor says.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("pen report {report:#04X} is too short")]
pub struct ShortReport {
    /// Its id.
    pub report: u8,
}

/// Everything a device says of its pens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pens {
    pens: Vec<Pen>,
}

/// One kind of pen report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pen {
    /// The report's id; 0 where the device numbers none.
    pub report: u8,
    x: Field,
    y: Field,
    tip: Field,
    pressure: Option<Field>,
    tilt: Option<(Field, Field)>,
    in_range: Option<Field>,
    sensed: Option<Field>,
    barrel: Option<Field>,
    invert: Option<Field>,
    eraser: Option<Field>,
    scan_time: Option<Field>,
}

/// What a pen report says, in the device's own units.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the pen"
)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PenState {
    /// Which kind of report it was.
    pub report: u8,
    /// X.
    pub x: i32,
    /// Y.
    pub y: i32,
    /// Pressure; 0 where the device feels none.
    pub pressure: i32,
    /// Tilt in hundredths of a degree, where the device feels it.
    pub tilt: Option<(i32, i32)>,
    /// Whether tip or eraser touches.
    pub tip: bool,
    /// Whether the pen is near enough to be followed.
    pub in_range: bool,
    /// Whether it is the other end of the pen.
    pub eraser: bool,
    /// Whether the button on the barrel is held.
    pub barrel: bool,
    /// The device's clock in units of 100 microseconds, where it has one; it wraps (usage 0x56).
    pub scan_time: Option<u16>,
}

impl std::fmt::Debug for PenState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PenState(report {:#04X})", self.report)
    }
}

impl Pens {
    /// Finds the pens of a device by its report descriptor.
    ///
    /// # Errors
    /// [`PenError::NoPen`] where no report has X, Y and a tip within a pen.
    pub fn find(descriptor: &[u8]) -> Result<Self, PenError> {
        let descriptor = Descriptor::parse(descriptor).map_err(PenError::Descriptor)?;
        let mut reports: Vec<u8> = Vec::new();
        for field in descriptor.fields().iter().filter(|field| of_pen(field)) {
            if !reports.contains(&field.report) {
                reports.push(field.report);
            }
        }
        let pens: Vec<Pen> = reports
            .into_iter()
            .filter_map(|report| Pen::find(descriptor.fields(), report))
            .collect();
        if pens.is_empty() {
            return Err(PenError::NoPen);
        }
        Ok(Self { pens })
    }

    /// The kinds of pen report, in the descriptor's order.
    #[must_use]
    pub fn pens(&self) -> &[Pen] {
        &self.pens
    }

    /// Reads an input report; `None` where it is none of a pen.
    ///
    /// # Errors
    /// [`ShortReport`] where a field lies beyond its end.
    pub fn decode(&self, report: &[u8]) -> Result<Option<PenState>, ShortReport> {
        let id = report.first().copied().unwrap_or(0);
        let pen = self
            .pens
            .iter()
            .find(|pen| pen.report == 0 || pen.report == id);
        match pen {
            Some(pen) => pen
                .decode(report)
                .map(Some)
                .ok_or(ShortReport { report: pen.report }),
            None => Ok(None),
        }
    }
}

impl Pen {
    fn find(fields: &[Field], report: u8) -> Option<Self> {
        let field = |meaning: Usage| {
            fields
                .iter()
                .find(|field| {
                    field.report == report && of_pen(field) && plain(field.usage) == meaning
                })
                .copied()
        };
        let digitizer = |id| {
            field(Usage {
                page: DIGITIZER,
                id,
            })
        };
        let desktop = |id| {
            field(Usage {
                page: GENERIC_DESKTOP,
                id,
            })
        };
        Some(Self {
            report,
            x: desktop(0x30)?,
            y: desktop(0x31)?,
            tip: digitizer(0x42)?,
            pressure: digitizer(0x30),
            tilt: digitizer(0x3D).zip(digitizer(0x3E)),
            in_range: digitizer(0x32),
            sensed: digitizer(0x36),
            barrel: digitizer(0x44),
            invert: digitizer(0x3C),
            eraser: digitizer(0x45),
            scan_time: digitizer(0x56).filter(|field| field.size == 16),
        })
    }

    /// Smallest and largest X and Y.
    #[must_use]
    pub const fn ranges(&self) -> ((i32, i32), (i32, i32)) {
        (self.x.logical, self.y.logical)
    }

    /// The largest pressure; 0 where the device feels none.
    #[must_use]
    pub fn max_pressure(&self) -> i32 {
        self.pressure.map_or(0, |field| field.logical.1)
    }

    /// Units in a millimetre along X and Y, where the device gives a length.
    #[must_use]
    pub fn units_per_mm(&self) -> Option<(f64, f64)> {
        units_per_mm(&self.x).zip(units_per_mm(&self.y))
    }

    /// Whether its reports carry the device's own clock.
    #[must_use]
    pub const fn has_clock(&self) -> bool {
        self.scan_time.is_some()
    }

    fn decode(&self, report: &[u8]) -> Option<PenState> {
        let switch = |field: &Option<Field>| match field {
            Some(field) => field.value(report).map(|value| value != 0),
            None => Some(false),
        };
        let eraser = switch(&self.eraser)?;
        let near = match self.in_range {
            Some(field) => field.value(report)? != 0,
            // A pen that does not say whether it is near reports only while it is.
            None => true,
        };
        Some(PenState {
            report: self.report,
            x: self.x.value(report)?,
            y: self.y.value(report)?,
            pressure: match self.pressure {
                Some(field) => field.value(report)?,
                None => 0,
            },
            tilt: match self.tilt {
                Some((x, y)) => Some((centidegrees(&x, report)?, centidegrees(&y, report)?)),
                None => None,
            },
            tip: self.tip.value(report)? != 0 || eraser,
            in_range: near || switch(&self.sensed)?,
            eraser: eraser || switch(&self.invert)?,
            barrel: switch(&self.barrel)?,
            scan_time: match self.scan_time {
                Some(field) => field
                    .value(report)
                    .and_then(|time| u16::try_from(time).ok()),
                None => None,
            },
        })
    }
}

/// Whether a field belongs to a pen: usage 0x02 "Pen" of the digitizer page, or a digitizer (0x01) of Wacom's own
/// page, which is how the Cintiq Pro 16 names its second pen.
fn of_pen(field: &Field) -> bool {
    matches!(
        (field.application.page, field.application.id),
        (DIGITIZER, 0x02) | (WACOM_DIGITIZER, 0x01 | 0x02)
    )
}

/// The standard usage that a usage of Wacom's page stands for.
const fn plain(usage: Usage) -> Usage {
    match (usage.page, usage.id) {
        (WACOM_DIGITIZER, 0x130) => Usage {
            page: GENERIC_DESKTOP,
            id: 0x30,
        },
        (WACOM_DIGITIZER, 0x131) => Usage {
            page: GENERIC_DESKTOP,
            id: 0x31,
        },
        (WACOM_DIGITIZER, 0..=0xFF) => Usage {
            page: DIGITIZER,
            id: usage.id,
        },
        _ => usage,
    }
}

/// How many logical units make a millimetre; HID 1.11, clause 6.2.2.7: 0x11 is centimetres, 0x13 inches.
fn units_per_mm(field: &Field) -> Option<f64> {
    let mm_per_unit = match field.unit {
        0x11 => 10.0,
        0x13 => 25.4,
        _ => return None,
    };
    let logical = f64::from(field.logical.1) - f64::from(field.logical.0);
    let physical = f64::from(field.physical.1) - f64::from(field.physical.0);
    let mm = physical * mm_per_unit * 10_f64.powi(i32::from(field.exponent));
    let per_mm = logical / mm;
    // A device that says it is a kilometre wide, or a micrometre, says nothing.
    ((1.0..=10_000.0).contains(&per_mm)).then_some(per_mm)
}

/// A tilt in hundredths of a degree: 0x14 is degrees, 0x12 radians; without a unit the value counts degrees.
fn centidegrees(field: &Field, report: &[u8]) -> Option<i32> {
    let value = field.value(report)?;
    let (low, high) = field.logical;
    let degrees = match field.unit {
        0x12 => 180.0 / std::f64::consts::PI,
        _ => 1.0,
    };
    let width = f64::from(high) - f64::from(low);
    if width <= 0.0 {
        return Some(0);
    }
    let share = (f64::from(value) - f64::from(low)) / width;
    let physical = f64::from(field.physical.0)
        + share * (f64::from(field.physical.1) - f64::from(field.physical.0));
    let tilt = physical * degrees * 10_f64.powi(i32::from(field.exponent)) * 100.0;
    Some(crate::mapping::whole(tilt.clamp(-9_000.0, 9_000.0)))
}

#[cfg(test)]
mod tests;
