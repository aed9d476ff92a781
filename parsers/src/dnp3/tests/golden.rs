//! Vectors from the fact sheet, checksums included: one frame each, on a session of its own.

use super::build::*;
use crate::testing::{Wire, hex};

/// Master 1 and outstation 10 but for the vectors from the field; the function's name, what else the
/// operation's line has, and the points.
struct Vector {
    octets: &'static str,
    exchange: &'static str,
    action: &'static str,
    function: &'static str,
    ranges: &'static str,
    points: &'static [&'static str],
}

fn play(octets: &str) -> Wire {
    let mut wire = tcp();
    let octets = hex(octets);
    let direction = if octets[3] & 0x80 != 0 { UP } else { DOWN };
    wire.send(direction, &octets);
    wire
}

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    Vector { octets: "056405c00a000100b1ac", exchange: "link", action: "link", function: "reset_link_states", ranges: "", points: &[] },
    Vector { octets: "0564050001000a002edd", exchange: "link", action: "link", function: "ack", ranges: "", points: &[] },
    Vector { octets: "056405c90a000100feda", exchange: "link", action: "link", function: "request_link_status", ranges: "", points: &[] },
    Vector { octets: "0564050b01000a006ded", exchange: "link", action: "link", function: "link_status", ranges: "", points: &[] },
    Vector { octets: "056414c40a0001008fedc0c0013c02063c03063c04063c01068a51", exchange: "request", action: "read", function: "read",
        ranges: "class_data[1..1] class_data[2..2] class_data[3..3] class_data[0..0]", points: &[] },
    Vector { octets: "05640a4401000a006e25c0f08280006b7d", exchange: "unsolicited", action: "report", function: "unsolicited_response", ranges: "", points: &[] },
    Vector { octets: "05640ec40a0001002529c0c1025001000707003e5f", exchange: "request", action: "configure", function: "write",
        ranges: "internal_indication[7..7]", points: &["internal_indication[7]=Bit(false) g80v1"] },
    Vector { octets: "05641ac40a0001008a1cc0c2030c0128010005004101640000005d710000000000ffff", exchange: "request", action: "select", function: "select",
        ranges: "binary_output[5..5]",
        points: &["binary_output[5]=Crob(Crob { code: 65, count: 1, on_time_ms: 100, off_time_ms: 0 }) status=0 g12v1"] },
    Vector { octets: "05641ac40a0001008a1cc0c3040c01280100050041016400000095a70000000000ffff", exchange: "request", action: "operate", function: "operate",
        ranges: "binary_output[5..5]",
        points: &["binary_output[5]=Crob(Crob { code: 65, count: 1, on_time_ms: 100, off_time_ms: 0 }) status=0 g12v1"] },
    Vector { octets: "056418c40a0001003d3ac0c4050c0117010581016400000000008fcc000000ffff", exchange: "request", action: "direct_operate", function: "direct_operate",
        ranges: "binary_output[5..5]",
        points: &["binary_output[5]=Crob(Crob { code: 129, count: 1, on_time_ms: 100, off_time_ms: 0 }) status=0 g12v1"] },
    Vector { octets: "056418c40a0001003d3ac0c5060c01170105030100000000000083f0000000ffff", exchange: "request", action: "direct_operate", function: "direct_operate_nr",
        ranges: "binary_output[5..5]",
        points: &["binary_output[5]=Crob(Crob { code: 3, count: 1, on_time_ms: 0, off_time_ms: 0 }) status=0 g12v1"] },
    Vector { octets: "056412c40a0001005686c0c605290317010200004842006615", exchange: "request", action: "direct_operate", function: "direct_operate",
        ranges: "analog_output[2..2]", points: &["analog_output[2]=Float32(50.0) status=0 g41v3"] },
    Vector { octets: "056408c40a000100fc42c0c80d08e9", exchange: "request", action: "restart", function: "cold_restart", ranges: "", points: &[] },
    Vector { octets: "056411c40a0001000615c0c9143c02063c03063c04068634", exchange: "request", action: "configure", function: "enable_unsolicited",
        ranges: "class_data[1..1] class_data[2..2] class_data[3..3]", points: &[] },
    Vector { octets: "056411c40a0001000615c0ca153c02063c03063c040676cc", exchange: "request", action: "configure", function: "disable_unsolicited",
        ranges: "class_data[1..1] class_data[2..2] class_data[3..3]", points: &[] },
    Vector { octets: "056410c40a000100e1a0c0cb163c03061e0000000956ca", exchange: "request", action: "configure", function: "assign_class",
        ranges: "class_data[2..2] analog_input[0..9]", points: &[] },
    Vector { octets: "05640bc40a000100acd1c0cc0914000684fa", exchange: "request", action: "freeze", function: "freeze_clear",
        ranges: "counter[0..4294967295]", points: &[] },
    Vector { octets: "056408c40a000100fc42c0cd17d254", exchange: "request", action: "time", function: "delay_measure", ranges: "", points: &[] },
    Vector { octets: "0564164401000a001d8ac0f182000002021701078100683fe58b30e901a1c9", exchange: "unsolicited", action: "report", function: "unsolicited_response",
        ranges: "binary_input[7..7]", points: &["binary_input[7]=Bit(true) flags=129 t=1700358219776 g2v2"] },
    Vector { octets: "056408c40a000100fc42c0ce186a98", exchange: "request", action: "time", function: "record_current_time", ranges: "", points: &[] },
    Vector { octets: "05640dc40a00010075bac0cf0100fe000000a30f", exchange: "request", action: "identify", function: "read",
        ranges: "device_attribute[254..254]", points: &[] },
];

#[test]
fn vectors_of_the_fact_sheet_decode_without_a_defect() {
    for vector in VECTORS {
        let wire = play(vector.octets);
        let line =
            wire.seen.operations.first().unwrap_or_else(|| panic!("no operation in {}", vector.octets));
        let words = [vector.exchange, vector.action].join(" ");
        assert!(line.contains(&words), "{words} in {line}");
        assert!(
            line.contains(&format!("/None {} station=Some(10) master=Some(1)", vector.function)),
            "{line}"
        );
        if vector.ranges.is_empty() {
            assert!(!line.contains(".."), "{line}");
        } else {
            assert!(line.contains(&format!(" {} ", vector.ranges)), "{line}");
        }
        assert_eq!(wire.seen.points[0], vector.points, "{}", vector.octets);
        assert_eq!(wire.seen.defects, [""; 0], "{}", vector.octets);
        assert_eq!((wire.seen.units.len(), wire.seen.operations.len()), (1, 1));
        assert_eq!(wire.seen.unit_octets, hex(vector.octets).len());
    }
}

#[test]
fn answers_of_the_fact_sheet_decode_but_lack_their_requests() {
    // RESPONSE g1v1 0..9 and g30v2 0..1
    let wire = play("05641c4401000a007636c0cd8100000101000009ff011e020000e5870101102701f0d80857");
    let states = (0..10).map(|i| format!("binary_input[{i}]=Bit({}) g1v1", i < 9));
    let analogs =
        ["analog_input[0]=Signed(10000) flags=1 g30v2", "analog_input[1]=Signed(-10000) flags=1 g30v2"];
    let expected: Vec<String> = states.chain(analogs.map(String::from)).collect();
    assert_eq!(wire.seen.points[0], expected);
    assert_eq!(wire.seen.defects.len(), 1, "{:?}", wire.seen.defects);
    assert!(wire.seen.defects[0].starts_with("answer_without_request DN-C15"));

    // RESPONSE g52v1: 60 s
    let wire = play("0564104401000a00c4e1c0c8810000340107013c0009d5");
    assert_eq!(wire.seen.points[0], ["object[?]=Unsigned(60) g52v1"]);

    // WRITE g50v1: the octets say the year 7335, although the sheet that lists them meant another
    let wire = play("056412c40a0001005686c0c7023201070100bca565019aaaf9");
    assert_eq!(wire.seen.points[0], ["object[?]=TimeMs(169330791005184) g50v1"]);
    assert!(wire.seen.operations[0].contains("request time 2/None write"));
}

#[test]
fn units_carry_the_keys_of_the_reference_reading() {
    let wire = play("05641c4401000a007636c0cd8100000101000009ff011e020000e5870101102701f0d80857");
    let fields = &wire.seen.units[0];
    for part in [
        r#""link_src":10,"link_dst":1,"link_length":28,"link_control":68,"link_dir":0,"link_prm":1,"link_function":4"#,
        r#""layer":"application""#,
        r#""link_crc_ok":true,"data_crc_ok":true,"transport_fir":true,"transport_fin":true,"transport_seq":0"#,
        r#""function":129,"sequence":13,"fir":true,"fin":true,"con":false,"uns":false,"iin":0"#,
        r#""objects":[{"group":1,"variation":1,"prefix":0,"range":0,"start":0,"stop":9,"count":null},"#,
        r#"{"group":30,"variation":2,"prefix":0,"range":0,"start":0,"stop":1,"count":null}]"#,
        r#"{"index":1,"value":-10000,"flags":1,"flag_names":["online"]}"#,
    ] {
        assert!(fields.contains(part), "{part}\nin {fields}");
    }
    let request = play("056414c40a0001008fedc0c0013c02063c03063c04063c01068a51");
    let object = r#"{"group":60,"variation":2,"prefix":0,"range":6,"start":null,"stop":null,"count":null}"#;
    assert!(request.seen.units[0].contains(object));
    assert!(request.seen.units[0].contains(r#""iin":null"#));
    let link = play("0564050b01000a006ded");
    assert!(link.seen.units[0].contains(r#""layer":"link""#));
    assert!(link.seen.units[0].contains(r#""data_crc_ok":null,"transport_fir":null"#));
    assert!(!link.seen.units[0].contains("function\":129"));
}

#[test]
fn select_from_the_field_is_answered_by_its_echo() {
    let mut wire = tcp();
    wire.up("05641ac40a0001008a1cc0c0030c012801000000030164000000fd6b6400000000005b");
    wire.down("05641c4401000a007636c0c08100000c01280100000003016400927600006400000000005b");
    assert_eq!(wire.seen.defects, [""; 0]);
    assert!(wire.seen.operations[1].contains("response select 129/None response"));
    assert!(
        wire.seen.operations[1].contains(" ok answers=1@1001000000 body="),
        "{}",
        wire.seen.operations[1]
    );
}

#[test]
fn lan_time_synchronisation_from_the_field_decodes() {
    let mut wire = tcp();
    wire.up("056408c404000300b4b8c8c918cbd2");
    wire.up("056412c4040003001e7cc9ca02320307019f0d83524c01eb2c");
    assert_eq!(wire.seen.points[1], ["object[?]=TimeMs(1427313462687) g50v3"]);
    assert!(wire.seen.operations[1].contains("request time 2/None write"));
}

#[test]
fn authentication_from_the_field_shows_its_parts() {
    // challenge, reply, aggressive mode direct operate
    let challenge = play("05641c440300040064bdc7c683900078015b010c0003000000009287000401737465768d5c");
    let fields = &challenge.seen.units[0];
    let parts = r#""parts":{"sequence":3,"user":0,"mac_algorithm":4,"meaning":"hmac_sha256_16","reason":1,"challenge":"73746576"}"#;
    assert!(!fields.contains("surplus"), "{fields}");
    assert!(fields.contains("hmac_sha256_16") || fields.contains(parts), "{fields}");

    let reply =
        play("056424c404000300849ec8c62078025b01160003000000010006c295fae1911a2cce2dda8abfece1cac8c414f5");
    assert!(reply.seen.operations[0].contains("request authenticate 32/None authenticate_req"));
    assert!(!reply.seen.operations[0].contains("wants_answer"));
    assert!(
        reply.seen.units[0].contains(r#""parts":{"sequence":3,"user":1,"mac":"#),
        "{}",
        reply.seen.units[0]
    );

    let aggressive = play(
        "05643ac4040003004017d3cc05780307010900000001000c01281e6d01000100030164000000640000000078454b095b011000ba8d\
         b44d5e72cd0ad418e5a302e415256867bed2",
    );
    let line = &aggressive.seen.operations[0];
    assert!(line.contains("request direct_operate 5/None"), "{line}");
    assert!(line.contains(" binary_output[1..1] "), "{line}");
    assert_eq!(aggressive.seen.defects, [""; 0]);
}
