//! What differs between operating systems, behind one set of names.
//!
//! Everything tied to one system lives in a child of this module; the rest of the crate compiles for
//! Windows as it stands.
//! What a system does not have is absent there (the native door on Windows), never pretended.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::PathBuf;

#[cfg(unix)]
pub use unix::{
    HAS_NATIVE_DOOR, NativeListener, Readiness, Termination, accept_native, card_service_socket,
    clock_error_bound, clock_is_synchronised, close_native, default_state_dir, disk_of,
    faults_of_state_dir, harden_process, listen_native, make_private_dir, own_process_group,
    owner_of_port, private_file, process_name, reboot, sync_dir,
};
#[cfg(windows)]
pub use windows::{
    HAS_NATIVE_DOOR, NativeListener, Readiness, Termination, accept_native, card_service_socket,
    clock_error_bound, clock_is_synchronised, close_native, default_state_dir, disk_of,
    faults_of_state_dir, harden_process, listen_native, make_private_dir, own_process_group,
    owner_of_port, private_file, process_name, reboot, sync_dir,
};

/// A program in the folder of the running one.
#[must_use]
pub fn beside_this_program(name: &str) -> Option<PathBuf> {
    let mut path = std::env::current_exe().ok()?;
    path.set_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Some(path)
}
