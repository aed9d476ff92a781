//! Where on the wire something was found: the part that all defects of a PDU share.

use core::fmt::Arguments;

use crate::contract::{
    Defect, DefectKind, Direction, FlowInfo, Function, Observer, Origin, Protocol, StationAddress,
};

/// The place of a PDU, or of octets that are none.
#[derive(Copy, Clone)]
pub(crate) struct Site<'a> {
    pub(crate) flow: &'a FlowInfo,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) unit: Option<u8>,
    pub(crate) from_master: Option<bool>,
    pub(crate) function: Option<Function>,
    pub(crate) octets: &'a [u8],
    pub(crate) skipped: u64,
}

impl<'a> Site<'a> {
    /// A place of which nothing is known but the octets.
    pub(crate) fn new(
        flow: &'a FlowInfo,
        direction: Direction,
        origin: Origin,
        octets: &'a [u8],
    ) -> Site<'a> {
        Site { flow, direction, origin, unit: None, from_master: None, function: None, octets, skipped: 0 }
    }

    /// Report trouble here, `offset` octets in.
    pub(crate) fn report(
        &self,
        observer: &mut dyn Observer,
        (kind, check): (DefectKind, &'static str),
        offset: usize,
        expected: Arguments<'_>,
        observed: Arguments<'_>,
    ) {
        observer.defect(&Defect {
            flow: self.flow,
            direction: self.direction,
            origin: self.origin,
            protocol: Protocol::Modbus,
            kind,
            check,
            station: self.unit.map_or(StationAddress::None, StationAddress::Unit),
            from_master: self.from_master,
            function: self.function,
            expected,
            observed,
            octets: self.octets,
            skipped: self.skipped,
            offset,
        });
    }
}
