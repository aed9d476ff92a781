//! All type identifications: name, what their elements hold, what they do (IEC 60870-5-101, 7.2.1 and 7.3;
//! IEC 60870-5-104, clause 6).

use super::apci::function::STOPDT_ACT;
use crate::contract::{Action, Function, FunctionRow};

/// What the element of an object holds, in wire order; the time stands behind it.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Form {
    /// SIQ: state and quality in one octet.
    Single,
    /// DIQ.
    Double,
    /// VTI, QDS.
    Step,
    /// BSI, QDS.
    Bits,
    /// NVA, QDS.
    Normalised,
    /// NVA without quality.
    NormalisedBare,
    /// SVA, QDS.
    Scaled,
    /// IEEE 754, QDS.
    Float,
    /// BCR.
    Counter,
    /// SEP, CP16.
    ProtectionEvent,
    /// SPE, QDP, CP16.
    ProtectionStart,
    /// OCI, QDP, CP16.
    ProtectionOutput,
    /// SCD, QDS.
    PackedSingle,
    /// AID, BCR (IEC 62351-5 security statistics).
    Statistics,
    /// SCO.
    SingleCommand,
    /// DCO.
    DoubleCommand,
    /// RCO.
    StepCommand,
    /// NVA, QOS.
    SetNormalised,
    /// SVA, QOS.
    SetScaled,
    /// IEEE 754, QOS.
    SetFloat,
    /// BSI alone.
    SetBits,
    /// One octet that says what is meant: COI, QOI, QCC, QRP, QPA.
    Qualifier,
    /// The address alone.
    Nothing,
    /// CP56, and nothing before it.
    Clock,
    /// FBP, the fixed test pattern.
    TestPattern,
    /// CP16.
    Delay,
    /// TSC.
    TestCounter,
    /// NVA, QPM.
    ParameterNormalised,
    /// SVA, QPM.
    ParameterScaled,
    /// IEEE 754, QPM.
    ParameterFloat,
    /// NOF, LOF, FRQ.
    FileReady,
    /// NOF, NOS, LOF, SRQ.
    SectionReady,
    /// NOF, NOS, SCQ.
    CallFile,
    /// NOF, NOS, LSQ, CHS.
    LastSection,
    /// NOF, NOS, AFQ.
    AckFile,
    /// NOF, NOS, LOS, data.
    Segment,
    /// NOF, LOF, SOF, CP56.
    Directory,
    /// NOF, CP56, CP56.
    QueryLog,
    /// Not taken apart here: authentication, private.
    Opaque,
}

/// The time behind an element.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Tag {
    None,
    /// CP24.
    Short,
    /// CP56.
    Long,
}

/// Octets of an element.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Size {
    Of(usize),
    /// As long as its own length octet says.
    Segment,
    Unknown,
}

/// Octets of a segment before its data: NOF, NOS, LOS.
pub(super) const SEGMENT_HEAD: usize = 4;

/// A type.
#[derive(Debug, Copy, Clone)]
pub(super) struct Type {
    pub id: u8,
    pub name: &'static str,
    pub form: Form,
    pub tag: Tag,
}

const fn row(id: u8, name: &'static str, form: Form, tag: Tag) -> Type {
    Type { id, name, form, tag }
}

use Form::{
    AckFile, Bits, CallFile, Clock, Counter, Delay, Directory, Double, DoubleCommand, FileReady, Float,
    LastSection, Normalised, NormalisedBare, Nothing, Opaque, PackedSingle, ParameterFloat,
    ParameterNormalised, ParameterScaled, ProtectionEvent, ProtectionOutput, ProtectionStart, Qualifier,
    QueryLog, Scaled, SectionReady, Segment, SetBits, SetFloat, SetNormalised, SetScaled, Single,
    SingleCommand, Statistics, Step, StepCommand, TestCounter, TestPattern,
};
use Tag::{Long, None as Untimed, Short};

#[rustfmt::skip]
const TYPES: [Type; 81] = [
    row(1, "m_sp_na_1", Single, Untimed),
    row(2, "m_sp_ta_1", Single, Short),
    row(3, "m_dp_na_1", Double, Untimed),
    row(4, "m_dp_ta_1", Double, Short),
    row(5, "m_st_na_1", Step, Untimed),
    row(6, "m_st_ta_1", Step, Short),
    row(7, "m_bo_na_1", Bits, Untimed),
    row(8, "m_bo_ta_1", Bits, Short),
    row(9, "m_me_na_1", Normalised, Untimed),
    row(10, "m_me_ta_1", Normalised, Short),
    row(11, "m_me_nb_1", Scaled, Untimed),
    row(12, "m_me_tb_1", Scaled, Short),
    row(13, "m_me_nc_1", Float, Untimed),
    row(14, "m_me_tc_1", Float, Short),
    row(15, "m_it_na_1", Counter, Untimed),
    row(16, "m_it_ta_1", Counter, Short),
    row(17, "m_ep_ta_1", ProtectionEvent, Short),
    row(18, "m_ep_tb_1", ProtectionStart, Short),
    row(19, "m_ep_tc_1", ProtectionOutput, Short),
    row(20, "m_ps_na_1", PackedSingle, Untimed),
    row(21, "m_me_nd_1", NormalisedBare, Untimed),
    row(30, "m_sp_tb_1", Single, Long),
    row(31, "m_dp_tb_1", Double, Long),
    row(32, "m_st_tb_1", Step, Long),
    row(33, "m_bo_tb_1", Bits, Long),
    row(34, "m_me_td_1", Normalised, Long),
    row(35, "m_me_te_1", Scaled, Long),
    row(36, "m_me_tf_1", Float, Long),
    row(37, "m_it_tb_1", Counter, Long),
    row(38, "m_ep_td_1", ProtectionEvent, Long),
    row(39, "m_ep_te_1", ProtectionStart, Long),
    row(40, "m_ep_tf_1", ProtectionOutput, Long),
    row(41, "s_it_tc_1", Statistics, Long),
    row(45, "c_sc_na_1", SingleCommand, Untimed),
    row(46, "c_dc_na_1", DoubleCommand, Untimed),
    row(47, "c_rc_na_1", StepCommand, Untimed),
    row(48, "c_se_na_1", SetNormalised, Untimed),
    row(49, "c_se_nb_1", SetScaled, Untimed),
    row(50, "c_se_nc_1", SetFloat, Untimed),
    row(51, "c_bo_na_1", SetBits, Untimed),
    row(58, "c_sc_ta_1", SingleCommand, Long),
    row(59, "c_dc_ta_1", DoubleCommand, Long),
    row(60, "c_rc_ta_1", StepCommand, Long),
    row(61, "c_se_ta_1", SetNormalised, Long),
    row(62, "c_se_tb_1", SetScaled, Long),
    row(63, "c_se_tc_1", SetFloat, Long),
    row(64, "c_bo_ta_1", SetBits, Long),
    row(70, "m_ei_na_1", Qualifier, Untimed),
    row(81, "s_ch_na_1", Opaque, Untimed),
    row(82, "s_rp_na_1", Opaque, Untimed),
    row(83, "s_ar_na_1", Opaque, Untimed),
    row(84, "s_kr_na_1", Opaque, Untimed),
    row(85, "s_ks_na_1", Opaque, Untimed),
    row(86, "s_kc_na_1", Opaque, Untimed),
    row(87, "s_er_na_1", Opaque, Untimed),
    row(90, "s_us_na_1", Opaque, Untimed),
    row(91, "s_uq_na_1", Opaque, Untimed),
    row(92, "s_ur_na_1", Opaque, Untimed),
    row(93, "s_uk_na_1", Opaque, Untimed),
    row(94, "s_ua_na_1", Opaque, Untimed),
    row(95, "s_uc_na_1", Opaque, Untimed),
    row(100, "c_ic_na_1", Qualifier, Untimed),
    row(101, "c_ci_na_1", Qualifier, Untimed),
    row(102, "c_rd_na_1", Nothing, Untimed),
    row(103, "c_cs_na_1", Clock, Long),
    row(104, "c_ts_na_1", TestPattern, Untimed),
    row(105, "c_rp_na_1", Qualifier, Untimed),
    row(106, "c_cd_na_1", Delay, Untimed),
    row(107, "c_ts_ta_1", TestCounter, Long),
    row(110, "p_me_na_1", ParameterNormalised, Untimed),
    row(111, "p_me_nb_1", ParameterScaled, Untimed),
    row(112, "p_me_nc_1", ParameterFloat, Untimed),
    row(113, "p_ac_na_1", Qualifier, Untimed),
    row(120, "f_fr_na_1", FileReady, Untimed),
    row(121, "f_sr_na_1", SectionReady, Untimed),
    row(122, "f_sc_na_1", CallFile, Untimed),
    row(123, "f_ls_na_1", LastSection, Untimed),
    row(124, "f_af_na_1", AckFile, Untimed),
    row(125, "f_sg_na_1", Segment, Untimed),
    row(126, "f_dr_ta_1", Directory, Long),
    row(127, "f_sc_nb_1", QueryLog, Long),
];

/// Where a type stands in [`TYPES`], by its number; 255: nowhere.
const PLACES: [u8; 256] = places();

const fn places() -> [u8; 256] {
    let mut places = [255; 256];
    let mut n = 0;
    while n < TYPES.len() {
        places[TYPES[n].id as usize] = n as u8;
        n += 1;
    }
    places
}

/// The type with this number; `None` for those that are reserved or private.
pub(super) fn of(id: u8) -> Option<&'static Type> {
    TYPES.get(usize::from(PLACES[usize::from(id)]))
}

/// Whether a number is left to manufacturers (128 to 135 are for routing).
pub(super) fn is_private(id: u8) -> bool {
    id >= 128
}

const fn octets(form: Form, tag: Tag) -> usize {
    let element = match form {
        Nothing | Clock | Opaque | Segment | QueryLog => 0,
        Single | Double | SingleCommand | DoubleCommand | StepCommand | Qualifier => 1,
        Step | NormalisedBare | TestPattern | Delay | TestCounter => 2,
        Normalised | Scaled | ProtectionEvent | SetNormalised | SetScaled => 3,
        ParameterNormalised | ParameterScaled => 3,
        ProtectionStart | ProtectionOutput | SetBits | CallFile | AckFile => 4,
        Bits | Float | Counter | PackedSingle | SetFloat | ParameterFloat | LastSection => 5,
        FileReady | Directory => 6,
        Statistics | SectionReady => 7,
    };
    let before = if matches!(form, QueryLog) { 9 } else { element };
    before
        + match tag {
            Untimed => 0,
            Short => 3,
            Long => 7,
        }
}

/// By the number of the type: the octets of its elements.
static SIZES: [Size; 256] = sizes();

const fn sizes() -> [Size; 256] {
    let mut sizes = [Size::Unknown; 256];
    let mut n = 0;
    while n < TYPES.len() {
        let Type { id, form, tag, .. } = TYPES[n];
        sizes[id as usize] = match form {
            Opaque => Size::Unknown,
            Segment => Size::Segment,
            form => Size::Of(octets(form, tag)),
        };
        n += 1;
    }
    sizes
}

/// Octets of an element of this type.
pub(super) fn size(id: u8) -> Size {
    SIZES[usize::from(id)]
}

impl Form {
    /// Whether it commands, with a select bit or without.
    pub(super) fn commands(self) -> bool {
        matches!(
            self,
            SingleCommand | DoubleCommand | StepCommand | SetNormalised | SetScaled | SetFloat | SetBits
        )
    }
}

/// Which way a type travels, whatever its cause.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Way {
    /// To the controlling station only.
    Monitor,
    /// To the controlled station, and mirrored back.
    Control,
    /// Both: files, authentication, private types.
    Both,
}

pub(super) fn way(id: u8) -> Way {
    match id {
        1..=41 | 70 => Way::Monitor,
        45..=64 | 100..=113 => Way::Control,
        _ => Way::Both,
    }
}

/// The types and what their qualifiers make of them, by the names that rules use.
pub(super) const FUNCTIONS: &[FunctionRow] = &FUNCTION_ROWS;

const NAMED: usize = TYPES.len();
const FUNCTION_ROWS: [FunctionRow; NAMED + 5] = rows();

const fn rows() -> [FunctionRow; NAMED + 5] {
    let mut rows = [(0, None, ""); NAMED + 5];
    let mut n = 0;
    while n < NAMED {
        rows[n] = (TYPES[n].id, None, TYPES[n].name);
        n += 1;
    }
    rows[n] = (100, Some(20), "station_interrogation");
    rows[n + 1] = (105, Some(1), "reset_process");
    rows[n + 2] = (105, Some(2), "reset_pending_events");
    rows[n + 3] = (122, Some(4), "delete_file");
    // No type has the number 0: it stands for U frames.
    rows[n + 4] = (0, Some(STOPDT_ACT as u16), "stopdt_act");
    rows
}

/// A function: the type, and the qualifier where one says what is meant.
pub(super) fn function(id: u8, sub: Option<u16>) -> Function {
    let name = match (id, sub) {
        (100, Some(20)) => "station_interrogation",
        (105, Some(1)) => "reset_process",
        (105, Some(2)) => "reset_pending_events",
        (122, Some(4)) => "delete_file",
        (0, Some(bits)) if bits == u16::from(STOPDT_ACT) => "stopdt_act",
        _ => of(id).map_or("unknown", |t| t.name),
    };
    Function { code: id, sub, name }
}

/// What a type does when it is sent in control direction. A select bit or a deactivation makes it another.
pub(super) fn action(id: u8, sub: Option<u16>) -> Action {
    /// Freeze bits of QCC.
    const FREEZE: u16 = 0xC0;
    match id {
        0 if sub.is_some() => Action::Configure,
        1..=41 | 70 => Action::Report,
        45..=51 | 58..=64 => Action::DirectOperate,
        101 if sub.is_some_and(|sub| sub & FREEZE != 0) => Action::Freeze,
        100..=102 => Action::Read,
        103 | 106 => Action::Time,
        104 | 107 => Action::Diagnose,
        105 => Action::Restart,
        110..=112 => Action::Write,
        113 => Action::Configure,
        120..=127 => Action::File,
        81..=87 | 90..=95 => Action::Authenticate,
        _ => Action::Unknown,
    }
}

/// Whether its elements are measured values: normalised, scaled, short floating point, with a time or without.
pub(super) fn measures(id: u8) -> bool {
    of(id).is_some_and(|row| {
        matches!(row.form, Form::Normalised | Form::NormalisedBare | Form::Scaled | Form::Float)
    })
}

/// Whether an ordinary master uses a type.
pub(super) fn is_everyday(id: u8) -> bool {
    matches!(id, 45..=51 | 58..=64 | 100..=103 | 107)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets of the elements by the fact sheet of the standard's clause 7.3, written down once more.
    const SIZES: &[(u8, usize)] = &[
        (1, 1),
        (2, 4),
        (3, 1),
        (4, 4),
        (5, 2),
        (6, 5),
        (7, 5),
        (8, 8),
        (9, 3),
        (10, 6),
        (11, 3),
        (12, 6),
        (13, 5),
        (14, 8),
        (15, 5),
        (16, 8),
        (17, 6),
        (18, 7),
        (19, 7),
        (20, 5),
        (21, 2),
        (30, 8),
        (31, 8),
        (32, 9),
        (33, 12),
        (34, 10),
        (35, 10),
        (36, 12),
        (37, 12),
        (38, 10),
        (39, 11),
        (40, 11),
        (41, 14),
        (45, 1),
        (46, 1),
        (47, 1),
        (48, 3),
        (49, 3),
        (50, 5),
        (51, 4),
        (58, 8),
        (59, 8),
        (60, 8),
        (61, 10),
        (62, 10),
        (63, 12),
        (64, 11),
        (70, 1),
        (100, 1),
        (101, 1),
        (102, 0),
        (103, 7),
        (104, 2),
        (105, 1),
        (106, 2),
        (107, 9),
        (110, 3),
        (111, 3),
        (112, 5),
        (113, 1),
        (120, 6),
        (121, 7),
        (122, 4),
        (123, 5),
        (124, 4),
        (126, 13),
        (127, 16),
    ];

    #[test]
    fn elements_have_the_sizes_of_the_standard() {
        for id in 0..=255 {
            let known = SIZES.iter().find(|(i, _)| *i == id).map(|(_, size)| Size::Of(*size));
            let other = if id == 125 { Size::Segment } else { Size::Unknown };
            assert_eq!(size(id), known.unwrap_or(other), "type {id}");
        }
    }

    #[test]
    fn measured_values_are_ten_types() {
        let measured: Vec<u8> = (0..=255).filter(|id| measures(*id)).collect();
        assert_eq!(measured, [9, 10, 11, 12, 13, 14, 21, 34, 35, 36]);
    }

    #[test]
    fn every_type_stands_at_its_number() {
        for id in 0..=255 {
            assert!(of(id).is_none_or(|t| t.id == id), "{id}");
        }
        assert_eq!(of(45).map(|t| t.name), Some("c_sc_na_1"));
        assert_eq!(function(200, None).name, "unknown");
    }
}
