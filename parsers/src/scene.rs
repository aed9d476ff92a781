//! Whom and what a defect is about: filled in as the layers are unwrapped.

use core::fmt::Arguments;

use crate::contract::*;

/// The surroundings of a defect.
#[derive(Copy, Clone)]
pub(crate) struct Scene<'a> {
    pub protocol: Protocol,
    pub flow: &'a FlowInfo,
    pub direction: Direction,
    pub origin: Origin,
    pub station: StationAddress,
    pub from_master: Option<bool>,
    pub function: Option<Function>,
    pub octets: &'a [u8],
    pub offset: usize,
    pub skipped: u64,
}

impl<'a> Scene<'a> {
    /// A scene of which nothing but place and time is known.
    pub(crate) fn new(
        protocol: Protocol,
        flow: &'a FlowInfo,
        direction: Direction,
        origin: Origin,
        octets: &'a [u8],
    ) -> Scene<'a> {
        Scene {
            protocol,
            flow,
            direction,
            origin,
            station: StationAddress::None,
            from_master: None,
            function: None,
            octets,
            offset: 0,
            skipped: 0,
        }
    }

    /// The same with the place of the trouble.
    pub(crate) fn at(self, offset: usize) -> Scene<'a> {
        Scene { offset, ..self }
    }

    /// Tell the observer.
    pub(crate) fn report(
        &self,
        observer: &mut dyn Observer,
        (kind, check): (DefectKind, &'static str),
        expected: Arguments<'_>,
        observed: Arguments<'_>,
    ) {
        observer.defect(&Defect {
            flow: self.flow,
            direction: self.direction,
            origin: self.origin,
            protocol: self.protocol,
            kind,
            check,
            station: self.station,
            from_master: self.from_master,
            function: self.function,
            expected,
            observed,
            octets: self.octets,
            skipped: self.skipped,
            offset: self.offset,
        });
    }
}
