//! The device's side of the wire, with messages laid out by hand after `usbip_protocol.rst`.

use super::*;
use crate::models::BulkDevice;

/// The kernel's end of a device's socket.
struct Kernel {
    socket: UnixStream,
    core: Arc<Mutex<Core<BulkDevice>>>,
}

impl Kernel {
    fn new() -> Self {
        let (ours, socket) = UnixStream::pair().unwrap();
        let core = Arc::new(Mutex::new(Core {
            device: BulkDevice::default(),
            pending: VecDeque::new(),
            pulled: false,
            heard: 0,
            socket: ours.try_clone().unwrap(),
        }));
        let served = Arc::clone(&core);
        std::thread::spawn(move || serve(&served, &Condvar::new(), ours));
        Self { socket, core }
    }

    /// A submission: its number, whether it asks, its endpoint, and how many bytes.
    fn submit(&self, sequence: u8, asks: bool, endpoint: u8, length: u8, setup: [u8; 8]) {
        let mut message = vec![0; 48];
        message[3] = 1;
        message[7] = sequence;
        message[15] = u8::from(asks);
        message[19] = endpoint;
        message[27] = length;
        message[40..].copy_from_slice(&setup);
        (&self.socket).write_all(&message).unwrap();
    }

    fn unlink(&self, sequence: u8, target: u8) {
        let mut message = vec![0; 48];
        message[3] = 2;
        message[7] = sequence;
        message[23] = target;
        (&self.socket).write_all(&message).unwrap();
    }

    /// Command, number, status and bytes of the next reply.
    fn reply(&self, bytes: usize) -> (u8, u8, i32, Vec<u8>) {
        let mut message = [0; 48];
        (&self.socket).read_exact(&mut message).unwrap();
        let mut data = vec![0; bytes];
        (&self.socket).read_exact(&mut data).unwrap();
        if message[3] == 3 && bytes > 0 {
            assert_eq!(usize::from(message[27]), bytes);
        }
        let status = i32::from_be_bytes(message[20..24].try_into().unwrap());
        (message[3], message[7], status, data)
    }

    fn change(&self, change: impl FnOnce(&mut BulkDevice)) {
        let mut core = locked(&self.core);
        change(&mut core.device);
        core.progress().unwrap();
    }
}

const NO_SETUP: [u8; 8] = [0; 8];

#[test]
fn descriptors_are_told_as_far_as_they_are_asked_for() {
    let kernel = Kernel::new();
    kernel.submit(1, true, 0, 8, [0x80, 6, 0, 1, 0, 0, 8, 0]);
    assert_eq!(kernel.reply(8), (3, 1, 0, vec![18, 1, 0, 2, 0, 0, 0, 64]));
    kernel.submit(2, true, 0, 255, [0x80, 6, 3, 3, 9, 4, 255, 0]);
    let serial = b"\x10\x03B\0L\0K\x000\x000\x000\x001\0".to_vec();
    assert_eq!(kernel.reply(16), (3, 2, 0, serial));
    kernel.submit(3, true, 0, 255, [0x80, 6, 0, 6, 0, 0, 10, 0]);
    assert_eq!(kernel.reply(0), (3, 3, STALLED, vec![]));
}

#[test]
fn a_transfer_waits_until_the_device_has_something() {
    let kernel = Kernel::new();
    kernel.submit(1, true, 1, 64, NO_SETUP);
    kernel.submit(2, true, 1, 64, NO_SETUP);
    // The answer to this one shows that the two before are known.
    kernel.submit(3, true, 0, 64, [0xc1, 1, 0, 0, 0, 0, 64, 0]);
    assert_eq!(kernel.reply(6).1, 3);
    kernel.change(|device| device.loaded.extend([7, 8]));
    assert_eq!(kernel.reply(2), (3, 1, 0, vec![7, 8]));
    kernel.change(|device| device.loaded.extend([9]));
    assert_eq!(kernel.reply(1), (3, 2, 0, vec![9]));
}

#[test]
fn a_transfer_that_is_taken_back_gets_no_bytes() {
    let kernel = Kernel::new();
    kernel.submit(1, true, 1, 64, NO_SETUP);
    kernel.unlink(2, 1);
    assert_eq!(kernel.reply(0), (4, 2, TAKEN_BACK, vec![]));
    // One that is not there any more.
    kernel.unlink(3, 1);
    assert_eq!(kernel.reply(0), (4, 3, 0, vec![]));
    kernel.change(|device| device.loaded.extend([5]));
    kernel.submit(4, true, 1, 64, NO_SETUP);
    assert_eq!(kernel.reply(1), (3, 4, 0, vec![5]));
}

#[test]
fn bytes_to_a_busy_device_wait_and_keep_their_order() {
    let kernel = Kernel::new();
    kernel.change(|device| device.busy = true);
    for (sequence, byte) in [(1, 0x11), (2, 0x22)] {
        kernel.submit(sequence, false, 2, 1, NO_SETUP);
        (&kernel.socket).write_all(&[byte]).unwrap();
    }
    kernel.submit(3, true, 0, 64, [0xc1, 1, 0, 0, 0, 0, 64, 0]);
    assert_eq!(kernel.reply(6).1, 3);
    kernel.change(|device| device.busy = false);
    assert_eq!((kernel.reply(0).1, kernel.reply(0).1), (1, 2));
    kernel.change(|device| assert_eq!(device.collected, [0x11, 0x22]));
}

#[test]
fn a_refusal_stalls_once() {
    let kernel = Kernel::new();
    kernel.change(|device| device.stalls = true);
    kernel.submit(1, true, 1, 64, NO_SETUP);
    assert_eq!(kernel.reply(0), (3, 1, STALLED, vec![]));
    kernel.change(|device| device.loaded.extend([5]));
    kernel.submit(2, true, 1, 64, NO_SETUP);
    assert_eq!(kernel.reply(1), (3, 2, 0, vec![5]));
}

#[test]
fn a_device_that_was_pulled_answers_nothing_and_lets_go() {
    let kernel = Kernel::new();
    locked(&kernel.core).pulled = true;
    kernel.submit(1, true, 0, 64, [0xc1, 1, 0, 0, 0, 0, 64, 0]);
    kernel.unlink(2, 1);
    assert_eq!(kernel.reply(0), (4, 2, TAKEN_BACK, vec![]));
}
