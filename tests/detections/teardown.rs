//! Ends of connections that nobody of the two has sent: RST segments with the right numbers.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Ipv4, Layer, Line, Side, Tcp, TcpTalk, TimedFrame, build, ethernet};

use crate::support::judge::{Outcome, answer, ask, judged, modbus};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;
const RST: u8 = 4;
/// Frames of the handshake.
const HANDSHAKE: usize = 3;
/// Lines of a talk: five polls and their answers, 100 ms apart.
const LINES: usize = 10;

const BOTH: &str = "Forged ends of connections: between 10.10.0.1 and 10.10.0.20; expected a connection reset by one of its sides, to which the other says nothing, observed RST segments in the name of both sides within 1 s.";
const GOES_ON: &str = "Forged ends of connections: between 10.10.0.1 and 10.10.0.20; expected nothing more from a side that has reset its connection, observed new octets from the side in whose name a RST came.";

fn talk() -> TcpTalk {
    let lines = (0..LINES as u16 / 2).flat_map(|n| -> [Line; 2] {
        [ask(n, 5, &Request::Read(3, 0, 2)), answer(n, 5, &Response::Registers(3, vec![1, 2]))]
    });
    TcpTalk { close: false, ..modbus(lines.map(|line| line.after(100 * MS)).collect()) }
}

/// A RST in the name of a side, when so many lines were said, so much later than the last of them.
fn reset(talk: &TcpTalk, from: Side, lines: usize, later: u64) -> TimedFrame {
    let (own, peer, initial) = match from {
        Side::Client => (talk.client, talk.server, talk.initial[0]),
        Side::Server => (talk.server, talk.client, talk.initial[1]),
    };
    let said: usize = talk.script[..lines].iter().filter(|l| l.from == from).map(|l| l.bytes.len()).sum();
    let address = |end: std::net::SocketAddr| match end.ip() {
        std::net::IpAddr::V4(ip) => ip,
        std::net::IpAddr::V6(_) => panic!("IPv4 only"),
    };
    let seq = initial.wrapping_add(1 + said as u32);
    let tcp = Tcp { src: own.port(), dst: peer.port(), seq, flags: RST, ..Tcp::default() };
    let ip = Ipv4 { id: 900 + lines as u16, ..Ipv4::new(address(own), address(peer)) };
    let at_ns = talk.frames()[HANDSHAKE + lines - 1].at_ns + later;
    TimedFrame { at_ns, bytes: build(&[ethernet(), Layer::Ipv4(ip), Layer::Tcp(tcp)], &[]) }
}

/// What is told of a talk that ends with the frame of its line `until`, and of these frames among it.
fn told(talk: &TcpTalk, until: usize, resets: Vec<TimedFrame>) -> Vec<String> {
    let mut frames = talk.frames();
    frames.truncate(HANDSHAKE + until);
    frames.extend(resets);
    frames.sort_by_key(|frame| frame.at_ns);
    let outcome: Outcome = judged(&frames, None, "a.pcap");
    outcome.of(K::TcpTeardown).iter().map(|f| f["explanation"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_connection_that_is_reset_in_the_name_of_both_sides_was_cut_by_somebody_between() {
    let talk = talk();
    let pair = |later| {
        let (server, client) = (reset(&talk, Side::Server, 6, MS), reset(&talk, Side::Client, 6, later));
        told(&talk, 6, vec![server, client])
    };
    assert_eq!(pair(2 * MS), [BOTH]);
    // Who did not hear of the first gives up by itself, later.
    assert_eq!(pair(2 * SECOND), [""; 0]);
    // A side may say it twice: to what was still under way.
    let twice = vec![reset(&talk, Side::Server, 6, MS), reset(&talk, Side::Server, 6, 2 * MS)];
    assert_eq!(told(&talk, 6, twice), [""; 0]);
}

#[test]
fn who_goes_on_behind_a_reset_has_not_sent_it() {
    let talk = talk();
    assert_eq!(told(&talk, LINES, vec![reset(&talk, Side::Client, 6, MS)]), [GOES_ON]);
    assert_eq!(told(&talk, LINES, vec![reset(&talk, Side::Server, 6, MS)]), [GOES_ON]);
    // An answer that was under way when the master reset the connection.
    assert_eq!(told(&talk, 8, vec![reset(&talk, Side::Client, 7, MS)]), [""; 0]);
    // The tap shows the reset before the last octets of the same side: they end where it stands.
    let overtaken =
        TimedFrame { at_ns: talk.frames()[HANDSHAKE + 6].at_ns - MS, ..reset(&talk, Side::Client, 7, 0) };
    assert_eq!(told(&talk, 7, vec![overtaken]), [""; 0]);
}
