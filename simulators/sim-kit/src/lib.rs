//! What every simulator needs: faults as data, counters, control, virtual readers' wire.
