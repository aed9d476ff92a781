//! Type identifications (IEC 60870-5-101, clause 7.3; IEC 60870-5-104, clause 6) and what stands in an
//! object of each.

use super::elements::{Element, Time};

/// Kinds of elements; the layout of an object is a list of them.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
#[allow(missing_docs, reason = "the abbreviations of the standard, explained at `Element`")]
pub enum Kind {
    Siq,
    Diq,
    Vti,
    Bsi,
    Nva,
    Sva,
    R32,
    Bcr,
    Sep,
    Spe,
    Oci,
    Scd,
    Qds,
    Qdp,
    Sco,
    Dco,
    Rco,
    Qos,
    Qpm,
    Qpa,
    Coi,
    Qoi,
    Qcc,
    Qrp,
    Fbp,
    Tsc,
    Cp16,
    Cp24,
    Cp56,
    Nof,
    Lof,
    File,
    Aid,
}

impl Kind {
    /// Octets it takes.
    pub fn size(self) -> usize {
        match self {
            Kind::Bsi | Kind::R32 | Kind::Scd => 4,
            Kind::Bcr => 5,
            Kind::Nva | Kind::Sva | Kind::Fbp | Kind::Tsc | Kind::Cp16 | Kind::Nof | Kind::Aid => 2,
            Kind::Cp24 | Kind::Lof => 3,
            Kind::Cp56 => 7,
            _ => 1,
        }
    }
}

/// A type: its id, its name, and what an object of it holds.
pub type TypeRow = (u8, &'static str, &'static [Kind]);

use Kind::{
    Aid, Bcr, Bsi, Coi, Cp16, Cp24, Cp56, Dco, Diq, Fbp, File, Lof, Nof, Nva, Oci, Qcc, Qdp, Qds, Qoi, Qos,
    Qpa, Qpm, Qrp, R32, Rco, Scd, Sco, Sep, Siq, Spe, Sva, Tsc, Vti,
};

/// Every type with a fixed layout.
#[rustfmt::skip]
pub const TYPES: &[TypeRow] = &[
    (1, "M_SP_NA_1", &[Siq]),
    (2, "M_SP_TA_1", &[Siq, Cp24]),
    (3, "M_DP_NA_1", &[Diq]),
    (4, "M_DP_TA_1", &[Diq, Cp24]),
    (5, "M_ST_NA_1", &[Vti, Qds]),
    (6, "M_ST_TA_1", &[Vti, Qds, Cp24]),
    (7, "M_BO_NA_1", &[Bsi, Qds]),
    (8, "M_BO_TA_1", &[Bsi, Qds, Cp24]),
    (9, "M_ME_NA_1", &[Nva, Qds]),
    (10, "M_ME_TA_1", &[Nva, Qds, Cp24]),
    (11, "M_ME_NB_1", &[Sva, Qds]),
    (12, "M_ME_TB_1", &[Sva, Qds, Cp24]),
    (13, "M_ME_NC_1", &[R32, Qds]),
    (14, "M_ME_TC_1", &[R32, Qds, Cp24]),
    (15, "M_IT_NA_1", &[Bcr]),
    (16, "M_IT_TA_1", &[Bcr, Cp24]),
    (17, "M_EP_TA_1", &[Sep, Cp16, Cp24]),
    (18, "M_EP_TB_1", &[Spe, Qdp, Cp16, Cp24]),
    (19, "M_EP_TC_1", &[Oci, Qdp, Cp16, Cp24]),
    (20, "M_PS_NA_1", &[Scd, Qds]),
    (21, "M_ME_ND_1", &[Nva]),
    (30, "M_SP_TB_1", &[Siq, Cp56]),
    (31, "M_DP_TB_1", &[Diq, Cp56]),
    (32, "M_ST_TB_1", &[Vti, Qds, Cp56]),
    (33, "M_BO_TB_1", &[Bsi, Qds, Cp56]),
    (34, "M_ME_TD_1", &[Nva, Qds, Cp56]),
    (35, "M_ME_TE_1", &[Sva, Qds, Cp56]),
    (36, "M_ME_TF_1", &[R32, Qds, Cp56]),
    (37, "M_IT_TB_1", &[Bcr, Cp56]),
    (38, "M_EP_TD_1", &[Sep, Cp16, Cp56]),
    (39, "M_EP_TE_1", &[Spe, Qdp, Cp16, Cp56]),
    (40, "M_EP_TF_1", &[Oci, Qdp, Cp16, Cp56]),
    (41, "S_IT_TC_1", &[Aid, Bcr, Cp56]),
    (45, "C_SC_NA_1", &[Sco]),
    (46, "C_DC_NA_1", &[Dco]),
    (47, "C_RC_NA_1", &[Rco]),
    (48, "C_SE_NA_1", &[Nva, Qos]),
    (49, "C_SE_NB_1", &[Sva, Qos]),
    (50, "C_SE_NC_1", &[R32, Qos]),
    (51, "C_BO_NA_1", &[Bsi]),
    (58, "C_SC_TA_1", &[Sco, Cp56]),
    (59, "C_DC_TA_1", &[Dco, Cp56]),
    (60, "C_RC_TA_1", &[Rco, Cp56]),
    (61, "C_SE_TA_1", &[Nva, Qos, Cp56]),
    (62, "C_SE_TB_1", &[Sva, Qos, Cp56]),
    (63, "C_SE_TC_1", &[R32, Qos, Cp56]),
    (64, "C_BO_TA_1", &[Bsi, Cp56]),
    (70, "M_EI_NA_1", &[Coi]),
    (100, "C_IC_NA_1", &[Qoi]),
    (101, "C_CI_NA_1", &[Qcc]),
    (102, "C_RD_NA_1", &[]),
    (103, "C_CS_NA_1", &[Cp56]),
    (104, "C_TS_NA_1", &[Fbp]),
    (105, "C_RP_NA_1", &[Qrp]),
    (106, "C_CD_NA_1", &[Cp16]),
    (107, "C_TS_TA_1", &[Tsc, Cp56]),
    (110, "P_ME_NA_1", &[Nva, Qpm]),
    (111, "P_ME_NB_1", &[Sva, Qpm]),
    (112, "P_ME_NC_1", &[R32, Qpm]),
    (113, "P_AC_NA_1", &[Qpa]),
    (120, "F_FR_NA_1", &[Nof, Lof, File]),
    (121, "F_SR_NA_1", &[Nof, File, Lof, File]),
    (122, "F_SC_NA_1", &[Nof, File, File]),
    (123, "F_LS_NA_1", &[Nof, File, File, File]),
    (124, "F_AF_NA_1", &[Nof, File, File]),
    (126, "F_DR_TA_1", &[Nof, Lof, File, Cp56]),
    (127, "F_SC_NB_1", &[Nof, Cp56, Cp56]),
];

/// Ids that code uses by name.
#[allow(missing_docs, reason = "the names of the standard")]
pub mod type_id {
    pub const M_SP_NA_1: u8 = 1;
    pub const M_DP_NA_1: u8 = 3;
    pub const M_ST_NA_1: u8 = 5;
    pub const M_ME_NC_1: u8 = 13;
    pub const M_IT_NA_1: u8 = 15;
    pub const M_SP_TB_1: u8 = 30;
    pub const M_DP_TB_1: u8 = 31;
    pub const M_ST_TB_1: u8 = 32;
    pub const M_ME_TF_1: u8 = 36;
    pub const M_IT_TB_1: u8 = 37;
    pub const C_SC_NA_1: u8 = 45;
    pub const C_DC_NA_1: u8 = 46;
    pub const C_RC_NA_1: u8 = 47;
    pub const C_SE_NC_1: u8 = 50;
    pub const C_SC_TA_1: u8 = 58;
    pub const C_DC_TA_1: u8 = 59;
    pub const C_RC_TA_1: u8 = 60;
    pub const C_SE_TC_1: u8 = 63;
    pub const M_EI_NA_1: u8 = 70;
    pub const C_IC_NA_1: u8 = 100;
    pub const C_CI_NA_1: u8 = 101;
    pub const C_RD_NA_1: u8 = 102;
    pub const C_CS_NA_1: u8 = 103;
    pub const C_RP_NA_1: u8 = 105;
    pub const C_TS_TA_1: u8 = 107;
}

/// The row of a type.
pub fn type_row(id: u8) -> Option<&'static TypeRow> {
    TYPES.iter().find(|row| row.0 == id)
}

/// Octets of an object of this type without its address; `None` when that is not fixed.
pub fn size(id: u8) -> Option<usize> {
    type_row(id).map(|row| row.2.iter().map(|kind| kind.size()).sum())
}

/// An element for testing: edges of its range and different bits for each `index`.
pub fn element(kind: Kind, index: usize, time: Time) -> Element {
    let i = index % 5;
    let quality = [0x00, 0x80, 0x10, 0x20, 0x40][i];
    let select = i % 2 == 1;
    let qualifier = [0, 1, 2, 3, 31][i];
    match kind {
        Siq => Element::Siq { on: i.is_multiple_of(2), quality },
        Diq => Element::Diq { state: [2, 1, 0, 3, 2][i], quality },
        Vti => Element::Vti { position: [0, -1, 63, -64, 5][i], transient: select },
        Bsi => Element::Bsi([0, 1, 0x1234_5678, 0x8000_0000, 0xffff_ffff][i]),
        Nva => Element::Nva([0, -1, 0x4000, i16::MIN, i16::MAX][i]),
        Sva => Element::Sva([0, -1, 1234, i16::MIN, i16::MAX][i]),
        R32 => Element::R32([0.0, -1.5, 50.0, 1.0e30, -2.5e-10][i]),
        Bcr => Element::Bcr {
            count: [0, -1, 12345, i32::MIN, i32::MAX][i],
            sequence: [0, 1, 5, 30, 31][i],
            flags: [0, 0x20, 0x40, 0x80, 0xe0][i],
        },
        Sep => Element::Sep { state: [0, 1, 2, 3, 1][i], quality: [0, 0x08, 0x10, 0x20, 0xc0][i] },
        Spe => Element::Spe([0x01, 0x02, 0x20, 0x3f, 0x1c][i]),
        Oci => Element::Oci([0x01, 0x02, 0x08, 0x0f, 0x04][i]),
        Scd => Element::Scd {
            states: [0, 1, 0x1234, 0x8000, 0xffff][i],
            changes: [1, 0, 0x4321, 0x0080, 0xffff][i],
        },
        Qds => Element::Qds([0x00, 0x01, 0x10, 0x60, 0x81][i]),
        Qdp => Element::Qdp([0x00, 0x08, 0x10, 0x60, 0x88][i]),
        Sco => Element::Sco { on: i.is_multiple_of(2), qualifier, select },
        Dco => Element::Dco { state: 1 + (i % 2) as u8, qualifier, select },
        Rco => Element::Rco { step: 1 + (i % 2) as u8, qualifier, select },
        Qos => Element::Qos { qualifier: [0, 1, 2, 64, 127][i], select },
        Qpm => Element::Qpm { kind: [1, 2, 3, 4, 63][i], local: select, inactive: i > 2 },
        Qpa => Element::Qpa([1, 2, 3, 4, 255][i]),
        Coi => Element::Coi { cause: [0, 1, 2, 3, 127][i], changed: select },
        Qoi => Element::Qoi([20, 21, 36, 0, 255][i]),
        Qcc => Element::Qcc { request: [5, 1, 2, 4, 63][i], freeze: (i % 4) as u8 },
        Qrp => Element::Qrp([1, 2, 0, 127, 255][i]),
        Fbp => Element::Fbp(0x55aa),
        Tsc => Element::Tsc([0, 1, 0x1234, 0x8000, 0xffff][i]),
        Cp16 => Element::Cp16([0, 100, 0x1234, 59_999, 0xffff][i]),
        Cp24 => Element::Cp24(time),
        Cp56 => Element::Cp56(time),
        Nof => Element::Nof([1, 2, 3, 4, 0xffff][i]),
        Lof => Element::Lof([0, 1, 0x0001_2345, 0x0080_0000, 0x00ff_ffff][i]),
        File => Element::File([1, 2, 0x20, 0x80, 0xff][i]),
        Aid => Element::Aid([0, 1, 0x1234, 0x8000, 0xffff][i]),
    }
}
