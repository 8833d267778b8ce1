//! Document scanners over the SANE network protocol and eSCL.
