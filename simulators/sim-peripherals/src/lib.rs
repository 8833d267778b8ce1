//! Simulated scanners, tablets, printers and document scanners at the wire.
