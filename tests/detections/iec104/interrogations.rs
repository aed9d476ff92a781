//! Interrogations: by whom, when and how often.

use super::*;

/// A station interrogation, confirmed, terminated and acknowledged.
fn interrogate(talk: Talk, after_ns: u64) -> Talk {
    let talk = talk
        .ask(after_ns, "640106000a0000000014")
        .tell(20_000_000, "640107000a0000000014")
        .tell(20_000_000, "64010a000a0000000014");
    let acknowledged = (talk.sent[1] << 1).to_le_bytes().map(|octet| format!("{octet:02x}")).concat();
    talk.control(Side::Client, &format!("68040100{acknowledged}"))
}

/// One a minute for an hour.
fn hour() -> Talk {
    (0..60).fold(Talk::started(), |talk, _| interrogate(talk, 60 * SECOND - 60_000_000))
}

#[test]
fn an_interrogation_by_a_master_that_came_late_is_told() {
    let hour = hour().talk().frames();
    let with = |asdu_ns: u64, client: u8, start_ns: u64| {
        let own = interrogate(Talk::started(), asdu_ns).talk();
        let own = TcpTalk { start_ns, client: address(client, 40_001), ..own };
        let mut frames = [hour.clone(), own.frames()].concat();
        frames.sort_by_key(|frame| frame.at_ns);
        judged(&frames, None, "iec104.pcap")
    };
    let middle = hour[hour.len() / 2].at_ns;
    let outcome = with(SECOND, 9, middle);
    assert_eq!(outcome.kinds(), ["new_host", "new_master", "integrity_poll"], "{}", outcome.text);
    assert_eq!(
        words(outcome.of(K::IntegrityPoll)[0]),
        "Class poll by a new master: 10.10.0.9 sent station interrogation (function 100, sub-function 20) to CA 10 at \
         10.10.0.20; expected polls by masters that were there in the first 10 min, observed station interrogation \
         (function 100/20) as one of its first requests."
    );
    // One that was there from the start is no new one.
    assert!(with(SECOND, 9, hour[0].at_ns).of(K::IntegrityPoll).is_empty());
}

/// An interrogation 25 s after the last of the hour, behind what else happens, and ten that keep the beat.
fn extra(between: impl FnOnce(Talk) -> Talk) -> Outcome {
    let early = interrogate(between(hour()), 25 * SECOND - 60_000_000);
    let back = interrogate(early, 35 * SECOND - 60_000_000);
    (0..10).fold(back, |talk, _| interrogate(talk, 60 * SECOND - 60_000_000)).judged(None)
}

#[test]
fn an_interrogation_between_its_times_is_told_once() {
    let outcome = extra(|talk| talk);
    assert_eq!(outcome.kinds(), ["off_schedule_poll"], "{}", outcome.text);
    assert_eq!(
        words(outcome.of(K::OffSchedulePoll)[0]),
        "Integrity poll off its schedule: 10.10.0.1 sent station interrogation (function 100, sub-function 20) to CA 10 \
         at 10.10.0.20; expected station interrogation every 60.0 s, observed one 25.0 s after the last."
    );
    assert_eq!(hour().judged(None).kinds(), [""; 0]);
}

#[test]
fn a_start_of_transfer_and_an_initialised_station_explain_an_interrogation() {
    let restarted = extra(|talk| talk.tell(10_000_000, "460104000a0000000000"));
    assert!(restarted.of(K::OffSchedulePoll).is_empty(), "{}", restarted.text);
    let started_again = extra(|talk| {
        talk.control(Side::Client, "680413000000")
            .control(Side::Server, "680423000000")
            .control(Side::Client, "680407000000")
            .control(Side::Server, "68040b000000")
    });
    assert!(started_again.of(K::OffSchedulePoll).is_empty(), "{}", started_again.text);
}

#[test]
fn interrogations_one_after_the_other_are_told() {
    let all = (0..200).fold(hour(), |talk, _| interrogate(talk, 10_000_000)).judged(None);
    assert_eq!(all.kinds(), ["poll_period_changed"], "{}", all.text);
}
