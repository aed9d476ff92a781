//! Searches for stations and objects, and reports that nobody asked for.

use super::*;

#[test]
fn a_search_for_common_addresses_is_told() {
    let asks = |count: u8, step: u8| {
        (1..=count).fold(Talk::started(), |talk, n| {
            talk.ask(SECOND / 3, &format!("64010600{:02x}0000000014", n.wrapping_mul(step)))
        })
    };
    // Nobody answers.
    let outcome = asks(40, 3).judged(None);
    assert_eq!(outcome.of(K::StationSweep).len(), 1, "{}", outcome.text);
    assert!(words(outcome.of(K::StationSweep)[0]).contains("common addresses"), "{}", outcome.text);
    for step in [1, 3] {
        // Where only one side is seen, its own acknowledgements tell that nobody answers.
        let one_side = judged(&one_way(&asks(40, step).talk(), Side::Client), None, "iec104.pcap");
        let told = one_side.of(K::StationSweep);
        assert_eq!(told[0]["severity"], "medium", "{}", one_side.text);
        assert!(words(told[0]).contains("the asking side acknowledges none"), "{}", words(told[0]));
        // The master of a concentrator asks its stations in order, too. It acknowledges what they say: at once, or what
        // each says late.
        for late in [false, true] {
            let polls = (1..=40).fold(Talk::started(), |talk, n: u8| {
                let station =
                    |cause: u8, n: u8| format!("6401{cause:02x}00{:02x}0000000014", n.wrapping_mul(step));
                let talk = talk.ask(SECOND / 3, &station(6, n));
                if late && n < 3 { talk } else { talk.tell(SECOND / 50, &station(7, n - 2 * u8::from(late))) }
            });
            let both = judged(&polls.clone().talk().frames(), None, "iec104.pcap");
            assert!(both.of(K::StationSweep).is_empty(), "{}", both.text);
            let one_side = judged(&one_way(&polls.talk(), Side::Client), None, "iec104.pcap");
            assert!(one_side.of(K::StationSweep).is_empty(), "{}", one_side.text);
            assert!(one_side.withheld(K::StationSweep) > 0);
        }
    }
    // Asked all at once, none of them can have been acknowledged yet.
    let at_once = (1..=40)
        .fold(Talk::started(), |talk, n: u8| talk.ask(SECOND / 100, &format!("64010600{n:02x}0000000014")));
    let at_once = judged(&one_way(&at_once.talk(), Side::Client), None, "iec104.pcap");
    assert!(at_once.of(K::StationSweep).is_empty(), "{}", at_once.text);
    let by_profile = judged(&one_way(&asks(40, 1).talk(), Side::Client), Some(PROFILE), "iec104.pcap");
    assert!(!by_profile.of(K::StationSweep).is_empty(), "{}", by_profile.text);
}

/// A concentrator that holds a connection for each of its stations: every number begins anew, whatever came before.
#[test]
fn a_connection_for_each_common_address_is_no_search_where_answers_cannot_be_seen() {
    let frames: Vec<TimedFrame> = (1..=40_u8)
        .flat_map(|n| {
            let talk = Talk::started().ask(SECOND / 3, &format!("64010600{n:02x}0000000014"));
            let talk = TcpTalk::new(address(1, 40_000 + u16::from(n)), address(20, 2404), talk.lines);
            let frames = one_way(&talk, Side::Client).into_iter();
            frames.map(move |frame| TimedFrame { at_ns: frame.at_ns + u64::from(n) * SECOND, ..frame })
        })
        .collect();
    let outcome = judged(&frames, None, "iec104.pcap");
    assert!(outcome.of(K::StationSweep).is_empty(), "{}", outcome.text);
    assert!(outcome.withheld(K::StationSweep) > 0);
}

#[test]
fn objects_that_the_station_does_not_know_are_a_sweep() {
    let tries = |count: u16| {
        (0..count).fold(Talk::started(), |talk, n| {
            let object = format!("{:02x}{:02x}00", n & 0xFF, 0x40 + (n >> 8));
            talk.ask(SECOND / 2, &format!("2d0106000a00{object}01"))
                .tell(20_000_000, &format!("2d016f000a00{object}01"))
        })
    };
    let outcome = tries(30).judged(None);
    assert_eq!(outcome.of(K::PointSweep).len(), 1, "{}", outcome.text);
    assert!(tries(4).judged(None).of(K::PointSweep).is_empty());
}

#[test]
fn an_interrogation_brings_no_storm_and_chatter_does() {
    let reports = |cause: &str| {
        let asked =
            Talk::started().ask(SECOND, "640106000a0000000014").tell(20_000_000, "640107000a0000000014");
        (0..150).fold(asked, |talk, n| talk.tell(10_000_000, &format!("0101{cause}000a00{n:02x}000001")))
    };
    assert!(reports("14").judged(None).of(K::UnsolicitedStorm).is_empty(), "they were asked for");
    assert_eq!(reports("03").judged(None).of(K::UnsolicitedStorm).len(), 1);
    // They are judged as reports all the same.
    let silent = PROFILE.replace("\"read\", \"report\", ", "");
    let [asked, chatter] = ["14", "03"].map(|cause| reports(cause).judged(Some(&silent)));
    let others: Vec<_> = chatter.kinds().into_iter().filter(|kind| *kind != "unsolicited_storm").collect();
    assert!(!others.is_empty() && asked.kinds() == others, "{:?} {others:?}", asked.kinds());
}

#[test]
fn reports_of_an_interrogation_that_nobody_sent_are_a_storm() {
    let reports = |mut talk: Talk| {
        for _ in 0..2000 {
            talk = talk.tell(1_000_000, "010114000a0064000001");
        }
        talk
    };
    let storm = |talk: Talk| talk.judged(None).of(K::UnsolicitedStorm).len();
    assert_eq!(storm(reports(Talk::started())), 1);
    let asked = Talk::started().ask(SECOND, "640106000a0000000014").tell(20_000_000, "640107000a0000000014");
    assert_eq!(storm(reports(asked)), 0);
    // Half an hour later it belongs to no interrogation any more.
    let mut late =
        Talk::started().ask(SECOND, "640106000a0000000014").tell(20_000_000, "640107000a0000000014");
    late = late.tell(1800 * SECOND, "010103000a0064000001");
    assert_eq!(storm(reports(late)), 1);
    let unseen = midstream(reports(Talk::default()).talk());
    assert!(
        judged(&unseen, None, "a.pcap").of(K::UnsolicitedStorm).is_empty(),
        "it may have been sent before"
    );
}
