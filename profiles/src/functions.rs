//! The functions a rule can name, by the names of the standards in `snake_case`: MODBUS Application
//! Protocol V1.1b3 clause 6, IEEE 1815 clause 4.4; then what vendors made of the reserved Modbus codes.
//! They are the names that operations carry. Any other function is written by its number (`fc:100`).

use parsers::{FunctionRow, Protocol};

/// Code, sub-function, name.
fn table(protocol: Protocol) -> &'static [FunctionRow] {
    parsers::dissector(protocol).map_or(&[], |dissector| dissector.functions)
}

/// Code and sub-function of a function by its name; no sub-function: all of them.
#[must_use]
pub fn function_by_name(protocol: Protocol, name: &str) -> Option<(u8, Option<u16>)> {
    table(protocol).iter().find(|row| row.2 == name).map(|row| (row.0, row.1))
}

/// The names a rule may use for a protocol's functions, in the order of their codes.
pub fn function_names(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    table(protocol).iter().map(|row| row.2)
}

/// The name of a function, if it has one. `sub` is `None` for a function with all its sub-functions.
#[must_use]
pub fn function_name(protocol: Protocol, code: u8, sub: Option<u16>) -> Option<&'static str> {
    table(protocol).iter().find(|row| (row.0, row.1) == (code, sub)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation carries the name that a rule may use, whatever table it came from.
    #[test]
    fn names_are_those_that_operations_carry() {
        for code in 0..=255 {
            let subs = (0..=255).map(Some).chain([None]);
            for sub in subs {
                let carried = parsers::function(Protocol::Modbus, code, sub).name;
                let whole = || function_name(Protocol::Modbus, code, None);
                let own = function_name(Protocol::Modbus, code, sub).or_else(whole);
                assert_eq!(own.unwrap_or("unknown"), carried, "modbus {code}/{sub:?}");
            }
            let carried = parsers::function(Protocol::Dnp3, code, None).name;
            assert_eq!(
                function_name(Protocol::Dnp3, code, None).unwrap_or("unknown"),
                carried,
                "dnp3 {code}"
            );
        }
    }

    #[test]
    fn every_name_and_every_code_stands_once() {
        for protocol in Protocol::ALL {
            for (code, sub, name) in table(protocol) {
                assert_eq!(function_by_name(protocol, name), Some((*code, *sub)), "{name}");
                assert_eq!(function_name(protocol, *code, *sub), Some(*name));
            }
        }
        assert_eq!(function_by_name(Protocol::Modbus, "cold_restart"), None);
    }
}
