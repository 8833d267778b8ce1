//! What differs between models, as data: which driver, where the flags are, what cannot be done.
//!
//! Found by vendor and product, or, where only a byte stream reaches the device, by the model that it names.
//! Product numbers: Wacom's open STU library (`Tablet.hpp`), and the Linux driver (`drivers/hid/wacom_wac.c`) and
//! libwacom for pen displays.

use crate::wire::stu::{Encoding, PenFlags};

/// Wacom's vendor number.
pub const WACOM: u16 = 0x056A;

/// What is known of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirk {
    /// USB vendor.
    pub vendor: u16,
    /// USB product.
    pub product: u16,
    /// From which firmware on this row holds: major, minor.
    pub since: (u8, u8),
    /// The model's name.
    pub model: &'static str,
    /// How it is driven.
    pub class: Class,
}

/// How a model is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A pad with a screen of its own.
    Stu(Pad),
    /// A pad that talks only encrypted.
    Encrypted,
    /// A pen on a monitor, read through its report descriptor; samples in a second where the maker says.
    Digitizer {
        /// The nominal rate, 0 where unknown.
        rate: u32,
    },
}

/// What is particular to a pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// Where pen reports have their flags.
    pub flags: PenFlags,
    /// What pictures it takes, where its capability report does not say.
    pub encoding: Encoding,
    /// Whether pen reports can carry time and sequence.
    pub timed: bool,
}

const FLAGS: PenFlags = PenFlags {
    ready: 0x8000,
    touch: 0x7000,
    pressure: 0x0FFF,
};

const MONO: Pad = Pad {
    flags: FLAGS,
    encoding: Encoding::Mono,
    timed: true,
};

const COLOUR: Pad = Pad {
    flags: FLAGS,
    encoding: Encoding::Bgr24,
    timed: true,
};

/// A pad of which nothing more is known: the oldest common ground.
pub const UNKNOWN_PAD: Pad = Pad {
    flags: FLAGS,
    encoding: Encoding::Mono,
    timed: false,
};

const fn wacom(product: u16, model: &'static str, class: Class) -> Quirk {
    Quirk {
        vendor: WACOM,
        product,
        since: (0, 0),
        model,
        class,
    }
}

/// The table. Rows for later firmware stand after those for earlier.
pub const QUIRKS: &[Quirk] = &[
    wacom(0x00A4, "STU-430", Class::Stu(MONO)),
    wacom(0x00A6, "STU-430V", Class::Stu(MONO)),
    wacom(0x00A5, "STU-530", Class::Stu(COLOUR)),
    wacom(0x00A8, "STU-540", Class::Stu(COLOUR)),
    wacom(0x00A9, "STU-541", Class::Encrypted),
    wacom(0x0390, "DTK-1660", Class::Digitizer { rate: 0 }),
    wacom(0x03AE, "DTK-1660", Class::Digitizer { rate: 0 }),
    wacom(0x0396, "DTK-1660E", Class::Digitizer { rate: 0 }),
    wacom(0x03B0, "DTK-1660E", Class::Digitizer { rate: 0 }),
    // The Linux driver reads the next three by layouts of its own; whether their descriptors name every usage
    // is unconfirmed. Where they do not, opening fails with a sentence, never with wrong ink.
    wacom(0x035A, "DTH-1152", Class::Digitizer { rate: 0 }),
    wacom(0x0336, "DTU-1141", Class::Digitizer { rate: 0 }),
    wacom(0x0359, "DTU-1141B", Class::Digitizer { rate: 0 }),
];

/// The row of a product.
#[must_use]
pub fn of_product(vendor: u16, product: u16, firmware: (u8, u8)) -> Option<&'static Quirk> {
    QUIRKS
        .iter()
        .rev()
        .find(|quirk| quirk.vendor == vendor && quirk.product == product && quirk.since <= firmware)
}

/// The row of a pad by the model that it names in its report 08, such as `540` or `STU-540`.
#[must_use]
pub fn of_model(model: &str, firmware: (u8, u8)) -> Option<&'static Quirk> {
    let named = model.trim_start_matches("STU-").trim_start_matches("STU");
    QUIRKS
        .iter()
        .rev()
        .find(|quirk| quirk.model.strip_prefix("STU-") == Some(named) && quirk.since <= firmware)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_541_is_known_as_encrypted_by_product_and_by_name() {
        for quirk in [of_product(WACOM, 0x00A9, (1, 0)), of_model("541", (1, 0))] {
            assert_eq!(quirk.map(|quirk| quirk.class), Some(Class::Encrypted));
        }
    }

    #[test]
    fn a_pad_is_found_by_either_spelling_and_a_stranger_is_not() {
        for name in ["540", "STU-540", "STU540"] {
            assert_eq!(
                of_model(name, (1, 0)).map(|quirk| quirk.model),
                Some("STU-540")
            );
        }
        assert_eq!(of_model("999", (1, 0)), None);
        assert_eq!(of_product(0x1234, 0x00A8, (1, 0)), None);
    }
}
