//! Signs of the service in a folder of our own.

use std::{fs, os::unix::net::UnixListener, thread};

use super::*;

const LONG_ENOUGH: Option<Duration> = Some(Duration::from_secs(10));

#[test]
fn a_socket_that_appears_is_a_sign() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("pcscd.comm");
    let armed = ServiceDoor::at(&socket).arm();
    let listener = thread::spawn(move || UnixListener::bind(socket).unwrap());
    assert_eq!(armed.wait(LONG_ENOUGH), Signal::Sign);
    drop(listener.join().unwrap());
}

#[test]
fn a_socket_left_by_a_killed_service_is_no_sign_and_its_replacement_is() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("pcscd.comm");
    drop(UnixListener::bind(&socket).unwrap());
    let door = ServiceDoor::at(&socket);
    assert_eq!(door.arm().wait(Some(Duration::ZERO)), Signal::Quiet);
    let armed = door.arm();
    fs::remove_file(&socket).unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(armed.wait(LONG_ENOUGH), Signal::Sign);
}

#[test]
fn a_folder_that_is_missing_is_waited_for_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("run").join("pcscd");
    let armed = ServiceDoor::at(missing.join("pcscd.comm")).arm();
    fs::create_dir_all(&missing).unwrap();
    assert_eq!(armed.wait(LONG_ENOUGH), Signal::Sign);
}

#[test]
fn a_folder_that_goes_away_is_a_sign_to_look_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("pcscd");
    fs::create_dir(&run).unwrap();
    let armed = ServiceDoor::at(run.join("pcscd.comm")).arm();
    fs::remove_dir(&run).unwrap();
    assert_eq!(armed.wait(LONG_ENOUGH), Signal::Sign);
}
