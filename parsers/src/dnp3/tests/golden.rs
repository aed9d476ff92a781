//! Vectors from the fact sheet, CRCs included.

use super::build::*;
use crate::testing::hex;

fn one(octets: &str) -> (String, Vec<String>, Vec<String>) {
    let mut wire = tcp();
    let octets = hex(octets);
    let direction = if octets[3] & 0x80 != 0 { UP } else { DOWN };
    wire.send(direction, &octets);
    let operations = wire.seen.operations.clone();
    assert_eq!(operations.len(), 1, "{:?}", wire.seen.lines);
    (operations[0].clone(), wire.seen.points[0].clone(), wire.seen.defects.clone())
}

#[test]
fn select_shows_its_control_block() {
    let (operation, points, defects) =
        one("05641ac40a0001008a1cc0c2030c0128010005004101640000005d710000000000ffff");
    assert_eq!(
        operation,
        "> request select 3/None select station=Some(10) master=Some(1) seq=2 binary_output[5..5] wants_answer \
         from_master body=0c0128010005004101640000000000000000"
    );
    assert_eq!(
        points,
        [
            "binary_output[5]=Crob(Crob { code: 65, count: 1, on_time_ms: 100, off_time_ms: 0 }) status=0 g12v1"
        ]
    );
    assert!(defects.is_empty(), "{defects:?}");
}
