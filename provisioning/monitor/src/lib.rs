//! Verifies what devices report, keeps the evidence, and says what is true.
