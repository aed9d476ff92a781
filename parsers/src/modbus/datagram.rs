//! UDP: every datagram holds one ADU or several, whole. What a datagram lacks will never come.

use crate::contract::*;

use super::foreign;
use super::judge::{self, Agreement};
use super::mbap::{Header, JUDGED};
use super::pdu::Role;
use super::rtu::{self, Frame};
use super::session::{Adu, Kind, ModbusSession};
use super::site::Site;
use super::stream::bad_header;

impl ModbusSession {
    pub(super) fn datagram(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) {
        let mut at = 0;
        while at < chunk.bytes.len() {
            let rest = chunk.bytes.get(at..).unwrap_or_default();
            let roles = self.roles(flow, chunk.direction);
            let Some((length, kind)) = next(rest, roles) else {
                self.not_modbus(flow, chunk, at, observer);
                return;
            };
            self.speaks = Some(kind);
            let missing = length.saturating_sub(rest.len());
            let end = at + length.min(rest.len());
            let adu = Adu { span: at..end, kind, recovered: missing > 0, missing };
            self.adu(flow, chunk, &adu, observer);
            at = end;
        }
    }

    /// The rest of a datagram is no ADU.
    fn not_modbus(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, observer: &mut dyn Observer) {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let origin = chunk.origin(at..chunk.bytes.len());
        let site = Site { skipped: rest.len() as u64, ..Site::new(flow, chunk.direction, origin, rest) };
        let head = rest.get(..foreign::LOOKED_AT).unwrap_or(rest);
        let speaks = foreign::recognise(head);
        let header = Header::at(rest);
        let behind_an_adu = at > 0;
        match header {
            _ if rest.len() < JUDGED && (behind_an_adu || speaks.is_none()) => site.report(
                observer,
                (DefectKind::Malformed, "MB-C03"),
                0,
                format_args!("a whole ADU, at least {JUDGED} octets"),
                format_args!("{} octets", rest.len()),
            ),
            Some(header) if speaks.is_none() && (behind_an_adu || header.protocol == 0) => {
                bad_header(&site, header, observer);
            }
            _ => {
                let side = &mut self.sides[chunk.direction.index()];
                side.count_skipped(rest.len(), origin);
                let site = Site { skipped: 0, octets: head, ..site };
                side.tell_foreign(&site, speaks.unwrap_or("octets that are no Modbus"), observer);
            }
        }
    }
}

/// The ADU at the start of some octets that are all there is: its length, which may be more than them.
fn next(octets: &[u8], roles: &[Role]) -> Option<(usize, Kind)> {
    let header = Header::at(octets).filter(|_| octets.len() >= JUDGED);
    if let Some(header) = header
        && header.length >= 2
    {
        let agrees = judge::agrees(octets, header, roles) == Agreement::Full;
        let whole = header.adu() <= octets.len();
        if agrees && whole || header.protocol == 0 && rtu_frame(octets, roles).is_none() {
            return Some((header.adu(), Kind::Mbap));
        }
    }
    rtu_frame(octets, roles).map(|length| (length, Kind::Rtu))
}

fn rtu_frame(octets: &[u8], roles: &[Role]) -> Option<usize> {
    match rtu::frame(octets, roles) {
        Frame::Whole(length) => Some(length),
        // A function without a layout: the datagram is the frame.
        _ if (rtu::SHORTEST..=rtu::LONGEST).contains(&octets.len()) && super::crc::closes(octets) => {
            Some(octets.len())
        }
        _ => None,
    }
}
