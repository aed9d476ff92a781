//! A TCP conversation from a script: handshake, data both ways with the right sequence and
//! acknowledgement numbers, end; and the same conversation as a bad network would show it.

use core::net::{IpAddr, SocketAddr};

use super::fragment::fragments;
use super::layer::{Extension, Ipv4, Ipv6, Layer, Tcp, UdpChecksum, build};
use super::prng::Prng;
use super::script::{Disturbance, Line, Overlap, Segmentation, Side};
use super::{START_NS, TimedFrame};

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A segment before it becomes a frame.
#[derive(Debug, Clone)]
pub struct Segment {
    /// When.
    pub at_ns: u64,
    /// Who sends it.
    pub from: Side,
    /// Offset of its first octet in its direction's stream.
    pub offset: usize,
    /// Acknowledged octets of the other direction's stream.
    pub acked: usize,
    /// TCP flags.
    pub flags: u8,
    /// Payload.
    pub bytes: Vec<u8>,
}

/// A TCP conversation.
#[derive(Debug, Clone)]
pub struct TcpTalk {
    /// Who opens it.
    pub client: SocketAddr,
    /// Who is called.
    pub server: SocketAddr,
    /// When it begins.
    pub start_ns: u64,
    /// What is said.
    pub script: Vec<Line>,
    /// With SYN, SYN-ACK, ACK; without, the capture starts in the middle.
    pub handshake: bool,
    /// With FIN both ways.
    pub close: bool,
    /// First sequence numbers, by side. Numbers near the end of the space test the wrap.
    pub initial: [u32; 2],
    /// Layers around IP, outermost first.
    pub outer: Vec<Layer>,
    /// What is special about the IP layer.
    pub ip: IpStyle,
    /// What the network does.
    pub disturbance: Disturbance,
}

/// What is special about the IP layer of a conversation.
#[derive(Debug, Clone, Default)]
pub struct IpStyle {
    /// IPv4 options.
    pub options: Vec<u8>,
    /// IPv6 extension headers.
    pub extensions: Vec<Extension>,
    /// Packets with a payload are cut into fragments of this many octets.
    pub fragment_size: Option<usize>,
    /// Fragments arrive last first.
    pub fragments_reversed: bool,
}

impl TcpTalk {
    /// A whole conversation over plain Ethernet, undisturbed.
    pub fn new(client: SocketAddr, server: SocketAddr, script: Vec<Line>) -> TcpTalk {
        TcpTalk {
            client,
            server,
            start_ns: START_NS,
            script,
            handshake: true,
            close: true,
            initial: [0x1000_0000, 0x8000_0000],
            outer: vec![ethernet()],
            ip: IpStyle::default(),
            disturbance: Disturbance::default(),
        }
    }

    /// The stream of one side, as the receiver gets it.
    pub fn stream(&self, side: Side) -> Vec<u8> {
        self.script.iter().filter(|l| l.from == side).flat_map(|l| l.bytes.iter().copied()).collect()
    }

    /// The frames that the tap sees, in order of time.
    pub fn frames(&self) -> Vec<TimedFrame> {
        self.segments().0.iter().enumerate().flat_map(|(i, s)| self.packets(s, i as u16)).collect()
    }

    /// The segments that the tap sees, in order of time, and those that it does not.
    pub fn segments(&self) -> (Vec<Segment>, Vec<Segment>) {
        let mut prng = Prng::new(self.disturbance.seed);
        let mut data = self.cut(&mut prng);
        let mut lost = Vec::new();
        if self.disturbance.drop_percent > 0 {
            let (gone, kept) = data.into_iter().partition(|_| prng.chance(self.disturbance.drop_percent));
            (lost, data) = (gone, kept);
        }
        let data = self.shuffle(self.repeat(data, &mut prng), &mut prng);
        let end_ns = self.data_end_ns();
        let mut all = Vec::with_capacity(data.len() + 6);
        if self.handshake {
            all.push(bare(Side::Client, SYN, 0, 0, self.start_ns));
            all.push(bare(Side::Server, SYN | ACK, 0, 0, self.start_ns + 100_000));
            all.push(bare(Side::Client, ACK, 0, 0, self.start_ns + 200_000));
        }
        all.extend(data);
        if self.close {
            let [to, from] = [Side::Client, Side::Server].map(|side| self.stream(side).len());
            all.push(bare(Side::Client, FIN | ACK, to, from, end_ns + 500_000));
            all.push(bare(Side::Server, FIN | ACK, from, to + 1, end_ns + 600_000));
            all.push(bare(Side::Client, ACK, to + 1, from + 1, end_ns + 700_000));
        }
        (all, lost)
    }

    fn data_end_ns(&self) -> u64 {
        self.start_ns + 200_000 + self.script.iter().map(|l| l.delay_ns).sum::<u64>()
    }

    fn cut(&self, prng: &mut Prng) -> Vec<Segment> {
        let mut sent = [0_usize; 2];
        let mut at_ns = self.start_ns + 200_000;
        let mut segments = Vec::new();
        for line in &self.script {
            at_ns += line.delay_ns;
            let mut rest = line.bytes.as_slice();
            let mut moment = at_ns;
            while !rest.is_empty() {
                let most = match self.disturbance.segmentation {
                    Segmentation::Lines => 1460,
                    Segmentation::Size(size) => size.max(1),
                    Segmentation::Random(size) => 1 + prng.below(size as u64) as usize,
                };
                let (piece, others) = rest.split_at(most.min(rest.len()));
                let (own, other) = (line.from.index(), 1 - line.from.index());
                segments.push(Segment {
                    at_ns: moment,
                    from: line.from,
                    offset: sent[own],
                    acked: sent[other],
                    flags: PSH | ACK,
                    bytes: piece.to_vec(),
                });
                sent[own] += piece.len();
                moment += 10;
                rest = others;
            }
        }
        segments
    }

    fn repeat(&self, data: Vec<Segment>, prng: &mut Prng) -> Vec<Segment> {
        let rules = &self.disturbance;
        let mut out: Vec<Segment> = Vec::with_capacity(data.len());
        for segment in data {
            let again = prng.chance(rules.duplicate_percent).then(|| segment.clone());
            if rules.overlap != Overlap::None && segment.bytes.len() > 1 {
                // Sent once more, without its last octet, so that the bounds differ.
                let mut echo = segment.clone();
                echo.bytes.pop();
                if rules.overlap == Overlap::Conflicting {
                    echo.bytes.iter_mut().for_each(|b| *b ^= 0xff);
                }
                echo.at_ns += 1;
                out.push(segment);
                out.push(echo);
            } else {
                out.push(segment);
            }
            out.extend(again.map(|s| Segment { at_ns: s.at_ns + 2, ..s }));
        }
        out
    }

    /// Octets change places, moments do not: what comes first on the tap has the earlier time.
    fn shuffle(&self, data: Vec<Segment>, prng: &mut Prng) -> Vec<Segment> {
        let mut moments: Vec<u64> = data.iter().map(|s| s.at_ns).collect();
        moments.sort_unstable();
        let mut data = data;
        // Never across a change of speaker: an answer cannot overtake its question on the tap.
        for run in data.chunk_by_mut(|a, b| a.from == b.from) {
            for window in run.chunks_mut(self.disturbance.window.max(1)) {
                for i in (1..window.len()).rev() {
                    window.swap(i, prng.below(i as u64 + 1) as usize);
                }
            }
        }
        data.iter_mut().zip(moments).for_each(|(segment, at_ns)| segment.at_ns = at_ns);
        data
    }

    /// The frames that carry a segment: one, or its fragments.
    fn packets(&self, segment: &Segment, id: u16) -> Vec<TimedFrame> {
        let (src, dst) = match segment.from {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let own = self.initial[segment.from.index()];
        let other = self.initial[1 - segment.from.index()];
        // The SYN takes a sequence number of its own.
        let syn = segment.flags & SYN != 0;
        let seq = own.wrapping_add(u32::from(!syn)).wrapping_add(segment.offset as u32);
        let ack = other.wrapping_add(1).wrapping_add(segment.acked as u32);
        let tcp = Tcp {
            src: src.port(),
            dst: dst.port(),
            seq,
            ack: if segment.flags & ACK == 0 { 0 } else { ack },
            flags: segment.flags,
            options: if syn { vec![2, 4, 0x05, 0xb4] } else { Vec::new() },
        };
        let mut layers = directed(&self.outer, segment.from);
        layers.push(self.ip.layer(src.ip(), dst.ip()));
        layers.push(Layer::Tcp(tcp));
        self.ip.frames(&layers, &segment.bytes, segment.at_ns, id)
    }
}

impl IpStyle {
    fn layer(&self, src: IpAddr, dst: IpAddr) -> Layer {
        match ip(src, dst) {
            Layer::Ipv4(ip) => Layer::Ipv4(Ipv4 { options: self.options.clone(), ..ip }),
            Layer::Ipv6(ip) => Layer::Ipv6(Ipv6 { extensions: self.extensions.clone(), ..ip }),
            other => other,
        }
    }

    fn frames(&self, layers: &[Layer], payload: &[u8], at_ns: u64, id: u16) -> Vec<TimedFrame> {
        let mut pieces = match self.fragment_size {
            Some(size) if !payload.is_empty() => fragments(layers, payload, size, id),
            _ => vec![build(layers, payload)],
        };
        if self.fragments_reversed {
            pieces.reverse();
        }
        let later = |i: usize| at_ns + i as u64;
        pieces.into_iter().enumerate().map(|(i, bytes)| TimedFrame { at_ns: later(i), bytes }).collect()
    }
}

fn bare(from: Side, flags: u8, offset: usize, acked: usize, at_ns: u64) -> Segment {
    Segment { at_ns, from, offset, acked, flags, bytes: Vec::new() }
}

/// Plain Ethernet between the two usual stations.
pub fn ethernet() -> Layer {
    Layer::Ethernet { dst: [2, 0, 0, 0, 0, 2], src: [2, 0, 0, 0, 0, 1] }
}

/// The layers as the given side sends them: the innermost Ethernet header is turned round for answers;
/// tunnels are not, since a mirror port sends everything one way.
fn directed(outer: &[Layer], from: Side) -> Vec<Layer> {
    let mut layers = outer.to_vec();
    if from == Side::Server
        && let Some(Layer::Ethernet { dst, src }) =
            layers.iter_mut().rev().find(|l| matches!(l, Layer::Ethernet { .. }))
    {
        core::mem::swap(dst, src);
    }
    layers
}

fn ip(src: IpAddr, dst: IpAddr) -> Layer {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => Layer::Ipv4(Ipv4::new(src, dst)),
        (src, dst) => Layer::Ipv6(Ipv6 { src: mapped(src), dst: mapped(dst), extensions: Vec::new() }),
    }
}

fn mapped(ip: IpAddr) -> core::net::Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// The same script as UDP datagrams, one a line.
pub fn datagrams(
    client: SocketAddr,
    server: SocketAddr,
    script: &[Line],
    outer: &[Layer],
    style: &IpStyle,
) -> Vec<TimedFrame> {
    let mut at_ns = START_NS;
    let mut frames = Vec::new();
    for (index, line) in script.iter().enumerate() {
        at_ns += line.delay_ns;
        let (src, dst) = match line.from {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let mut layers = directed(outer, line.from);
        layers.push(style.layer(src.ip(), dst.ip()));
        layers.push(Layer::Udp { src: src.port(), dst: dst.port(), checksum: UdpChecksum::Right });
        frames.extend(style.frames(&layers, &line.bytes, at_ns, index as u16));
    }
    frames
}
