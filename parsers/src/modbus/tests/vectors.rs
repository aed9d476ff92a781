//! The golden vectors of the fact sheet, section 9, and values and fields of every function.

use super::*;

/// Request, response, what the request's operation line contains, the response's, and the response's
/// points.
const EXCHANGES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "01 0013 0013", // function, address 19, quantity 19
        "01 03 cd 6b 05",
        "request read 1/None read_coils station=Some(1) master=None seq=1 coil[19..37]",
        "coil[19..37] ok",
        "coil[19]=Bit(true) coil[20]=Bit(false) coil[21]=Bit(true) coil[22]=Bit(true) coil[23]=Bit(false) \
         coil[24]=Bit(false) coil[25]=Bit(true) coil[26]=Bit(true) coil[27]=Bit(true) coil[28]=Bit(true) \
         coil[29]=Bit(false) coil[30]=Bit(true) coil[31]=Bit(false) coil[32]=Bit(true) coil[33]=Bit(true) \
         coil[34]=Bit(false) coil[35]=Bit(true) coil[36]=Bit(false) coil[37]=Bit(true)",
    ),
    (
        "02 00c4 0003",
        "02 01 05",
        "read 2/None read_discrete_inputs",
        "discrete_input[196..198] ok",
        "discrete_input[196]=Bit(true) discrete_input[197]=Bit(false) discrete_input[198]=Bit(true)",
    ),
    (
        "03 006b 0003",
        "03 06 022b 0000 0064",
        "read 3/None read_holding_registers",
        "holding_register[107..109] ok",
        "holding_register[107]=Unsigned(555) holding_register[108]=Unsigned(0) holding_register[109]=Unsigned(100)",
    ),
    (
        "04 0008 0001",
        "04 02 000a",
        "read 4/None read_input_registers",
        "input_register[8..8] ok",
        "input_register[8]=Unsigned(10)",
    ),
    (
        "05 00ac ff00",
        "05 00ac ff00",
        "write 5/None write_single_coil",
        "coil[172..172] ok",
        "coil[172]=Bit(true)",
    ),
    (
        "06 0001 0003",
        "06 0001 0003",
        "write 6/None write_single_register",
        "holding_register[1..1] ok",
        "holding_register[1]=Unsigned(3)",
    ),
    ("07", "07 6d", "read 7/None read_exception_status", "ok", "device_data[?]=Unsigned(109)"),
    (
        "08 0000 a537",
        "08 0000 a537",
        "diagnose 8/Some(0) return_query_data",
        "diagnose 8/Some(0) return_query_data",
        "device_data[?]=Unsigned(42295)",
    ),
    (
        "08 0001 ff00",
        "08 0001 ff00",
        "restart 8/Some(1) restart_communications_option",
        "restart 8/Some(1)",
        "device_data[?]=Unsigned(65280)",
    ),
    (
        "08 000a 0000",
        "08 000a 0000",
        "freeze 8/Some(10) clear_counters_and_diagnostic_register",
        "ok",
        "device_data[?]=Unsigned(0)",
    ),
    (
        "08 000b 0000",
        "08 000b 0102",
        "diagnose 8/Some(11) return_bus_message_count",
        "ok",
        "device_data[?]=Unsigned(258)",
    ),
    (
        "0b",
        "0b ffff 0108",
        "diagnose 11/None get_comm_event_counter",
        "ok",
        "device_data[?]=Unsigned(65535) device_data[?]=Unsigned(264)",
    ),
    (
        "0c",
        "0c 08 0000 0108 0121 20 00",
        "diagnose 12/None get_comm_event_log",
        "ok",
        "device_data[?]=Unsigned(0) device_data[?]=Unsigned(264) device_data[?]=Unsigned(289) \
         device_data[?]=Bytes([32, 0])",
    ),
    (
        "0f 0013 000a 02 cd 01",
        "0f 0013 000a",
        "write 15/None write_multiple_coils station=Some(1) master=None seq=1 coil[19..28]",
        "coil[19..28] ok",
        "coil[19]=None coil[20]=None coil[21]=None coil[22]=None coil[23]=None coil[24]=None coil[25]=None \
         coil[26]=None coil[27]=None coil[28]=None",
    ),
    (
        "10 0001 0002 04 000a 0102",
        "10 0001 0002",
        "write 16/None write_multiple_registers station=Some(1) master=None seq=1 holding_register[1..2]",
        "holding_register[1..2] ok",
        "holding_register[1]=None holding_register[2]=None",
    ),
    (
        "11",
        "11 03 09 ff 41",
        "identify 17/None report_server_id",
        "identify 17/None",
        "device_data[?]=Bytes([9, 255, 65])",
    ),
    (
        "14 0e 06 0004 0001 0002 06 0003 0009 0002", // two sub-requests: file 4 record 1, file 3 record 9
        "14 0c 05 06 0dfe 0020 05 06 33cd 0040",
        "file 20/None read_file_record station=Some(1) master=None seq=1 file_record[262145..262146] file_record[196617..196618]",
        "file_record[262145..262146] file_record[196617..196618] ok",
        "file_record[262145]=Unsigned(3582) file_record[262146]=Unsigned(32) \
         file_record[196617]=Unsigned(13261) file_record[196618]=Unsigned(64)",
    ),
    (
        "15 0d 06 0004 0007 0003 06af 04be 100d",
        "15 0d 06 0004 0007 0003 06af 04be 100d",
        "file 21/None write_file_record station=Some(1) master=None seq=1 file_record[262151..262153]",
        "file_record[262151..262153] ok",
        "file_record[262151]=Unsigned(1711) file_record[262152]=Unsigned(1214) file_record[262153]=Unsigned(4109)",
    ),
    (
        "16 0004 00f2 0025",
        "16 0004 00f2 0025",
        "write 22/None mask_write_register station=Some(1) master=None seq=1 holding_register[4..4]",
        "holding_register[4..4] ok",
        "holding_register[4]=Mask { and: 242, or: 37 }",
    ),
    (
        "17 0003 0006 000e 0003 06 00ff 00ff 00ff",
        "17 0c 00fe 0acd 0001 0003 000d 00ff",
        "write 23/None read_write_multiple_registers station=Some(1) master=None seq=1 \
         holding_register[3..8] holding_register[14..16]",
        "holding_register[3..8] holding_register[14..16] ok",
        "holding_register[3]=Unsigned(254) holding_register[4]=Unsigned(2765) holding_register[5]=Unsigned(1) \
         holding_register[6]=Unsigned(3) holding_register[7]=Unsigned(13) holding_register[8]=Unsigned(255)",
    ),
    (
        "18 04de",
        "18 0006 0002 01b8 1284",
        "read 24/None read_fifo_queue station=Some(1) master=None seq=1 fifo_queue[1246..1246]",
        "fifo_queue[1246..1246] ok",
        "fifo_queue[1246]=Unsigned(440) fifo_queue[1246]=Unsigned(4740)",
    ),
    (
        "2b 0e 01 00",
        "2b 0e 01 01 00 00 02 00 03 414243 02 02 5631", // code, conformity, more, next, count, objects
        "identify 43/Some(14) read_device_identification",
        "identify 43/Some(14)",
        "device_data[0]=Text([65, 66, 67]) device_data[2]=Text([86, 49])",
    ),
    (
        "2b 0d 0001",
        "2b 0d 0102",
        "write 43/Some(13) canopen_general_reference",
        "write 43/Some(13)",
        "device_data[?]=Bytes([1, 2])",
    ),
    (
        "5a 00 02",
        "5a 00 fe 01",
        "read 90/Some(2) umas_read_id",
        "read 90/Some(2) umas_read_id",
        "device_data[?]=Bytes([1])",
    ),
    ("41 01 02", "41 03", "unknown 65/None unknown", "unknown 65/None", "device_data[?]=Bytes([3])"),
    ("7d aa", "7d bb", "program 125/None firmware_replacement", "program 125", "device_data[?]=Bytes([187])"),
];

#[test]
fn every_function_decodes_both_ways_and_the_answer_knows_its_addresses() {
    for (request, response, asked, answered, points) in EXCHANGES {
        let wire = exchange(request, response);
        let [question, reply] = &wire.seen.operations[..] else { panic!("{request}: {:?}", wire.seen.lines) };
        let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(question.contains(&asked), "{request}:\n{question}\n{asked}");
        assert!(question.contains(" wants_answer from_master"), "{question}");
        assert!(reply.contains(answered), "{response}:\n{reply}\n{answered}");
        assert!(reply.contains(" answers=1@1001000000"), "{reply}");
        let wanted = points.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(wire.seen.points[1].join(" "), wanted, "{response}");
        let undefined = usize::from(request.starts_with("41") || request.starts_with("7d"));
        assert_eq!(wire.seen.defects.len(), undefined, "{request}: {:?}", wire.seen.defects);
    }
}

#[test]
fn writes_carry_their_values() {
    for (request, points) in [
        ("05 0001 0000", "coil[1]=Bit(false)"),
        ("0f 0005 0003 01 05", "coil[5]=Bit(true) coil[6]=Bit(false) coil[7]=Bit(true)"),
        ("10 0001 0002 04 000a 0102", "holding_register[1]=Unsigned(10) holding_register[2]=Unsigned(258)"),
        ("17 0003 0001 000e 0001 02 00ff", "holding_register[3]=None holding_register[14]=Unsigned(255)"),
        ("14 07 06 0001 0002 0002", "file_record[65538]=None file_record[65539]=None"),
        ("03 0002 0002", "holding_register[2]=None holding_register[3]=None"),
    ] {
        let mut wire = tcp();
        wire.send(Direction::ToServer, &adu(1, 1, request));
        assert_eq!(wire.seen.points[0].join(" "), points, "{request}");
        assert_eq!(wire.seen.defects, [""; 0], "{request}");
    }
}

/// The keys of the reference reading, as tshark 4.0.17 fills them for these octets.
#[test]
fn the_fields_are_those_of_the_reference_reading() {
    use Direction::{ToClient, ToServer};
    for (way, pdu, fields) in [
        (ToServer, "01 0013 0013", r#""function_code":1,"exception":false,"address":19,"quantity":19,"#),
        (ToServer, "05 00ac ff00", r#""function_code":5,"exception":false,"address":172,"framing""#),
        (ToServer, "06 0001 0003", r#""function_code":6,"exception":false,"address":1,"framing""#),
        (ToServer, "07", r#""function_code":7,"exception":false,"framing""#),
        (ToServer, "08 0015 12345678", r#""exception":false,"diagnostic_code":21,"framing""#),
        (ToServer, "0f 0013 000a 02 cd 01", r#""address":19,"quantity":10,"byte_count":2,"framing""#),
        (ToServer, "14 07 06 0001 0002 0003", r#""byte_count":7,"address":65538,"quantity":3,"framing""#),
        (ToServer, "15 0d 06 0004 0007 0003 06af 04be 100d", r#""address":262151,"quantity":3,"#),
        (ToServer, "16 0004 00f2 0025", r#""address":4,"and_mask":242,"or_mask":37,"framing""#),
        (
            ToServer,
            "17 0003 0006 000e 0003 06 00ff 00ff 00ff",
            r#""read_address":3,"read_quantity":6,"write_address":14,"write_quantity":3,"byte_count":6,"framing""#,
        ),
        (ToServer, "18 04de", r#""address":1246,"framing""#),
        (ToServer, "2b 0e 01 00", r#""mei":14,"framing""#),
        (ToServer, "00 01 02", r#""function_code":0,"exception":false,"framing""#),
        (ToClient, "01 03 cd 6b 05", r#""function_code":1,"exception":false,"byte_count":3,"framing""#),
        (ToClient, "0f 0013 000a", r#""address":19,"quantity":10,"framing""#),
        (ToClient, "14 0c 05 06 0dfe 0020 05 06 33cd 0040", r#""exception":false,"byte_count":12,"framing""#),
        (ToClient, "18 0006 0002 01b8 1284", r#""quantity":2,"byte_count":6,"framing""#),
        (ToClient, "83 02", r#""function_code":3,"exception":true,"exception_code":2,"framing""#),
        (ToClient, "ff 01", r#""function_code":127,"exception":true,"exception_code":1,"framing""#),
        (ToServer, "01 0013", r#""function_code":1,"exception":false,"address":19,"framing""#),
    ] {
        let mut wire = tcp();
        wire.send(way, &adu(0x1234, 9, pdu));
        let direction = if way == ToServer { "request" } else { "response" };
        let length = hex(pdu).len() + 1;
        let head = format!(
            r#"{{"transaction_id":4660,"protocol_id":0,"length":{length},"unit_id":9,"direction":"{direction}","#
        );
        let unit = &wire.seen.units[0];
        assert!(unit.starts_with(&head), "{pdu}: {unit}");
        assert!(unit.contains(fields), "{pdu}:\n{unit}\n{fields}");
    }
}

#[test]
fn decoded_content_stands_behind_the_keys() {
    let wire = exchange("03 006b 0002", "03 04 022b 0064");
    assert!(
        wire.seen.units[1].ends_with(
            r#""framing":"mbap","function":"read_holding_registers","values":[555,100],"points":[{"kind":"holding_register","address":107,"value":555},{"kind":"holding_register","address":108,"value":100}]}"#
        ),
        "{}",
        wire.seen.units[1]
    );
    let wire = exchange("2b 0e 01 00", "2b 0e 01 01 00 00 01 00 03 414243");
    assert!(
        wire.seen.units[1].contains(r#""objects":[{"id":0,"name":"vendor_name","value":"ABC"}]"#),
        "{}",
        wire.seen.units[1]
    );
    let wire = exchange("5a 07 41", "5a 07 fd 83");
    assert!(wire.seen.units[0].contains(r#""umas_key":7,"umas_function":65"#), "{}", wire.seen.units[0]);
    assert!(wire.seen.operations[0].contains("restart 90/Some(65) umas_stop_plc"));
    assert!(wire.seen.operations[1].contains("refused=253:umas_error"), "{}", wire.seen.operations[1]);
}

#[test]
fn an_exception_answers_its_request_and_says_why() {
    for (code, name) in [
        (1, "illegal_function"),
        (2, "illegal_data_address"),
        (3, "illegal_data_value"),
        (4, "server_device_failure"),
        (5, "acknowledge"),
        (6, "server_device_busy"),
        (7, "negative_acknowledge"),
        (8, "memory_parity_error"),
        (10, "gateway_path_unavailable"),
        (11, "gateway_target_device_failed_to_respond"),
    ] {
        let wire = exchange("03 006b 0003", &format!("83 {code:02x}"));
        let reply = &wire.seen.operations[1];
        assert!(reply.contains(&format!("refused={code}:{name} answers=1")), "{reply}");
        assert!(reply.contains("response read 3/None"), "{reply}");
        assert!(reply.contains("holding_register[107..109]"), "{reply}");
        assert_eq!(wire.seen.defects, [""; 0]);
    }
}

#[test]
fn a_response_without_its_request_has_values_but_no_addresses() {
    let mut wire = tcp();
    wire.send(Direction::ToClient, &adu(1, 1, "03 04 022b 0064"));
    assert_eq!(
        wire.seen.points[0].join(" "),
        "holding_register[?]=Unsigned(555) holding_register[?]=Unsigned(100)"
    );
    wire.send(Direction::ToClient, &adu(1, 1, "01 01 05"));
    assert_eq!(wire.seen.points[1].len(), 8, "without the quantity every bit is shown");
}
