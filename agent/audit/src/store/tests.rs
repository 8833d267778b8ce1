//! Crashes, full disks and what is put right.
