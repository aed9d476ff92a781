//! What is asked of a station, type by type, and by whom.

use super::*;

/// What no rule allows is told whatever its type: interrogations, counters, reads, parameters, files, and by its number what
/// is private.
#[test]
fn what_no_rule_allows_is_told_by_its_type() {
    let read_only = PROFILE.replace(
        "allow = [\"read\", \"report\", \"time\", \"select\", \"operate\", \"direct_operate\", \"cancel\"]",
        "allow = [\"report\"]",
    );
    assert_ne!(read_only, PROFILE);
    for (asdu, kind, observed) in [
        ("640106000a0000000014", K::UnprofiledFunction, "station interrogation (function 100/20)"),
        ("650106000a0000000005", K::UnprofiledFunction, "C_CI_NA_1 (function 101/5)"),
        ("650106000a0000000045", K::UnprofiledFunction, "C_CI_NA_1 (function 101/69)"),
        ("660105000a00640000", K::UnprofiledFunction, "C_RD_NA_1 (function 102) of information_object 100"),
        (
            "6e0106000a002c0100000101",
            K::UnprofiledControl,
            "P_ME_NA_1 (function 110/1) of information_object 300",
        ),
        (
            "700106000a002c01000000803f01",
            K::UnprofiledControl,
            "P_ME_NC_1 (function 112/1) of information_object 300",
        ),
        (
            "710106000a002c010003",
            K::UnprofiledFunction,
            "P_AC_NA_1 (function 113/3) of information_object 300",
        ),
        (
            "78010d000a00010000010010000080",
            K::UnprofiledFunction,
            "F_FR_NA_1 (function 120) of information_object 1",
        ),
        (
            "7a010d000a0001000001000001",
            K::UnprofiledFunction,
            "F_SC_NA_1 (function 122/1) of information_object 1",
        ),
        ("800106000a00010000ff", K::UnprofiledFunction, "an unknown function (function 128)"),
    ] {
        let outcome = Talk::started().ask(SECOND, asdu).judged(Some(&read_only));
        let [found] = outcome.of(kind)[..] else { panic!("{asdu}: {}", outcome.text) };
        assert_eq!(found["observed"], observed, "{asdu}");
        let without = Talk::started().ask(SECOND, asdu).judged(None);
        assert!(without.of(kind).is_empty(), "{asdu}: no profile says what is allowed");
    }
}

/// A host that comes late and asks a station for all that it has, as class polls of DNP3 do.
#[test]
fn an_interrogation_by_a_master_that_came_late_is_told() {
    let own = |port: u16, last: u8, second: u64, talk: Talk| {
        let talk = TcpTalk { client: address(last, port), ..talk.talk() };
        TcpTalk { start_ns: talk.start_ns + second * SECOND, ..talk }.frames()
    };
    let told = |second: u64| {
        let reports = (0..900).fold(Talk::started(), |talk, _| talk.tell(SECOND, "010103000a0064000001"));
        let asks = Talk::started()
            .ask(SECOND, "640106000a0000000014")
            .tell(20_000_000, "640107000a0000000014")
            .tell(20_000_000, "010114000a0064000001")
            .tell(20_000_000, "64010a000a0000000014");
        let mut frames = [own(40_000, 1, 0, reports), own(40_001, 9, second, asks)].concat();
        frames.sort_by_key(|frame| frame.at_ns);
        let outcome = judged(&frames, None, "iec104.pcap");
        outcome.of(K::IntegrityPoll).into_iter().map(|f| words(f).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        told(700),
        [
            "Class poll by a new master: 10.10.0.9 sent station interrogation (function 100, sub-function 20) to CA 10 at 10.10.0.20; expected polls by masters that were there in the first 10 min, observed station interrogation (function 100/20) as one of its first requests."
        ]
    );
    assert_eq!(told(60), [""; 0], "it was there from the beginning");
}
