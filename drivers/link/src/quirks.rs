//! Tables of what single devices do differently, by product and firmware.
//!
//! A family of devices keeps a table of its own, whose values mean what that family needs; the first row
//! that fits counts, so narrow rows stand before wide ones.

use std::ops::RangeInclusive;

use crate::identity::Identity;

/// Which devices a row speaks of, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirk<T> {
    /// The vendor's number.
    pub vendor: u16,
    /// The product's number; `None` for all of this vendor.
    pub product: Option<u16>,
    /// The release numbers, from the first to the last; see [`Identity::firmware`].
    pub firmware: RangeInclusive<u16>,
    /// What is different.
    pub value: T,
}

/// Every firmware.
pub const ANY_FIRMWARE: RangeInclusive<u16> = 0..=u16::MAX;

impl<T> Quirk<T> {
    /// Whether this row speaks of `identity`.
    #[must_use]
    pub fn fits(&self, identity: &Identity) -> bool {
        self.vendor == identity.vendor
            && self
                .product
                .is_none_or(|product| product == identity.product)
            && self.firmware.contains(&identity.firmware)
    }
}

/// What `table` says of `identity`.
#[must_use]
pub fn quirk_of<'a, T>(table: &'a [Quirk<T>], identity: &Identity) -> Option<&'a T> {
    let row = table.iter().find(|row| row.fits(identity));
    row.map(|row| &row.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Quirk<&str>; 3] = [
        Quirk {
            vendor: 1,
            product: Some(2),
            firmware: 0x0100..=0x01ff,
            value: "old",
        },
        Quirk {
            vendor: 1,
            product: Some(2),
            firmware: ANY_FIRMWARE,
            value: "new",
        },
        Quirk {
            vendor: 1,
            product: None,
            firmware: ANY_FIRMWARE,
            value: "other",
        },
    ];

    #[test]
    fn the_first_row_that_fits_counts() {
        let quirk = |vendor, product, firmware| {
            let identity = Identity {
                vendor,
                product,
                firmware,
                ..Identity::default()
            };
            quirk_of(&TABLE, &identity).copied()
        };
        assert_eq!(quirk(1, 2, 0x0123), Some("old"));
        assert_eq!(quirk(1, 2, 0x0200), Some("new"));
        assert_eq!(quirk(1, 3, 0x0123), Some("other"));
        assert_eq!(quirk(2, 2, 0x0123), None);
    }
}
