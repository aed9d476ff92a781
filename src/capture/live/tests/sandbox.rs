//! A thread that gave up sending cannot send, by any call.

use std::io;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::{Duration, Instant};

use super::namespace::{Sender, numbered, with_cable};
use crate::capture::live::{LiveOptions, LiveSource, forbid_sending, socket};
use crate::capture::{FrameSource, Next};

fn outcome(result: libc::c_long) -> Option<i32> {
    if result < 0 { io::Error::last_os_error().raw_os_error() } else { None }
}

#[test]
fn sending_is_refused_with_eperm_and_receiving_goes_on() {
    with_cable("sending_is_refused_with_eperm_and_receiving_goes_on", || {
        let options = LiveOptions { interfaces: vec!["right".to_owned()], ..LiveOptions::default() };
        let mut source = LiveSource::open(&options).unwrap();
        let (sender, other) = (Sender::new("left"), Sender::new("left"));
        socket::bind(&sender.fd, socket::interface_index("left").unwrap()).unwrap();
        let fd = sender.fd.as_raw_fd();
        let frame = numbered(1, 60);
        let write = || {
            // SAFETY: pointer and length belong together.
            outcome(unsafe { libc::write(fd, frame.as_ptr().cast(), frame.len()) as libc::c_long })
        };
        assert_eq!(write(), None, "a write to a packet socket sends");
        sender.send(&frame);
        // A thread of the same program that did not give it up still can.
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let free = std::thread::spawn(move || {
            wait.recv().unwrap();
            other.send(&numbered(2, 60));
        });

        forbid_sending().unwrap();

        assert_eq!(sender.try_send(&frame).err().and_then(|e| e.raw_os_error()), Some(libc::EPERM));
        assert_eq!(write(), Some(libc::EPERM));
        let part = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        // SAFETY: all-zero octets are a valid msghdr; pointers and lengths belong together.
        unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_iov = (&raw const part).cast_mut();
            message.msg_iovlen = 1;
            let refused = |what: &str, result: libc::c_long| {
                assert_eq!(outcome(result), Some(libc::EPERM), "{what}");
            };
            refused("writev", libc::writev(fd, &raw const part, 1) as _);
            refused("pwrite", libc::pwrite(fd, frame.as_ptr().cast(), frame.len(), 0) as _);
            refused("send", libc::send(fd, frame.as_ptr().cast(), frame.len(), 0) as _);
            refused("sendmsg", libc::sendmsg(fd, &raw const message, 0) as _);
            refused("sendmmsg", libc::syscall(libc::SYS_sendmmsg, fd, 0, 0, 0));
            refused("sendfile", libc::syscall(libc::SYS_sendfile, fd, 0, 0, 1));
            refused("splice", libc::syscall(libc::SYS_splice, 0, 0, fd, 0, 1, 0));
            refused("io_uring_setup", libc::syscall(libc::SYS_io_uring_setup, 1, 0));
            refused("socket", libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0).into());
            refused("packet socket", libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0).into());
            refused("connect", libc::connect(fd, std::ptr::null(), 0).into());
            refused("bind", libc::bind(fd, std::ptr::null(), 0).into());
            refused("dup2", libc::dup2(fd, 1).into());
            refused("dup3", libc::dup3(fd, 1, 0).into());
            refused("dup", libc::dup(fd).into());
            refused("fcntl", libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0).into());
            refused("ptrace", libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0));
            if cfg!(target_arch = "x86_64") {
                refused("write, x32", libc::syscall(0x4000_0001, fd, frame.as_ptr(), frame.len()));
            }
        }
        assert!(Command::new("true").status().is_err(), "no program is started");
        // A thread started afterwards is bound too.
        let child = std::thread::spawn(move || sender.try_send(&numbered(3, 60)).err());
        assert_eq!(child.join().unwrap().and_then(|e| e.raw_os_error()), Some(libc::EPERM));

        go.send(()).unwrap();
        free.join().unwrap();
        // The last one may come in a later block than the two before it.
        let (mut frames, until) = (Vec::new(), Instant::now() + Duration::from_secs(20));
        while frames.len() < 3 && Instant::now() < until {
            if let Next::Frame(frame) = source.next().unwrap() {
                frames.push(frame.bytes.to_vec());
            }
        }
        assert_eq!(frames, [numbered(1, 60), numbered(1, 60), numbered(2, 60)], "receiving goes on");
    });
}

#[test]
fn standard_output_and_error_stay_usable() {
    let thread = std::thread::spawn(|| {
        forbid_sending().unwrap();
        let write = |fd| {
            // SAFETY: nothing is written.
            outcome(unsafe { libc::write(fd, c"".as_ptr().cast(), 0) as libc::c_long })
        };
        (write(1), write(2), write(0))
    });
    assert_eq!(thread.join().unwrap(), (None, None, Some(libc::EPERM)));
}
