//! A packet socket for one interface, and the kernel's answers put in words.

use std::ffi::{CStr, CString};
use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, c_void, sock_filter, socklen_t};

use crate::capture::LinkType;

/// Octets the ring leaves free in front of each frame, so that a VLAN tag can be put back. A multiple of
/// the ring's alignment.
pub(super) const RESERVE: c_int = 16;

/// ARPHRD_RAWIP, ARPHRD_TUNNEL, ARPHRD_TUNNEL6, ARPHRD_SIT of linux/if_arp.h.
const RAW_IP_HARDWARE: [u16; 4] = [519, 768, 769, 776];

/// A packet socket that receives nothing yet.
pub(super) fn open() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    if fd < 0 {
        let error = io::Error::last_os_error();
        if matches!(error.kind(), ErrorKind::PermissionDenied) {
            let message = "capturing needs the capability CAP_NET_RAW: run as root, or once: \
                           setcap cap_net_raw+ep <path of gridtap>";
            return Err(io::Error::new(ErrorKind::PermissionDenied, message));
        }
        return Err(error);
    }
    // SAFETY: the descriptor is open and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets a socket option.
pub(super) fn set<T>(fd: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = mem::size_of::<T>() as socklen_t;
    let value: *const c_void = std::ptr::from_ref(value).cast();
    // SAFETY: `value` points to `length` octets that outlive the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, length) })
}

/// Reads a socket option of plain integers.
fn get<T: Copy>(fd: &OwnedFd, level: c_int, name: c_int, mut value: T) -> io::Result<T> {
    let mut length = mem::size_of::<T>() as socklen_t;
    let target: *mut c_void = std::ptr::from_mut(&mut value).cast();
    // SAFETY: `target` has room for `length` octets; callers pass types for which any octets are valid.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, target, &raw mut length) })?;
    Ok(value)
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Index of an interface; an error names those that exist.
pub(super) fn interface_index(name: &str) -> io::Result<c_int> {
    let unknown = || {
        let message = format!("no interface {name}; there are: {}", interface_names().join(", "));
        io::Error::new(ErrorKind::NotFound, message)
    };
    let text = CString::new(name).map_err(|_| unknown())?;
    // SAFETY: `text` is a string that ends in 0 and outlives the call.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(unknown()),
        index => c_int::try_from(index).map_err(|_| unknown()),
    }
}

fn interface_names() -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: the list ends with index 0; its names are strings; it is freed once, after the last use.
    unsafe {
        let list = libc::if_nameindex();
        let mut entry = list;
        while !entry.is_null() && (*entry).if_index != 0 {
            names.push(CStr::from_ptr((*entry).if_name).to_string_lossy().into_owned());
            entry = entry.add(1);
        }
        if !list.is_null() {
            libc::if_freenameindex(list);
        }
    }
    names
}

/// How frames of the interface begin, and whether it is the loopback.
pub(super) fn hardware(fd: &OwnedFd, name: &str) -> io::Result<(LinkType, bool)> {
    // SAFETY: all-zero octets are a valid ifreq.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = from.cast_signed() as libc::c_char;
    }
    // SAFETY: the kernel reads the name and writes the address into `request`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::SIOCGIFHWADDR as _, &raw mut request) })?;
    // SAFETY: the call succeeded, so the address is the union's valid member.
    let hardware = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
    match hardware {
        libc::ARPHRD_ETHER => Ok((LinkType::Ethernet, false)),
        libc::ARPHRD_LOOPBACK => Ok((LinkType::Ethernet, true)),
        libc::ARPHRD_NONE => Ok((LinkType::RawIp, false)),
        raw if RAW_IP_HARDWARE.contains(&raw) => Ok((LinkType::RawIp, false)),
        other => {
            let message = format!(
                "hardware type {other} cannot be read; gridtap watches Ethernet, loopback and raw IP interfaces"
            );
            Err(io::Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// Whether the interface with this index still exists.
pub(super) fn exists(fd: &OwnedFd, index: c_int) -> bool {
    // SAFETY: all-zero octets are a valid ifreq.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    request.ifr_ifru.ifru_ifindex = index;
    // SAFETY: the kernel reads the index and writes the name into `request`.
    unsafe { libc::ioctl(fd.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request) == 0 }
}

/// Puts a program in front of the socket.
pub(super) fn attach_filter(fd: &OwnedFd, program: &mut [sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Starts receiving what the interface sees, of every protocol.
pub(super) fn bind(fd: &OwnedFd, index: c_int) -> io::Result<()> {
    // SAFETY: all-zero octets are a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    let length = mem::size_of_val(&address) as socklen_t;
    // SAFETY: `address` is a sockaddr_ll of that length.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) })
}

/// Asks the interface for frames addressed to others, as long as the socket is open.
pub(super) fn promiscuous(fd: &OwnedFd, index: c_int) -> io::Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Frames seen and dropped since the last call: the kernel counts anew after each. Frames seen include
/// those dropped.
pub(super) fn statistics(fd: &OwnedFd) -> io::Result<libc::tpacket_stats_v3> {
    let zero = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    get(fd, libc::SOL_PACKET, libc::PACKET_STATISTICS, zero)
}

/// The error pending on the socket; asking clears it.
pub(super) fn pending_error(fd: &OwnedFd) -> Option<io::Error> {
    match get(fd, libc::SOL_SOCKET, libc::SO_ERROR, 0 as c_int) {
        Ok(0) => None,
        Ok(code) => Some(io::Error::from_raw_os_error(code)),
        Err(error) => Some(error),
    }
}
