//! Scenarios through the real agent, the real PC/SC service and simulated cards.
