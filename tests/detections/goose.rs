//! GOOSE: what continues a publisher's states and what does not; who is believed afterwards.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;

use super::messages::{
    BAY1, Goose, MS, OFF, ON, SECOND, altered, goose, happened, only, other, says, seen, seen_by,
    seen_changing, steady, trip,
};
use super::support::judge::{Outcome, judged};

#[test]
fn a_legitimate_trip_is_one_readable_event_and_no_finding() {
    let outcome = seen(&[steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat());
    assert_eq!(outcome.kinds(), [""; 0], "{}", outcome.text);
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "state_changed"]);
    let line = outcome.text.lines().find(|line| line.contains("state_changed")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["changes"], "member 0: false to true");
    assert_eq!((line["state"].as_u64(), line["server"].as_str()), (Some(2), Some("02:00:00:00:00:01")));
}

#[test]
fn any_stack_of_vlan_tags_is_read_and_a_missing_tag_is_no_other_publisher() {
    for stack in [vec![], vec![0], vec![5], vec![9, 5], vec![9, 0, 5]] {
        let mut messages = steady(0, 5, 1);
        messages[3].vlan.clone_from(&stack);
        assert_eq!(seen(&messages).kinds(), [""; 0], "{stack:?}");
    }
    let mut messages = steady(0, 5, 1);
    for m in &mut messages {
        m.vlan = vec![5];
    }
    messages[3].vlan = vec![6];
    let finding = altered(&seen(&messages), K::GooseSecondPublisher);
    assert!(says(&finding).contains("VLAN 5"), "{}", says(&finding));
}

#[test]
fn a_second_publisher_is_told_and_not_adopted() {
    let mut forged = steady(3, 8, 1);
    for m in &mut forged {
        (m.from, m.at) = (9, m.at + 200 * MS);
    }
    let outcome = seen(&[steady(0, 20, 1), forged].concat());
    let finding = only(&outcome, K::GooseSecondPublisher);
    assert_eq!(
        says(&finding),
        "Second publisher of one control block: 02:00:00:00:00:09 published to 01:0c:cd:01:00:01; expected \
         'BAY1/LLN0$GO$gcb1' only from 02:00:00:00:00:01 to 01:0c:cd:01:00:01, APPID 0x0001, observed the same \
         from 02:00:00:00:00:09 to 01:0c:cd:01:00:01, APPID 0x0001, state 1, sqNum 0."
    );
    assert_eq!(happened(&outcome, BAY1), ["first_seen"]);
    // The same source with another APPID, or to another group, is another publisher too.
    for (change, observed) in [
        ((|m| m.appid = 0x0007) as fn(&mut Goose), "to 01:0c:cd:01:00:01, APPID 0x0007, state 1, sqNum 0."),
        (|m| m.to = 9, "to 01:0c:cd:01:00:09, APPID 0x0001, state 1, sqNum 0."),
    ] {
        let mut forged = steady(3, 8, 1);
        for m in &mut forged {
            change(m);
            m.at += 200 * MS;
        }
        let outcome = seen(&[steady(0, 20, 1), forged].concat());
        let finding = only(&outcome, K::GooseSecondPublisher);
        assert!(says(&finding).ends_with(observed), "{}", says(&finding));
        assert_eq!(happened(&outcome, BAY1), ["first_seen"]);
    }
    // Near miss: another control block from another source is another publisher.
    assert_eq!(seen(&[steady(0, 10, 1), other(10)].concat()).kinds(), [""; 0]);
}

#[test]
fn a_poisoned_state_number_is_told_once_and_the_true_publisher_stays_the_true_one() {
    let poison = Goose { t: 5, data: ON.to_vec(), ..goose(5 * SECOND + 100 * MS, 9999, 0) };
    let outcome = seen(&[steady(0, 30, 1), vec![poison]].concat());
    let finding = only(&outcome, K::GooseStateJump);
    assert_eq!(
        says(&finding),
        "GOOSE state number jumps ahead: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected what follows \
         state 1, sqNum 5 of 'BAY1/LLN0$GO$gcb1', observed state 9999, sqNum 0: states that cannot all have been \
         missed."
    );
    assert_eq!(happened(&outcome, BAY1), ["first_seen"], "the forger is not adopted");
    // Near miss: the same with the tap losing frames and few states, and after a silence.
    let next = Goose { t: 5, data: ON.to_vec(), ..goose(11 * SECOND, 3, 0) };
    let outcome = seen_by(&[10 * SECOND], None, &[steady(0, 10, 1), vec![next]].concat());
    assert!(outcome.of(K::GooseStateJump).is_empty(), "{}", outcome.text);
    assert!(outcome.withheld(K::GooseSequence) > 0);
}

#[test]
fn a_forged_next_state_is_found_when_the_true_one_goes_on() {
    let forged = Goose { t: 5, data: ON.to_vec(), ..goose(5 * SECOND + 100 * MS, 2, 0) };
    let outcome = seen(&[steady(0, 30, 1), vec![forged]].concat());
    let finding = only(&outcome, K::GooseTwoSequences);
    assert!(
        says(&finding).ends_with("expected one sequence of states of 'BAY1/LLN0$GO$gcb1', observed state 1, sqNum 6 goes on after state 2 had begun."),
        "{}",
        says(&finding)
    );
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "state_changed"]);
    // Near miss: the old state's last message is overtaken by the new state.
    let mut messages = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    messages.push(goose(10 * SECOND + 302 * MS, 1, 11));
    assert!(seen(&messages).of(K::GooseTwoSequences).is_empty());
}

#[test]
fn a_replayed_trip_is_told() {
    let mut messages = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    let mut replayed = trip(10 * SECOND + 300 * MS, 2);
    replayed.truncate(4);
    let back: Vec<_> =
        (14..30).map(|n| Goose { t: 14, ..goose(n * SECOND, 3, u32::try_from(n - 14).unwrap()) }).collect();
    for message in &mut replayed {
        message.at += 10 * SECOND;
    }
    messages.extend(back);
    messages.extend(replayed);
    let finding = only(&seen(&messages), K::GooseReplay);
    assert!(
        says(&finding).ends_with("observed state 2, sqNum 0: a state that is over."),
        "{}",
        says(&finding)
    );
    // An earlier repetition of the same state is a replay, too; one that was overtaken is not.
    let mut again = steady(0, 10, 1);
    again.push(goose(8 * SECOND + 400 * MS, 1, 3));
    let finding = only(&seen(&again), K::GooseReplay);
    assert!(says(&finding).ends_with("a message that was there before."), "{}", says(&finding));
    let mut overtaken = steady(0, 10, 1);
    overtaken.push(goose(8 * SECOND + 5 * MS, 1, 7));
    overtaken[7].sequence = 7;
    assert_eq!(seen(&overtaken).kinds(), [""; 0]);
}

#[test]
fn other_values_or_another_time_within_a_state_are_told() {
    let mut messages = steady(0, 20, 1);
    messages[5].data = ON.to_vec();
    let finding = altered(&seen(&messages), K::GooseStateContradicted);
    assert!(says(&finding).contains("others in the same state, sqNum 5"), "{}", says(&finding));
    let mut messages = steady(0, 20, 1);
    messages[5].t = 3;
    altered(&seen(&messages), K::GooseStateContradicted);
}

#[test]
fn lost_messages_are_told_low_and_impossible_jumps_high() {
    let mut messages = steady(0, 20, 1);
    messages.remove(6);
    let finding = only(&seen(&messages), K::GooseSequence);
    assert_eq!(finding["severity"], "low");
    assert!(says(&finding).ends_with("observed state 1, sqNum 7: 1 message missing."), "{}", says(&finding));
    // The tap lost them: nothing is said of the publisher.
    let outcome = seen_by(&[6 * SECOND], None, &messages);
    assert!(outcome.of(K::GooseSequence).is_empty() && outcome.withheld(K::GooseSequence) > 0);

    let mut messages = steady(0, 20, 1);
    messages.push(goose(6 * SECOND + 300 * MS, 1, 9999));
    let finding = only(&seen(&messages), K::GooseSequence);
    assert_eq!(finding["severity"], "high");
    assert!(says(&finding).contains("sqNum 9999: messages that cannot all have been missed"));
}

#[test]
fn the_same_number_again_and_again_is_told() {
    let mut messages = steady(0, 20, 1);
    messages.iter_mut().skip(5).for_each(|m| m.sequence = 4);
    let outcome = seen(&messages);
    let finding = outcome.of(K::GooseSequence)[0];
    assert!(
        says(finding).contains("sqNum 4 of 'BAY1/LLN0$GO$gcb1', 3 times more in a row"),
        "{}",
        says(finding)
    );
    // Once is a copy that took another way.
    let mut messages = steady(0, 20, 1);
    messages.push(Goose { at: 5 * SECOND + MS, ..messages[5].clone() });
    assert_eq!(seen(&messages).kinds(), [""; 0]);
}

#[test]
fn a_new_state_without_a_new_value_and_one_that_begins_late_are_told() {
    let mut messages = steady(0, 5, 1);
    messages.extend((6..20).map(|n| Goose { t: 6, ..goose(n * SECOND, 2, u32::try_from(n - 6).unwrap()) }));
    let finding = only(&seen(&messages), K::GooseEmptyChange);
    assert!(says(&finding).contains("state 2 of 'BAY1/LLN0$GO$gcb1' with the same values"));
    let mut messages = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    messages.remove(11);
    messages.remove(11);
    let outcome = seen(&messages);
    assert!(!outcome.of(K::GooseSequence).is_empty() && outcome.of(K::GooseStateJump).is_empty());
}

#[test]
fn silence_is_told_and_withheld_where_the_tap_was_blind() {
    let outcome = seen(&[steady(0, 10, 1), other(60)].concat());
    let severities: Vec<_> = outcome.of(K::GooseSilent).iter().map(|f| f["severity"].clone()).collect();
    assert_eq!(severities, ["low", "high"], "late first, then lasting");
    let finding = only(&seen(&[steady(0, 10, 1), other(30)].concat()), K::GooseSilent);
    assert_eq!(
        says(&finding),
        "GOOSE publisher silent, loss of protection signals: between 01:0c:cd:01:00:01 and 02:00:00:00:00:01; \
         expected the next message of 'BAY1/LLN0$GO$gcb1' within 2500 ms, as the last one says, observed none for \
         2 s; the last was state 1, sqNum 10."
    );
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "silent"]);
    // Near miss: every second message is 2 s late, and 2.5 s are allowed.
    let slow = (0..20).map(|n| goose(n * 2 * SECOND + 400 * MS * (n % 2), 1, u32::try_from(n).unwrap()));
    assert_eq!(seen(&[slow.collect(), other(40)].concat()).kinds(), [""; 0]);
    // It comes back and has lost nothing that can be told.
    let mut back = steady(0, 40, 1);
    back.drain(11..20);
    let outcome = seen(&[back, other(45)].concat());
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "silent", "back", "silent"]);
    // The tap heard nobody, or lost frames.
    assert_eq!(seen(&[steady(0, 10, 1), steady(11, 12, 1)].concat()).of(K::GooseSilent).len(), 0);
    let outcome = seen_by(&[12 * SECOND], None, &[steady(0, 10, 1), other(30)].concat());
    assert!(outcome.of(K::GooseSilent).is_empty() && outcome.withheld(K::GooseSilent) > 0);
}

#[test]
fn a_restart_after_a_silence_is_told_low_and_the_new_states_are_followed() {
    let mut messages = [steady(0, 10, 40), other(40)].concat();
    messages
        .extend((20..40).map(|n| Goose { t: 20, ..goose(n * SECOND, 1, u32::try_from(n - 19).unwrap()) }));
    let outcome = seen(&messages);
    assert_eq!(outcome.kinds(), ["goose_silent", "goose_restart"], "{}", outcome.text);
    assert_eq!(outcome.of(K::GooseRestart)[0]["severity"], "low");
    assert!(says(outcome.of(K::GooseRestart)[0]).contains("begins again with state 1"));
    // The same with a time that is over was sent before.
    let mut messages = steady(0, 20, 40);
    messages.push(Goose { t: -9, ..goose(9 * SECOND + 300 * MS, 1, 1) });
    only(&seen(&messages), K::GooseReplay);
}

/// The first messages of a publisher whose control block was enabled anew at 10.3 s.
fn begun_anew(last: u64) -> Vec<Goose> {
    let message = |n: u64| Goose { t: 10, ..goose(n * SECOND + 300 * MS, 1, u32::try_from(n - 9).unwrap()) };
    (10..=last).map(message).collect()
}

#[test]
fn a_restart_without_a_silence_is_told_medium_and_a_forged_one_critical() {
    for state in [1, 40] {
        let outcome = seen(&[steady(0, 10, state), begun_anew(30)].concat());
        let finding = only(&outcome, K::GooseRestart);
        assert_eq!(finding["severity"], "medium");
        assert!(
            says(&finding).ends_with(
                "'BAY1/LLN0$GO$gcb1' begins again with state 1, 300 ms after a message that allowed 2500 ms."
            ),
            "{}",
            says(&finding)
        );
        assert_eq!(happened(&outcome, BAY1), ["first_seen", "restarted"]);
        // The true publisher goes on: it was no restart.
        let outcome = seen(&[steady(0, 30, state), begun_anew(10)].concat());
        assert_eq!(outcome.kinds(), ["goose_restart", "goose_two_sequences"], "{}", outcome.text);
        assert_eq!(outcome.of(K::GooseTwoSequences)[0]["severity"], "critical");
    }
}

/// Near miss of a restart: behind its highest value a state number begins again with 1 (IEC 61850-8-1, 18.1.2.5).
#[test]
fn a_state_number_that_has_come_to_its_end_is_no_restart() {
    let outcome = seen(&[steady(0, 10, u32::MAX), trip(10 * SECOND + 300 * MS, 1)].concat());
    assert_eq!(outcome.kinds(), [""; 0], "{}", outcome.text);
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "state_changed"]);
}

/// A publisher that stamps every message and begins a new state every five seconds.
fn stamping() -> Vec<Goose> {
    let message = |n: u32| Goose {
        t: i64::from(n),
        data: if (n / 5).is_multiple_of(2) { OFF.to_vec() } else { ON.to_vec() },
        ..goose(u64::from(n) * SECOND, n / 5 + 1, n % 5)
    };
    (0..30).map(message).collect()
}

#[test]
fn a_device_that_stamps_every_message_and_changes_values_within_a_state_is_no_second_sender() {
    let contradictions = |messages: &[Goose]| {
        let outcome = seen(messages);
        assert!(outcome.of(K::GooseTwoSequences).is_empty(), "{}", outcome.text);
        outcome.of(K::GooseStateContradicted).iter().map(|f| f["severity"].clone()).collect::<Vec<_>>()
    };
    assert!(contradictions(&stamping()).is_empty());
    let mut messages = stamping();
    messages[13].data = ON.to_vec();
    messages[14].data = ON.to_vec();
    assert_eq!(contradictions(&messages), ["low", "medium"], "no new state follows");
    // Injected: the true message with the same number comes after it.
    let mut messages = stamping();
    messages.push(Goose { t: 12, data: ON.to_vec(), ..goose(12 * SECOND + 500 * MS, 3, 3) });
    assert!(contradictions(&messages).contains(&Value::from("critical")));
    // Who has never stamped a repetition has no such excuse.
    let mut messages = steady(0, 20, 1);
    (messages[5].t, messages[5].data) = (5, ON.to_vec());
    altered(&seen(&messages), K::GooseStateContradicted);
}

/// The repetition that is due just before a new state goes out tells the new values already.
#[test]
fn a_repetition_that_tells_the_next_state_early_is_no_alarm() {
    let early = |after_ms: u64, data: &[u8]| {
        let mut messages = stamping();
        let last = Goose { data: data.to_vec(), ..messages[14].clone() };
        messages[14] = Goose { at: messages[15].at - after_ms * MS, t: 15, ..last };
        let outcome = seen(&messages);
        let of = |kind| outcome.of(kind).iter().map(|f| f["severity"].clone()).collect::<Vec<_>>();
        (of(K::GooseStateContradicted), of(K::GooseEmptyChange), outcome)
    };
    let (contradicted, empty, outcome) = early(5, ON);
    assert_eq!((contradicted, empty), (vec!["low".into()], vec!["low".into()]), "{}", outcome.text);
    assert_eq!(
        says(outcome.of(K::GooseEmptyChange)[0]),
        "New GOOSE state without a new value: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected a new \
         state with other values, observed state 4 of 'BAY1/LLN0$GO$gcb1' with the same values."
    );
    // The new state tells something else: nothing explains what the repetition told.
    let mut messages = stamping();
    messages[14] = Goose { at: messages[15].at - 5 * MS, t: 15, data: ON.to_vec(), ..messages[14].clone() };
    for message in &mut messages[15..20] {
        message.data = OFF.to_vec();
    }
    let outcome = seen(&messages);
    let told: Vec<_> = outcome.of(K::GooseStateContradicted).iter().map(|f| says(f).to_owned()).collect();
    assert_eq!(told.len(), 2, "{}", outcome.text);
    assert_eq!(
        told[1],
        "Other values in the same GOOSE state: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected a new \
         state of 'BAY1/LLN0$GO$gcb1' that tells the values which a repetition of state 3 told, observed state 4, \
         sqNum 0, 5 ms after them."
    );
}

#[test]
fn other_values_in_the_present_state_do_not_continue_the_old_one() {
    let mut messages = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    messages.push(Goose { t: 10, ..goose(10 * SECOND + 700 * MS, 2, 7) });
    only(&seen(&messages), K::GooseStateContradicted);
}

#[test]
fn a_suspect_is_believed_when_the_trusted_one_has_fallen_silent() {
    // A device is replaced: another address, other states.
    let mut new = steady(20, 60, 3);
    for m in &mut new {
        m.from = 8;
    }
    let outcome = seen(&[steady(0, 15, 1), new, other(60)].concat());
    assert_eq!(outcome.of(K::GooseSecondPublisher).len(), 1, "{}", outcome.text);
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "silent", "adopted"]);
}

#[test]
fn a_flood_is_told() {
    let flood = |per_second: u64| {
        let burst = (0..per_second).map(|n| goose(5 * SECOND + n * MS, 1, u32::try_from(n + 5).unwrap()));
        [steady(0, 4, 1), burst.collect()].concat()
    };
    let outcome = seen(&flood(300));
    let finding = outcome.of(K::GooseFlood)[0];
    assert!(
        says(finding)
            .contains("at most 200 messages of 'BAY1/LLN0$GO$gcb1' in a second, observed more than 200")
    );
    assert!(seen(&flood(150)).of(K::GooseFlood).is_empty());
}

#[test]
fn times_that_cannot_be_are_told() {
    let mut messages = steady(0, 10, 1);
    messages.extend(trip(10 * SECOND + 300 * MS, 2));
    messages.iter_mut().skip(11).for_each(|m| m.t += 3600);
    let finding = only(&seen(&messages), K::GooseTime);
    assert!(
        says(&finding).contains("t of state 2 of 'BAY1/LLN0$GO$gcb1' is 59 min 59 s later than its message"),
        "{}",
        says(&finding)
    );
    let mut messages = steady(0, 10, 1);
    messages.extend(trip(10 * SECOND + 300 * MS, 2));
    messages.iter_mut().skip(11).for_each(|m| m.t = -50);
    let outcome = seen(&messages);
    assert!(says(outcome.of(K::GooseTime)[0]).contains("state 2 that began before the one it follows"));
    // Near miss: a clock that is nine seconds ahead of the tap's, where ten may be.
    let mut messages = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    messages.iter_mut().skip(11).for_each(|m| m.t += 9);
    assert_eq!(seen(&messages).kinds(), [""; 0]);
}

#[test]
fn simulated_messages_are_told_and_change_nothing() {
    let mut messages = steady(0, 20, 1);
    messages.push(Goose {
        simulated: true,
        data: ON.to_vec(),
        from: 9,
        ..goose(5 * SECOND + 300 * MS, 77, 0)
    });
    let finding = only(&seen(&messages), K::GooseSimulation);
    assert!(says(&finding).contains("'BAY1/LLN0$GO$gcb1' with the simulation or test bit"));
    // Near miss: a test set that the profile lets send them.
    let test_set = "[profile]\nname = \"x\"\n[publishers.test-set]\ncontrol_block = \"BAY1/LLN0$GO$gcb1\"\n\
                    simulation = true\n";
    let mut simulated = steady(0, 20, 1);
    for m in &mut simulated {
        m.simulated = true;
    }
    assert_eq!(seen_by(&[], Some(test_set), &simulated).kinds(), [""; 0]);
    assert_eq!(seen(&simulated).of(K::GooseSimulation).len(), 1);
    // In the S bit of the header.
    let mut frames: Vec<_> = steady(0, 3, 1).iter().map(Goose::frame).collect();
    frames[2].bytes[18] = 0x80;
    assert_eq!(judged(&frames, None, "goose").kinds(), ["goose_simulation"]);
}

#[test]
fn another_configuration_or_data_set_is_told() {
    let mut messages = steady(0, 20, 1);
    messages[5].revision = 2;
    let finding = altered(&seen(&messages), K::GooseConfiguration);
    assert!(says(&finding).contains("configuration revision 1 of 'BAY1/LLN0$GO$gcb1', observed revision 2"));
    let mut messages = steady(0, 20, 1);
    messages[5].commissioning = true;
    let finding = only(&seen(&messages), K::GooseConfiguration);
    assert!(says(&finding).contains("needs commissioning"));
    // Near miss: the revision and the data set of another control block.
    let mut messages = other(20);
    for m in &mut messages {
        (m.revision, m.data_set) = (2, "BAY2/LLN0$Other");
    }
    assert_eq!(seen(&[steady(0, 20, 1), messages].concat()).kinds(), [""; 0]);
    for change in [
        |m: &mut Goose| m.data_set = "BAY1/LLN0$Other",
        |m: &mut Goose| m.data = [OFF, OFF].concat(),
        |m: &mut Goose| m.data = vec![0x85, 1, 0],
    ] {
        let mut messages = steady(0, 20, 1);
        change(&mut messages[5]);
        let finding = altered(&seen(&messages), K::GooseDataSet);
        assert!(says(&finding).contains("under the same revision"), "{}", says(&finding));
    }
}

#[test]
fn gse_management_is_told() {
    let mut frame = goose(0, 1, 0).frame();
    frame.bytes.truncate(14);
    frame.bytes.extend([0, 1, 0, 12, 0, 0, 0, 0, 0x60, 2, 0x80, 0]);
    let finding = only(&judged(&[frame], None, "goose"), K::GseManagement);
    assert!(says(&finding).contains("GSE management, 2 octets"), "{}", says(&finding));
    // Near miss: a GOOSE message under the same type of Ethernet.
    assert_eq!(judged(&[goose(0, 1, 0).frame()], None, "goose").kinds(), [""; 0]);
}

const PROFILE: &str = r#"
[profile]
name = "bay"
[publishers.bay1-trip]
control_block = "BAY1/LLN0$GO$gcb1"
appid = 0x0001
source = ["02:00:00:00:00:01"]
destination = "01:0c:cd:01:00:01"
vlan = 5
data_set = "BAY1/LLN0$Trip"
conf_rev = 1
entries = 1
"#;

#[test]
fn publishers_are_held_to_the_profile() {
    let outcome = seen_by(&[], Some(PROFILE), &steady(0, 10, 1));
    assert_eq!(outcome.kinds(), [""; 0], "{}", outcome.text);
    let outcome = seen_by(&[], Some(PROFILE), &[steady(0, 10, 1), other(5)].concat());
    let finding = only(&outcome, K::UnprofiledPublisher);
    assert_eq!(
        says(&finding),
        "Publisher that the profile does not know: 02:00:00:00:00:02 published to 01:0c:cd:01:00:02; expected control \
         blocks that the profile names, observed 'BAY2/LLN0$GO$gcb1', APPID 0x0002."
    );
    let wrong = |change: fn(&mut Goose)| {
        let mut messages = steady(0, 10, 1);
        messages.iter_mut().for_each(change);
        let outcome = seen_by(&[], Some(PROFILE), &messages);
        says(outcome.of(K::PublisherDiffers)[0]).to_owned()
    };
    assert!(
        wrong(|m| m.appid = 7).contains("publisher 'bay1-trip' with APPID 0x0001, observed APPID 0x0007")
    );
    assert!(wrong(|m| m.vlan = vec![6]).contains("VLAN 5, observed VLAN 6"));
    assert!(wrong(|m| m.revision = 9).contains("confRev 1, observed confRev 9"));
    assert!(wrong(|m| m.from = 9).contains("source 02:00:00:00:00:01, observed source 02:00:00:00:00:09"));
    // Beside the true one it is a second publisher, with or without a profile.
    let mut beside = steady(3, 8, 1);
    for m in &mut beside {
        (m.from, m.at) = (9, m.at + 300 * MS);
    }
    let outcome = seen_by(&[], Some(PROFILE), &[steady(0, 10, 1), beside].concat());
    assert_eq!(outcome.kinds(), ["publisher_differs", "goose_second_publisher"], "{}", outcome.text);
    // Who does not fit is not believed, whoever speaks first.
    let mut forged = steady(0, 4, 9);
    for m in &mut forged {
        m.from = 9;
    }
    let mut late = steady(5, 10, 1);
    late.extend(other(1));
    let outcome = seen_by(&[], Some(PROFILE), &[forged, late].concat());
    assert_eq!(happened(&outcome, BAY1), ["first_seen", "still_differs"]);
    assert!(outcome.of(K::GooseReplay).is_empty(), "{}", outcome.text);
}

#[test]
fn another_profile_keeps_what_is_known_of_publishers_whose_row_stays() {
    let bay_2 = "[publishers.a-first-one]\ncontrol_block = \"BAY2/LLN0$GO$gcb1\"\n[publishers.renamed]";
    let other_place = PROFILE.replace("[publishers.bay1-trip]", bay_2);
    let other_row = format!("{PROFILE}go_id = \"BAY1_TRIP\"\n");
    assert!(other_place.contains(bay_2) && other_row.contains("go_id"));
    let change = |new: &str, messages: &[Goose]| seen_changing(8, [PROFILE, new], messages);
    // A state number far ahead, right after the change.
    let jump = [steady(0, 12, 1), vec![Goose { t: 9, ..goose(8 * SECOND + 100 * MS, 77, 0) }]].concat();
    let jumped = |outcome: &Outcome| !outcome.of(K::GooseStateJump).is_empty();
    let outcome = change(&other_place, &jump);
    assert!(jumped(&outcome), "{}", outcome.text);
    assert_eq!(happened(&outcome, BAY1), ["first_seen"]);
    assert!(outcome.text.contains("\"station\":\"renamed\""), "{}", outcome.text);
    assert!(jumped(&change(PROFILE, &jump)));
    // A row that says something else begins anew.
    let outcome = change(&other_row, &steady(0, 12, 1));
    assert_eq!(
        (outcome.kinds(), happened(&outcome, BAY1)),
        (vec![], vec!["first_seen".into(), "first_seen".into()])
    );
    // Its silence is told under the new profile, and not that of one that has no row any more.
    let silent = [steady(0, 7, 1), other(40)].concat();
    let told = |new: &str| change(new, &silent).of(K::GooseSilent).len();
    assert!(told(&other_place) > 0);
    let gone = "[profile]\nname = \"x\"\n[publishers.a]\ncontrol_block = \"BAY2/LLN0$GO$gcb1\"\n";
    assert_eq!(told(gone), 0);
}

/// Work at an IED from 5 s to 30 s of the tests, by this publisher's name in the profile.
fn worked_on(publisher: &str) -> Outcome {
    let profile = r#"
[profile]
name = "Bay"
[publishers.bay1-trip]
control_block = "BAY1/LLN0$GO$gcb1"
[publishers.bay2-trip]
control_block = "BAY2/LLN0$GO$gcb1"
[[maintenance]]
name = "bay 1: new settings"
publishers = "PUBLISHER"
start = 2023-11-14T22:13:25Z
end = 2023-11-14T22:13:50Z
reference = "WO-4712"
"#;
    let mut messages = steady(0, 60, 1);
    for m in &mut messages {
        m.revision = 1 + u8::from(m.at >= 10 * SECOND) + u8::from(m.at >= 40 * SECOND);
    }
    let messages = [messages, other(60)].concat();
    seen_by(&[], Some(&profile.replace("PUBLISHER", publisher)), &messages)
}

#[test]
fn planned_work_at_a_publisher_is_for_information_and_told_when_it_goes_on() {
    let severities = |outcome: &Outcome| {
        let found = outcome.of(K::GooseConfiguration);
        found.iter().map(|f| f["severity"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for publisher in ["bay1-trip", "any"] {
        let outcome = worked_on(publisher);
        assert_eq!(severities(&outcome), ["info", "high"]);
        let [over] = outcome.of(K::MaintenanceOverrun)[..] else { panic!("{}", outcome.text) };
        assert_eq!(
            says(over),
            "Work goes on after its maintenance window: bay1-trip (02:00:00:00:00:01) published to 01:0c:cd:01:00:01; \
             expected the work 'bay 1: new settings' (WO-4712) to be over, observed GOOSE configuration changed or \
             incomplete 10 s after its end."
        );
    }
    // Near miss: work at another publisher.
    let outcome = worked_on("bay2-trip");
    assert_eq!(severities(&outcome), ["high"], "and the second one is a repeat");
    assert!(outcome.of(K::MaintenanceOverrun).is_empty());
}

#[test]
fn what_only_a_forger_does_keeps_its_weight_while_somebody_works() {
    let profile = "[profile]\nname = \"Bay\"\n[publishers.bay1-trip]\ncontrol_block = \"BAY1/LLN0$GO$gcb1\"\n\
                   [[maintenance]]\nname = \"work\"\npublishers = \"any\"\nstart = 2023-11-14T22:00:00Z\n\
                   end = 2023-11-14T23:00:00Z\n";
    let mut forged = steady(3, 8, 1);
    for m in &mut forged {
        (m.from, m.at) = (9, m.at + 200 * MS);
    }
    let outcome = seen_by(&[], Some(profile), &[steady(0, 20, 1), forged].concat());
    assert_eq!(only(&outcome, K::GooseSecondPublisher)["severity"], "critical");
}
