//! Starts the real parts of a counter for scenarios, demo and measurements.
