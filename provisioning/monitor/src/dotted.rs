//! Topics as RabbitMQ and NATS write them: levels are parted by dots.
//!
//! Both exchange `/` and `.` between MQTT and themselves: RabbitMQ in routing keys (its `rabbit_mqtt_util`,
//! 3.10), NATS in subjects (its documentation of MQTT, "Topics and subjects", 2.9).
//! For a topic of this protocol it goes both ways without a loss: a name in it has neither sign.
//! What another topic becomes on the way may not be what was published; as a topic it is of no device either
//! way, and what is signed for one topic proves nothing at another.

/// The routing key or subject of a topic.
#[must_use]
pub fn from_topic(topic: &str) -> String {
    topic.replace('/', ".")
}

/// The topic of a routing key or subject.
#[must_use]
pub fn to_topic(key: &str) -> String {
    key.replace('.', "/")
}

#[cfg(test)]
mod tests {
    use telemetry::topic::DownKind;
    use telemetry::{Class, DownTopic, UpTopic};

    use super::*;

    #[test]
    fn topics_of_the_protocol_go_both_ways() {
        let device = telemetry::name::DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        };
        let up = UpTopic {
            from: device.clone(),
            class: Class::Beat,
        };
        let down = DownTopic {
            to: device,
            kind: DownKind::Ack,
        };
        for (topic, key) in [
            (up.to_string(), "madoguchi.1.hoshino-shi.c-03.up.hb.beat"),
            (down.to_string(), "madoguchi.1.hoshino-shi.c-03.dn.ack"),
        ] {
            assert_eq!(from_topic(&topic), key);
            assert_eq!(to_topic(key), topic);
        }
    }

    #[test]
    fn what_devices_cannot_be_called_makes_no_topic_of_the_protocol() {
        // As NATS writes an empty level, and a key with a level too many, as a dot in a name would make it.
        for key in [
            "madoguchi.1./.c-03.up.hb.beat",
            "madoguchi.1.hoshino.shi.c-03.up.hb.beat",
            "",
        ] {
            assert!(to_topic(key).parse::<UpTopic>().is_err(), "{key}");
        }
    }
}
