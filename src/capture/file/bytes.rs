//! Integers of a capture file, in the byte order of the machine that wrote it.

/// Byte order of a file or section.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    pub(super) fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(octets),
            ByteOrder::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline]
    pub(super) fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(octets),
            ByteOrder::Big => u32::from_be_bytes(octets),
        }
    }

    #[inline]
    pub(super) fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            ByteOrder::Little => u64::from_le_bytes(octets),
            ByteOrder::Big => u64::from_be_bytes(octets),
        }
    }
}

#[inline]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// The integer at `at`; 0 past the end (callers check lengths first).
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize, order: ByteOrder) -> u16 {
    order.u16(chunk(bytes, at))
}

/// See [`u16_at`].
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize, order: ByteOrder) -> u32 {
    order.u32(chunk(bytes, at))
}

/// See [`u16_at`].
#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize, order: ByteOrder) -> u64 {
    order.u64(chunk(bytes, at))
}
