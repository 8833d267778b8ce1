//! Where a message travels.
//!
//! ```text
//! madoguchi/1/{tenant}/{device}/up/{lane}/{class}   from the device
//! madoguchi/1/{tenant}/{device}/dn/{ack|cmd}        to the device
//! ```
//! The depth is fixed in each direction, and who it is stands before what it is, so that a broker needs two
//! patterns for each device (the reasons are in `docs/protocol/telemetry.md`).
//! A topic is part of what is signed: its bytes are the external data of the envelope.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::message::Class;
use crate::name::{DeviceName, NameError};

/// What every topic begins with: the product and the version of the protocol.
pub const ROOT: &str = "madoguchi/1";

/// A text that is no topic of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TopicError {
    /// It has another form.
    #[error("not a topic of this protocol")]
    Form,
    /// A name in it is no name.
    #[error("a name in the topic is none")]
    Name(#[source] NameError),
    /// Lane and class are unknown, or do not belong together.
    #[error("the topic's lane and class are unknown, or do not belong together")]
    Class,
}

/// A topic from a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpTopic {
    /// Who speaks.
    pub from: DeviceName,
    /// What is said; the lane follows from it.
    pub class: Class,
}

/// A topic to a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DownTopic {
    /// Who is spoken to.
    pub to: DeviceName,
    /// What is said.
    pub kind: DownKind,
}

/// What is said to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DownKind {
    /// How far the monitor has everything.
    Ack,
    /// A command.
    Command,
}

impl DownKind {
    const fn code(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Command => "cmd",
        }
    }
}

/// What a device subscribes to.
#[must_use]
pub fn all_down(to: &DeviceName) -> String {
    format!("{ROOT}/{to}/dn/+")
}

/// What a monitor of all devices of all tenants subscribes to.
#[must_use]
pub fn all_up() -> String {
    format!("{ROOT}/+/+/up/+/+")
}

impl fmt::Display for UpTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lane = self.class.lane().code();
        write!(f, "{ROOT}/{}/up/{lane}/{}", self.from, self.class.code())
    }
}

impl fmt::Display for DownTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ROOT}/{}/dn/{}", self.to, self.kind.code())
    }
}

/// The device and what follows it.
fn split(topic: &str) -> Result<(DeviceName, &str), TopicError> {
    let rest = topic
        .strip_prefix(ROOT)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or(TopicError::Form)?;
    let mut parts = rest.splitn(3, '/');
    let (Some(tenant), Some(device), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(TopicError::Form);
    };
    let name = DeviceName {
        tenant: tenant.parse().map_err(TopicError::Name)?,
        device: device.parse().map_err(TopicError::Name)?,
    };
    Ok((name, rest))
}

impl FromStr for UpTopic {
    type Err = TopicError;

    fn from_str(topic: &str) -> Result<Self, TopicError> {
        let (from, rest) = split(topic)?;
        let said = rest.strip_prefix("up/").ok_or(TopicError::Form)?;
        let (lane, class) = said.split_once('/').ok_or(TopicError::Form)?;
        let class = Class::of_code(class).ok_or(TopicError::Class)?;
        if class.lane().code() == lane {
            Ok(Self { from, class })
        } else {
            Err(TopicError::Class)
        }
    }
}

impl FromStr for DownTopic {
    type Err = TopicError;

    fn from_str(topic: &str) -> Result<Self, TopicError> {
        let (to, rest) = split(topic)?;
        let kind = match rest {
            "dn/ack" => DownKind::Ack,
            "dn/cmd" => DownKind::Command,
            _ => return Err(TopicError::Form),
        };
        Ok(Self { to, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_back() {
        for class in Class::ALL {
            let text = format!(
                "madoguchi/1/hoshino-shi/c-03/up/{}/{}",
                class.lane().code(),
                class.code()
            );
            let topic: UpTopic = text.parse().unwrap();
            assert_eq!((topic.class, topic.to_string()), (class, text));
        }
        for text in [
            "madoguchi/1/hoshino-shi/c-03/dn/ack",
            "madoguchi/1/hoshino-shi/c-03/dn/cmd",
        ] {
            assert_eq!(text.parse::<DownTopic>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_topic() {
        for text in [
            "",
            "madoguchi/2/t/d/up/st/device",
            "madoguchi/1/t/d/up/st",
            "madoguchi/1/t/d/up/st/device/x",
            "madoguchi/1/t/d/dn/ack",
            "/madoguchi/1/t/d/up/st/device",
            "madoguchi/1//d/up/st/device",
            "madoguchi/1/t/d/up/al/device",
            "madoguchi/1/t/D/up/st/device",
            "madoguchi/1/t/d/up/st/#",
            "madoguchi/1/t",
        ] {
            assert!(text.parse::<UpTopic>().is_err(), "{text}");
        }
        assert!("madoguchi/1/t/d/up/st/device".parse::<DownTopic>().is_err());
        assert!("madoguchi/1/t/d/dn/ack/".parse::<DownTopic>().is_err());
    }
}
