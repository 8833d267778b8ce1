//! An MQTT broker that misbehaves by plan.
