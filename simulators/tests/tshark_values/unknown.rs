//! What tshark 4.0.17 does not know, or reads otherwise than the standard; found by running it. An entry
//! that no difference needs any more fails the test.

/// Beginning of the vector's name, beginning of the field, reason.
pub(crate) const KNOWN: &[(&str, &str, &str)] = &[
    ("g0v200 ", "", "attributes of type octet string are unknown"),
    ("g0v239 ", "", "attributes of type bit string are unknown"),
    ("g0v199 ", "", "attributes of type time are unknown"),
    ("g0v255 ", "", "lists of attributes are unknown"),
    ("g31v", "", "frozen analog inputs are unknown"),
    ("g33v1 ", "", "unknown"),
    ("g33v2 ", "", "unknown"),
    ("g33v3 ", "", "unknown"),
    ("g33v4 ", "", "unknown"),
    ("g4v3 ", "", "double-bit events with relative time are unknown"),
    ("g2v3 after g51v2", "", "g51v2 is unknown, and what follows it is not read"),
    ("g51v2 ", "", "unknown"),
    ("g43v1 ", "", "the index is read from octets of the value before"),
    ("g43v3 ", "", "the index is read from octets of the value before"),
    ("g50v2 ", "", "the objects of function 11 are not read"),
    ("function 11", "dnp3.", "its objects are not read"),
    ("function 12", "dnp3.", "its objects are not read"),
    ("g50v4 ", "", "unknown"),
    ("g52v1 ", "", "unknown"),
    ("g102v1 ", "", "unknown"),
    ("g121v1 ", "", "unknown"),
    ("g122v", "", "unknown"),
    ("g112v", "", "virtual terminal output with a length is unknown"),
    ("g113v", "", "virtual terminal events are unknown"),
    ("write g112v", "", "virtual terminal output with a length is unknown"),
    ("write g113v", "", "virtual terminal events are unknown"),
    ("g12v3 pattern mask", "dnp3.al.index", "the range makes a point_index, and the block one of 0"),
    ("g3v1 one to an octet", "", "read as if packed although each has an index"),
    ("report g80v1", "dnp3.al.bit", "only the lowest bit of the octet is read, for every index"),
    ("g120v", "dnp3.al.iin", "indications of function 131 are not read"),
    ("data integer of 64 bits", "goose.integer", "only 32 bits are shown"),
    ("data unsigned of 64 bits", "goose.unsigned", "only 32 bits are shown"),
    ("three tags", "ieee8021ad.id", "of two service tags tshark shows none as such"),
    ("C_RD_NA_1 several", "iec60870_asdu.", "of objects without elements only the first is read"),
    ("function 1, 1 bits at 65535", "modbus.bit", "padding is shown as bits when the address wraps"),
    ("function 2, 1 bits at 65535", "modbus.bit", "padding is shown as bits when the address wraps"),
];

/// The entry that explains a difference.
pub(crate) fn explanation(name: &str, field: &str) -> Option<usize> {
    KNOWN.iter().position(|(n, f, _)| name.starts_with(n) && field.starts_with(f))
}
