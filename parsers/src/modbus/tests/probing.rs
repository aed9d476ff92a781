//! Modbus on ports nobody configured, and what must not be taken for it.

use super::*;

fn probe(to_server: &[u8], to_client: &[u8]) -> Probe {
    (DISSECTOR.probe)(&Beginning { bytes: [to_server, to_client], transport: Transport::Tcp })
}

#[test]
fn two_adus_in_a_row_are_modbus_and_one_may_be() {
    let one = adu(1, 1, "03 006b 0003");
    let two = [one.clone(), adu(2, 1, "03 006b 0003")].concat();
    assert_eq!(probe(&one, &[]), Probe::More);
    assert_eq!(probe(&two, &[]), Probe::Yes);
    assert_eq!(probe(&[], &two), Probe::Yes);
    assert_eq!(probe(&two[..20], &[]), Probe::More);
    assert_eq!(probe(&[], &[]), Probe::More);
}

#[test]
fn a_request_and_its_answer_are_modbus() {
    let request = adu(7, 1, "03 006b 0003");
    assert_eq!(probe(&request, &adu(7, 1, "03 06 022b 0000 0064")), Probe::Yes);
    assert_eq!(probe(&request, &adu(7, 1, "83 02")), Probe::Yes);
    assert_eq!(probe(&request, &adu(8, 1, "03 06 022b 0000 0064")), Probe::More);
    assert_eq!(probe(&adu(7, 0, "5a 00 02"), &adu(7, 0, "5a 00 fe 01")), Probe::Yes, "UMAS");
    assert_eq!(probe(&[adu(0, 0, "5a 00 02"), adu(1, 0, "5a 00 01")].concat(), &[]), Probe::Yes);
    assert_eq!(probe(&[adu(0, 0, "5a 00 02"), adu(9, 0, "5a 00 01")].concat(), &[]), Probe::More);
}

#[test]
fn rtu_needs_two_good_checksums() {
    let one = frame(1, "03 006b 0003");
    let answer = frame(1, "03 06 022b 0000 0064");
    assert_eq!(probe(&one, &[]), Probe::More);
    assert_eq!(probe(&one, &answer), Probe::Yes);
    assert_eq!(probe(&[one.clone(), one.clone()].concat(), &[]), Probe::Yes);
    let mut spoilt = one;
    spoilt[6] ^= 1;
    assert_eq!(probe(&spoilt, &[]), Probe::No);
}

#[test]
fn other_protocols_are_refused_at_once() {
    for octets in [
        hex("1603 0102 0001 0001 fc03 03"),
        hex("0000 0085 ff53 4d42 7200 0000 0018 53c8 0000"), // SMB behind NetBIOS
        hex("0000 00a4 fe53 4d42 4000 0000 0000 0000"),
        hex("8100 0044 2046 4845 5046"), // NetBIOS session request
        hex("001d 1234 0100 0001 0000 0000 0000 03777777"), // DNS over TCP
        hex("001d 0000 0100 0001 0000 0000 0000 03777777"),
        hex("0300 0016 11e0 0000 0014 00c1"),
        hex("0564 05c0 0100 0a00 e07f"),
        hex("6804 0700 0000 6804 8300 0000"), // IEC 104
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
    ] {
        assert_eq!(probe(&octets, &[]), Probe::No, "{octets:02x?}");
        assert_eq!(probe(&[], &octets), Probe::No, "{octets:02x?}");
    }
}

#[test]
fn random_octets_are_never_modbus() {
    let mut random = 0x1234_5678_9ABC_DEF0_u64;
    let mut octets = [0_u8; 512];
    for _ in 0..20_000 {
        for slot in &mut octets {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Many zeros, since those are what an MBAP header consists of.
            let octet = (random >> 56) as u8;
            *slot = if octet < 100 { 0 } else { octet % 32 };
        }
        assert_ne!(probe(&octets[..256], &octets[256..]), Probe::Yes, "{octets:02x?}");
    }
}
