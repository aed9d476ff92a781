//! tshark reads every generated capture as it was meant: nothing malformed, every checksum right, every
//! function where it should be.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use simulators::captures::{Scenario, blind_spots, encapsulations};
use simulators::tshark;

const FIELDS: [&str; 10] = [
    "_ws.malformed",
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "modbus.func_code",
    "dnp3.al.func",
    "gre.checksum.status",
    "tcp.analysis.flags",
    "mbrtu.crc16.status",
    "dnp.data_chunk.CRC.status",
];
const OPTIONS: [&str; 10] = [
    "-o",
    "ip.check_checksum:TRUE",
    "-o",
    "tcp.check_checksum:TRUE",
    "-o",
    "udp.check_checksum:TRUE",
    "-o",
    "tcp.reassemble_out_of_order:TRUE",
    "-o",
    "mbrtu.crc_verification:TRUE",
];

/// Function codes in tshark's reading, and what is wrong with the frames.
fn read(scenario: &Scenario, more: &[&str]) -> Option<(Vec<u8>, BTreeSet<String>)> {
    let options = [&OPTIONS[..], more].concat();
    let rows = tshark::run(scenario.name, &scenario.frames, scenario.link_type, &options, &FIELDS)?;
    assert_eq!(rows.len(), scenario.frames.len(), "{}: a row a frame", scenario.name);
    let mut functions = Vec::new();
    let mut trouble = BTreeSet::new();
    for row in rows {
        for (field, values) in FIELDS.iter().zip(&row) {
            match *field {
                "modbus.func_code" | "dnp3.al.func" => {
                    functions.extend(values.iter().map(|v| number(v)));
                }
                "_ws.malformed" | "tcp.analysis.flags" if !values.is_empty() => {
                    trouble.insert((*field).to_owned());
                }
                // 0 is bad, 1 good, 2 not checked (a zero checksum, a TCP checksum over fragments).
                status if status.ends_with("status") && values.iter().any(|v| v == "0") => {
                    trouble.insert(status.to_owned());
                }
                _ => {}
            }
        }
    }
    Some((functions, trouble))
}

fn compare(scenario: &Scenario, found: &[u8], expected: &[u8], trouble: &BTreeSet<String>) -> Option<String> {
    let name = scenario.name;
    if found == expected && trouble.is_empty() {
        return None;
    }
    Some(format!("{name}: functions {found:?}, expected {expected:?}, trouble {trouble:?}"))
}

fn number(text: &str) -> u8 {
    text.strip_prefix("0x").map_or_else(|| text.parse().unwrap(), |hex| u8::from_str_radix(hex, 16).unwrap())
}

#[test]
fn tshark_finds_the_poll_in_every_encapsulation() {
    let mut wrong = Vec::new();
    for mut scenario in encapsulations() {
        if scenario.name == "mpls_pseudowire" {
            // tshark's command line cannot say that a label carries Ethernet: take off the outer
            // Ethernet header, two labels and the control word for it.
            scenario.frames.iter_mut().for_each(|f| drop(f.bytes.drain(..14 + 8 + 4)));
        }
        let serial: &[&str] = match scenario.name {
            "rtu_over_tcp" => &["-d", "tcp.port==502,mbrtu"],
            "rtu_over_tcp_4001" => &["-d", "tcp.port==4001,mbrtu"],
            _ => &[],
        };
        let Some((functions, trouble)) = read(&scenario, serial) else { return };
        let expected: Vec<u8> = scenario.operations.iter().map(|o| o.function).collect();
        wrong.extend(compare(&scenario, &functions, &expected, &trouble));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tshark_finds_the_operations_of_every_blind_spot() {
    let mut wrong = Vec::new();
    for scenario in blind_spots() {
        // tshark joins the segments of both outstations, since it reassembles by connection alone.
        if scenario.name == "blind_08_addresses_with_values" {
            continue;
        }
        let port: &[&str] =
            if scenario.name.starts_with("blind_13") { &["-d", "tcp.port==1502,mbtcp"] } else { &[] };
        let Some((functions, trouble)) = read(&scenario, port) else { return };
        let mut expected: Vec<u8> = scenario.operations.iter().map(|o| o.function).collect();
        let (mut functions, mut trouble) = (functions, trouble);
        if scenario.name == "blind_04_bad_crc" {
            assert!(trouble.remove("dnp.data_chunk.CRC.status"), "the wrong checksum is seen");
        }
        if scenario.name == "blind_10_bad_pdus" {
            // tshark passes over a segment that begins with another protocol id than 0.
            functions.push(3);
        }
        expected.sort_unstable();
        functions.sort_unstable();
        wrong.extend(compare(&scenario, &functions, &expected, &trouble));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
