//! Measurements that docs/measurements.md records.
