//! Whole Ethernet frames on an interface that the user names (packet(7)). Needs root.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A socket that sends frames on one interface.
#[derive(Debug)]
pub struct RawSocket {
    socket: OwnedFd,
    /// Frames sent.
    pub sent: u64,
    /// Frames that the interface did not take.
    pub refused: u64,
}

impl RawSocket {
    /// A socket that is bound to the interface. It receives frames of this Ethertype, none if that is 0.
    ///
    /// # Errors
    /// No such interface, or no right to open such sockets.
    pub fn open(interface: &str, ethertype: u16) -> io::Result<RawSocket> {
        let wrong = |error: io::Error| io::Error::new(error.kind(), format!("{interface}: {error}"));
        let name = CString::new(interface).map_err(|_| wrong(io::ErrorKind::InvalidInput.into()))?;
        // SAFETY: `name` ends with a zero octet and lives during the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(wrong(io::Error::last_os_error()));
        }
        let protocol = ethertype.to_be();
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, i32::from(protocol)) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            let remedy =
                if error.kind() == io::ErrorKind::PermissionDenied { " (frames need root)" } else { "" };
            return Err(io::Error::new(error.kind(), format!("{interface}: {error}{remedy}")));
        }
        // SAFETY: the descriptor was just made and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zero is a value of this plain structure.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = index as i32;
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `address` is of `size` octets and lives during the call.
        if unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) } != 0 {
            return Err(wrong(io::Error::last_os_error()));
        }
        // What waits while others are served.
        let room: libc::c_int = 4 << 20;
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        let value = (&raw const room).cast();
        // SAFETY: `value` points at a number of `size` octets that outlives the call. The default does, too.
        _ = unsafe {
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, value, size)
        };
        Ok(RawSocket { socket, sent: 0, refused: 0 })
    }

    /// Send one frame.
    pub fn send(&mut self, frame: &[u8]) {
        // SAFETY: the pointer and the length are those of `frame`.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if sent == frame.len() as isize {
            self.sent += 1;
        } else {
            self.refused += 1;
        }
    }

    /// A frame that has come, if there is one; cut at the length of `buffer`.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        // SAFETY: the pointer and the length are those of `buffer`.
        let got = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        usize::try_from(got).ok().map(|length| &buffer[..length])
    }
}
