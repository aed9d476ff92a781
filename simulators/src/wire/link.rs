//! Link types of capture files (the numbers of `tcpdump.org/linktypes`).

/// BSD loopback, address family in the capturing host's byte order.
pub const LINKTYPE_NULL: u32 = 0;
/// Ethernet.
pub const LINKTYPE_ETHERNET: u32 = 1;
/// Bare IPv4 or IPv6.
pub const LINKTYPE_RAW: u32 = 101;
/// BSD loopback, address family in network order.
pub const LINKTYPE_LOOP: u32 = 108;
/// Linux cooked capture v1.
pub const LINKTYPE_SLL: u32 = 113;
/// Linux cooked capture v2.
pub const LINKTYPE_SLL2: u32 = 276;
