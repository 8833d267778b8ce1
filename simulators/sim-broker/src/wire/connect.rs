//! CONNECT, section 3.1.

use super::{Malformed, Reader};

/// What a client asks for when it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    /// 4 is MQTT 3.1.1, 5 is MQTT 5; of any level but 4 nothing else is read.
    pub(crate) level: u8,
    pub(crate) clean: bool,
    /// Seconds; zero means none.
    pub(crate) keep_alive: u16,
    pub(crate) client_id: String,
    pub(crate) will: Option<Will>,
    pub(crate) user: Option<String>,
}

/// What the broker publishes for a client that goes without a farewell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) quality: u8,
    pub(crate) retain: bool,
}

impl Connect {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        // Section 3.1.2.1; MQTT 3.1 still said "MQIsdp", with level 3.
        if !matches!(body.text()?.as_str(), "MQTT" | "MQIsdp") {
            return Err(Malformed::Protocol);
        }
        let mut connect = Self {
            level: body.byte()?,
            clean: true,
            keep_alive: 0,
            client_id: String::new(),
            will: None,
            user: None,
        };
        if connect.level != 4 {
            return Ok(connect);
        }
        let flags = Flags::of(body.byte()?)?;
        connect.clean = flags.has(Flags::CLEAN);
        connect.keep_alive = body.number()?;
        // [MQTT-3.1.3-1]: identifier, will topic, will message, user name, password, in this order.
        connect.client_id = body.text()?;
        if flags.has(Flags::WILL) {
            connect.will = Some(Will {
                topic: body.text()?,
                payload: body.bytes()?.to_vec(),
                quality: flags.will_quality(),
                retain: flags.has(Flags::WILL_RETAIN),
            });
        }
        if flags.has(Flags::USER) {
            connect.user = Some(body.text()?);
        }
        if flags.has(Flags::PASSWORD) {
            body.bytes()?;
        }
        Ok(connect)
    }
}

/// Section 3.1.2.3.
#[derive(Clone, Copy)]
struct Flags(u8);

impl Flags {
    const CLEAN: u8 = 0x02;
    const WILL: u8 = 0x04;
    const WILL_RETAIN: u8 = 0x20;
    const PASSWORD: u8 = 0x40;
    const USER: u8 = 0x80;

    const fn of(byte: u8) -> Result<Self, Malformed> {
        let flags = Self(byte);
        let will_parts = byte & 0x38 != 0;
        // [MQTT-3.1.2-3], [MQTT-3.1.2-13, -14, -15], [MQTT-3.1.2-22].
        if byte & 0x01 != 0
            || (!flags.has(Self::WILL) && will_parts)
            || (!flags.has(Self::USER) && flags.has(Self::PASSWORD))
        {
            return Err(Malformed::Flags);
        }
        if flags.will_quality() == 3 {
            return Err(Malformed::Quality);
        }
        Ok(flags)
    }

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    const fn will_quality(self) -> u8 {
        (self.0 >> 3) & 0b11
    }
}
