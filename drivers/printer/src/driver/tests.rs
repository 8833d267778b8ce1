//! The driver with a printer of paper in memory.
