//! What particular scanners do differently.
//!
//! | vendor | what | seen in |
//! |---|---|---|
//! | Honeywell 0C2E, Metrologic 23D0 | need feature report FE = 1 to send readings as HID POS | the public library webhid-barcode-scanner 1.2.2 |
//! | the same, and Access-IS 0DB5 | some descriptors name no decoded data; the usual 64 bytes hold it | the same; manuals of ATR110 and LSR118 |

/// What is different about a scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// A feature report that makes it send readings as HID POS, with its id in front.
    pub mode_switch: Option<[u8; 2]>,
    /// Whether the usual layout holds where the descriptor names no decoded data.
    pub usual_layout: bool,
}

/// What is different about the scanners of a vendor.
#[must_use]
pub const fn of(vendor: u16) -> Quirks {
    match vendor {
        0x0C2E | 0x23D0 => Quirks {
            mode_switch: Some([0xFE, 0x01]),
            usual_layout: true,
        },
        0x0DB5 => Quirks {
            mode_switch: None,
            usual_layout: true,
        },
        _ => Quirks {
            mode_switch: None,
            usual_layout: false,
        },
    }
}
