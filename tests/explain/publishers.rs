//! Publishers: the section, or the value in one, that would allow what was published.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::goose;
use simulators::wire::{START_NS, TimedFrame};

use super::*;

/// Messages of one control block, one a second, as `change` makes them.
fn messages(bay: u8, change: fn(&mut goose::Frame)) -> Vec<TimedFrame> {
    let message = |second: u64| {
        let pdu = goose::Pdu {
            control_block: format!("BAY{bay}/LLN0$GO$gcb1"),
            time_allowed_to_live: 2000,
            data_set: format!("BAY{bay}/LLN0$Trip"),
            id: Some(format!("BAY{bay}")),
            time: goose::UtcTime::at(START_NS),
            state: 1,
            sequence: second as u32 + 9,
            revision: 3,
            data: vec![goose::Data::Boolean(false)],
            ..goose::Pdu::default()
        };
        let (destination, source) = ([1, 0x0c, 0xcd, 1, 0, bay], [2, 0, 0, 0, 0, bay]);
        let mut frame = goose::Frame { destination, source, appid: 0x1000, pdu, ..goose::Frame::default() };
        change(&mut frame);
        TimedFrame { at_ns: START_NS + second * 1_000_000_000, bytes: frame.encode() }
    };
    (0..5).map(message).collect()
}

const BAYS: &str = r#"[profile]
name = "bays"
[publishers.first]   # the first bay
control_block = "BAY1/LLN0$GO$gcb1"
appid = 0x1000
source = ["02:00:00:00:00:01"]   # its port A
destination = "01:0c:cd:01:00:01"
vlan = 12
data_set = "BAY1/LLN0$Trip"
go_id = "BAY1"
conf_rev = 3
entries = 1
"#;

#[test]
fn a_publisher_in_another_way_than_the_profile_says() {
    type Alter = fn(&mut goose::Frame);
    let cases: [(Alter, &str); 8] = [
        (|f| f.source[5] = 99, "source = [\"02:00:00:00:00:01\", \"02:00:00:00:00:63\"]"),
        (|f| f.destination[5] = 99, "destination = \"01:0c:cd:01:00:63\""),
        (|f| f.appid = 0x2001, "appid = 0x2001"),
        (|f| f.tags = vec![goose::Tag::new(13, 4)], "vlan = 13"),
        (|f| f.pdu.data_set = "BAY1/LLN0$Ot\"er".into(), "data_set = 'BAY1/LLN0$Ot\"er'"),
        (|f| f.pdu.id = Some("OTHER".into()), "go_id = \"OTHER\""),
        (|f| f.pdu.revision = 4, "conf_rev = 4"),
        (|f| f.pdu.data.push(goose::Data::Boolean(true)), "entries = 2"),
    ];
    for (change, edit) in cases {
        let (why, proposed, changed) = silenced(&Case {
            kind: K::PublisherDiffers,
            profile: BAYS,
            frames: [messages(1, change), messages(2, |_| {})].concat(),
            near: vec![
                (messages(2, change), K::UnprofiledPublisher),
                (messages(1, |f| f.pdu.control_block.push('x')), K::UnprofiledPublisher),
            ],
            with: &[],
        });
        assert_eq!(proposed.edits[0].to_string(), edit);
        assert_eq!(proposed.edits[0].entry(), "[publishers.first]");
        assert!(why[0].starts_with("the nearest: publisher 'first' with "), "{why:?}");
        assert!(changed.contains("[publishers.first]   # the first bay\n"), "{changed}");
        // What else it might be stays forbidden.
        let other = judged(&messages(1, |f| f.source = [2, 0, 0, 0, 0, 7]), Some(&changed), "b.pcap");
        assert!(!other.of(K::PublisherDiffers).is_empty(), "{edit}");
    }
}

#[test]
fn a_publisher_that_the_profile_does_not_name() {
    let (why, change, _) = silenced(&Case {
        kind: K::UnprofiledPublisher,
        profile: BAYS,
        frames: [messages(2, |f| f.tags = vec![goose::Tag::new(12, 4)]), messages(3, |_| {})].concat(),
        near: vec![
            (messages(3, |_| {}), K::UnprofiledPublisher),
            (messages(2, |f| f.source[5] = 9), K::PublisherDiffers),
            (messages(2, |f| f.appid = 9), K::PublisherDiffers),
        ],
        with: &[],
    });
    assert_eq!(why, ["no publisher has this control block"]);
    assert_eq!(
        change.append,
        "\n[publishers.BAY2-LLN0-GO-gcb1]\ncontrol_block = \"BAY2/LLN0$GO$gcb1\"\nappid = 0x1000\n\
         source = [\"02:00:00:00:00:02\"]\ndestination = \"01:0c:cd:01:00:02\"\nvlan = 12\n"
    );
}
