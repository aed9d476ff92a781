//! Puts back the VLAN tag that the kernel (or the network card) took off.
//!
//! ```text
//! before   .. reserve .. | dst mac 6 | src mac 6 | type 2 | ..
//! after    | dst mac 6 | src mac 6 | TPID 2 | TCI 2 | type 2 | ..
//!          ^ 4 octets earlier
//! ```
//!
//! The ring leaves room in front of each frame (`PACKET_RESERVE`), so only the two addresses are moved.

/// Length of a tag.
pub(super) const TAG: usize = 4;

const MACS: usize = 12;

/// The tag protocol when the kernel does not tell it (IEEE 802.1Q).
const DOT1Q: u16 = 0x8100;

/// The tag that was taken off, if the status says there was one: TPID and TCI.
pub(super) fn stripped_tag(status: u32, tci: u32, tpid: u16) -> Option<[u8; TAG]> {
    if status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let tpid = if status & libc::TP_STATUS_VLAN_TPID_VALID == 0 { DOT1Q } else { tpid };
    let [a, b] = tpid.to_be_bytes();
    // The TCI is 16 bits, kept in a wider field.
    let [.., c, d] = tci.to_be_bytes();
    Some([a, b, c, d])
}

/// Puts `tag` into a frame that begins [`TAG`] octets into `area`; the whole of `area` is the frame then.
/// `false`, and nothing changed, if the frame is too short to have had a tag.
pub(super) fn put_back(area: &mut [u8], tag: [u8; TAG]) -> bool {
    if area.len() < TAG + MACS {
        return false;
    }
    area.copy_within(TAG..TAG + MACS, 0);
    area[MACS..MACS + TAG].copy_from_slice(&tag);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stripped_tag_is_put_back_between_addresses_and_type() {
        #[rustfmt::skip]
        let mut area = [
            0xee, 0xee, 0xee, 0xee,             // reserve
            1, 2, 3, 4, 5, 6,                   // destination
            7, 8, 9, 10, 11, 12,                // source
            0x88, 0xb8, 0xaa,                   // GOOSE
        ];
        let status = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        let tag = stripped_tag(status, 0x8005, 0x88a8).unwrap_or_default();
        assert!(put_back(&mut area, tag));
        #[rustfmt::skip]
        assert_eq!(area, [
            1, 2, 3, 4, 5, 6,
            7, 8, 9, 10, 11, 12,
            0x88, 0xa8, 0x80, 0x05,             // service tag, priority 4, VLAN 5
            0x88, 0xb8, 0xaa,
        ]);
    }

    #[test]
    fn a_frame_without_a_stripped_tag_or_too_short_for_one_is_left_alone() {
        assert_eq!(stripped_tag(0, 0x8005, 0x88a8), None);
        assert_eq!(stripped_tag(libc::TP_STATUS_VLAN_VALID, 5, 0), Some([0x81, 0, 0, 5]));
        assert_eq!(
            stripped_tag(libc::TP_STATUS_VLAN_VALID, 0, 0),
            Some([0x81, 0, 0, 0]),
            "a priority tag with priority 0 is a tag"
        );
        let mut area = [0_u8; TAG + MACS - 1];
        assert!(!put_back(&mut area, [1; 4]));
        assert_eq!(area, [0; TAG + MACS - 1]);
    }
}
