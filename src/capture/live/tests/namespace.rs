//! A network namespace with a cable in it: two ends, `left` and `right`, of a veth pair.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;

use crate::capture::live::socket;
use crate::testing;

/// Runs `body` in a thread with a network namespace of its own, in which a cable lies. The namespace goes
/// away with the thread. Skipped without root or without the program `ip`.
pub(super) fn with_cable(name: &'static str, body: fn()) {
    // SAFETY: no pointers, cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return testing::skip(name, "needs root");
    }
    if Command::new("ip").arg("-V").output().is_err() {
        return testing::skip(name, "needs the program ip (package iproute2)");
    }
    let thread = std::thread::spawn(move || {
        // SAFETY: no pointers; concerns this thread only.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return testing::skip(name, "network namespaces are not allowed here");
        }
        // IPv6 would send frames of its own.
        _ = std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        _ = std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
        ip("link add left type veth peer name right");
        ip("link set left up");
        ip("link set right up");
        wait_until_up("left");
        wait_until_up("right");
        body();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip` with arguments.
pub(super) fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits for the kernel to notice that the cable is connected: frames sent before are lost.
pub(super) fn wait_until_up(interface: &str) {
    for _ in 0..500 {
        let output = Command::new("ip").args(["-o", "link", "show", interface]).output().unwrap();
        if String::from_utf8_lossy(&output.stdout).contains("state UP") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{interface} does not come up");
}

/// A socket that sends frames from an interface.
pub(super) struct Sender {
    pub(super) fd: OwnedFd,
    address: libc::sockaddr_ll,
}

impl Sender {
    pub(super) fn new(interface: &str) -> Sender {
        // SAFETY: all-zero octets are a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = socket::interface_index(interface).unwrap();
        Sender { fd: socket::open().unwrap(), address }
    }

    /// Sends a frame; an error if the kernel refuses.
    pub(super) fn try_send(&self, frame: &[u8]) -> std::io::Result<()> {
        // SAFETY: both pointers are valid for the lengths given.
        let sent = unsafe {
            libc::sendto(
                self.fd.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const self.address).cast(),
                size_of::<libc::sockaddr_ll>() as u32,
            )
        };
        if sent < 0 {
            return Err(std::io::Error::last_os_error());
        }
        assert_eq!(sent.cast_unsigned(), frame.len());
        Ok(())
    }

    /// Sends a frame, trying again while the device's queue is full.
    pub(super) fn send(&self, frame: &[u8]) {
        loop {
            match self.try_send(frame) {
                Ok(()) => return,
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN)) => {
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Ethernet addresses and a type that nobody answers, then `number`, padded to `length`.
pub(super) fn numbered(number: u32, length: usize) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x88, 0xb5];
    frame.extend(number.to_be_bytes());
    frame.resize(length.max(60), 0xa5);
    frame
}
