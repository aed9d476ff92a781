//! Rule 1 of the contract: how the octets are cut into chunks changes nothing. And every octet is either
//! in a unit or counted as skipped.

use proptest::prelude::*;

use super::*;
use Direction::{ToClient, ToServer};

/// A stream in pieces, each one frame of one direction; `None` is a gap.
type Script = Vec<(Direction, Option<Vec<u8>>)>;

fn run(script: &Script, port_known: bool, mut cuts: impl FnMut(usize) -> Vec<usize>) -> Wire {
    let mut wire = tcp();
    if !port_known {
        wire.flow.port_side = None;
    }
    for (direction, octets) in script {
        match octets {
            Some(octets) => wire.send_split(*direction, octets, &cuts(octets.len())),
            None => wire.lose(*direction, None),
        }
    }
    wire.finish();
    wire
}

/// The first line in which two runs differ, for a report that can be read.
fn first_difference(a: &Wire, b: &Wire) -> Option<(String, String)> {
    let longest = a.seen.lines.len().max(b.seen.lines.len());
    let line = |wire: &Wire, i: usize| wire.seen.lines.get(i).cloned().unwrap_or_default();
    (0..longest).map(|i| (line(a, i), line(b, i))).find(|(a, b)| a != b)
}

fn same_however_cut(script: &Script, port_known: bool, seed: u64) -> Result<(), TestCaseError> {
    let whole = run(script, port_known, |_| Vec::new());
    let single = run(script, port_known, |length| (1..length).collect());
    prop_assert_eq!(first_difference(&whole, &single), None);
    let mut random = seed;
    let some = run(script, port_known, |length| {
        let mut cuts: Vec<usize> = (0..4)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) as usize % (length + 1)
            })
            .collect();
        cuts.sort_unstable();
        cuts
    });
    prop_assert_eq!(first_difference(&whole, &some), None);
    let fed: usize = script.iter().filter_map(|(_, octets)| octets.as_ref()).map(Vec::len).sum();
    prop_assert_eq!(whole.seen.unit_octets as u64 + whole.seen.skipped, fed as u64);
    prop_assert!(single.longest_tail < 1200, "waits for {} octets", single.longest_tail);
    Ok(())
}

const PDUS: [&str; 16] = [
    "01 0013 0013",
    "03 006b 0003",
    "05 00ac ff00",
    "07",
    "08 0000 a537",
    "0f 0013 000a 02 cd 01",
    "10 0001 0002 04 000a 0102",
    "14 0e 06 0004 0001 0002 06 0003 0009 0002",
    "17 0003 0006 000e 0003 06 00ff 00ff 00ff",
    "18 04de",
    "2b 0e 01 00",
    "2b 0e 01 01 00 00 02 00 03 414243 02 02 5631",
    "03 06 022b 0000 0064",
    "83 02",
    "5a 00 02",
    "41 0102",
];

/// One piece of a stream: sound, damaged, or nothing like Modbus.
fn piece() -> impl Strategy<Value = Option<Vec<u8>>> {
    let sound = (any::<u16>(), 0..3_u8, 0..PDUS.len()).prop_map(|(id, unit, i)| adu(id % 4, unit, PDUS[i]));
    let rtu = (0..3_u8, 0..PDUS.len()).prop_map(|(unit, i)| frame(unit, PDUS[i]));
    let damaged =
        (sound_adu(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut adu, at, octet)| {
            let at = at.index(adu.len());
            adu[at] = octet;
            adu
        });
    let cut = (sound_adu(), any::<prop::sample::Index>()).prop_map(|(mut adu, at)| {
        adu.truncate(at.index(adu.len()));
        adu
    });
    let zeros = prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => 0..32_u8], 0..40);
    let rubbish = prop::collection::vec(any::<u8>(), 0..600);
    let tls = Just(hex("1603 0102 0001 0001 fc03 03aa bbcc"));
    let long = (254..700_u16, 0..PDUS.len()).prop_map(|(length, i)| {
        let mut adu = adu(1, 1, PDUS[i]);
        adu[4..6].copy_from_slice(&length.to_be_bytes());
        adu
    });
    prop_oneof![
        10 => sound.prop_map(Some),
        2 => rtu.prop_map(Some),
        3 => damaged.prop_map(Some),
        2 => cut.prop_map(Some),
        2 => zeros.prop_map(Some),
        1 => rubbish.prop_map(Some),
        1 => tls.prop_map(Some),
        1 => long.prop_map(Some),
        1 => Just(None),
    ]
}

fn sound_adu() -> impl Strategy<Value = Vec<u8>> {
    (any::<u16>(), 0..3_u8, 0..PDUS.len()).prop_map(|(id, unit, i)| adu(id % 4, unit, PDUS[i]))
}

fn script() -> impl Strategy<Value = Script> {
    let way = prop_oneof![Just(ToServer), Just(ToClient)];
    prop::collection::vec((way, piece()), 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn cutting_a_stream_changes_nothing(script in script(), port_known: bool, seed: u64) {
        same_however_cut(&script, port_known, seed)?;
    }

    #[test]
    fn rtu_streams_too(pieces in prop::collection::vec((0..2_u8, 0..3_u8, 0..PDUS.len(), any::<u8>()), 0..12), seed: u64) {
        let script: Script = pieces
            .into_iter()
            .map(|(way, unit, i, spoil)| {
                let mut octets = frame(unit, PDUS[i]);
                if spoil < 40 {
                    let at = usize::from(spoil) % octets.len();
                    octets[at] ^= 0x55;
                }
                (if way == 0 { ToServer } else { ToClient }, Some(octets))
            })
            .collect();
        same_however_cut(&script, seed.is_multiple_of(2), seed)?;
    }

    #[test]
    fn datagrams_of_any_octets_are_accounted_for(script in script()) {
        let mut wire = udp();
        let mut fed = 0;
        for (direction, octets) in &script {
            if let Some(octets) = octets {
                wire.send(*direction, octets);
                fed += octets.len();
            }
        }
        wire.finish();
        prop_assert_eq!(wire.seen.unit_octets as u64 + wire.seen.skipped, fed as u64);
    }

    #[test]
    fn any_octets_are_a_pdu_or_counted(octets in prop::collection::vec(any::<u8>(), 0..2000), seed: u64) {
        same_however_cut(&vec![(ToServer, Some(octets))], true, seed)?;
    }
}

#[test]
fn a_long_conversation_reads_the_same_octet_by_octet() {
    let mut script: Script = Vec::new();
    for id in 0..200_u16 {
        script.push((ToServer, Some(adu(id, 1, "03 006b 0003"))));
        script.push((ToClient, Some(adu(id, 1, "03 06 022b 0000 0064"))));
    }
    same_however_cut(&script, true, 1).unwrap();
    let wire = run(&script, true, |_| Vec::new());
    assert_eq!(wire.seen.operations.len(), 400);
    assert_eq!(wire.seen.defects, [""; 0]);
}
