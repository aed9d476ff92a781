//! The same short polls in every wrapping.

use core::net::{Ipv4Addr, SocketAddr};

use super::talks::{Framing, MASTER_IP6, STATION_IP6, Story, dnp3_poll, master, modbus_poll, station};
use super::{ExpectedOperation, Scenario};
use crate::wire::{
    Extension, Gre, IpStyle, Ipv4, Ipv6, LINKTYPE_ETHERNET, LINKTYPE_LOOP, LINKTYPE_NULL, LINKTYPE_RAW,
    LINKTYPE_SLL, LINKTYPE_SLL2, Layer, Side, TcpTalk, TimedFrame, UdpChecksum, datagrams, ethernet,
};

/// Every encapsulation. The operations are those of the plain poll in all of them.
pub fn encapsulations() -> Vec<Scenario> {
    let mut all = link_types();
    all.extend(tags());
    all.extend(tunnels());
    all.extend(ip_layer());
    all.extend(transports());
    all
}

fn scenario(
    name: &'static str,
    description: &'static str,
    link_type: u32,
    frames: Vec<TimedFrame>,
    operations: Vec<ExpectedOperation>,
) -> Scenario {
    Scenario {
        name,
        description,
        link_type,
        frames,
        operations,
        findings: vec![],
        forbidden: vec!["malformed_pdu", "broken_framing", "encapsulation_anomaly", "bad_checksum"],
    }
}

/// The Modbus poll over TCP and IPv4 in these outer layers.
fn wrapped(name: &'static str, description: &'static str, link_type: u32, outer: Vec<Layer>) -> Scenario {
    let story = modbus_poll(Framing::Mbap);
    let talk = TcpTalk { outer, ..TcpTalk::new(master(40001), station(502), story.script) };
    scenario(name, description, link_type, talk.frames(), story.operations)
}

fn link_types() -> Vec<Scenario> {
    let mut six = talk6(&modbus_poll(Framing::Mbap));
    six.outer = vec![];
    vec![
        wrapped("plain", "Ethernet and nothing else", LINKTYPE_ETHERNET, vec![ethernet()]),
        wrapped("linux_cooked", "Linux cooked capture v1", LINKTYPE_SLL, vec![Layer::Sll]),
        wrapped("linux_cooked_vlan", "a tag behind a cooked header", LINKTYPE_SLL, vec![Layer::Sll, tag(7)]),
        wrapped("linux_cooked_2", "Linux cooked capture v2", LINKTYPE_SLL2, vec![Layer::Sll2]),
        wrapped(
            "bsd_loopback",
            "BSD loopback, little-endian address family",
            LINKTYPE_NULL,
            vec![Layer::BsdLoopback { big_endian: false }],
        ),
        wrapped(
            "bsd_loopback_big_endian",
            "BSD loopback captured on a big-endian host",
            LINKTYPE_NULL,
            vec![Layer::BsdLoopback { big_endian: true }],
        ),
        wrapped(
            "openbsd_loopback",
            "OpenBSD loopback, address family in network order",
            LINKTYPE_LOOP,
            vec![Layer::BsdLoopback { big_endian: true }],
        ),
        wrapped("raw_ip", "IPv4 without a link header", LINKTYPE_RAW, vec![]),
        scenario(
            "raw_ip6",
            "IPv6 without a link header",
            LINKTYPE_RAW,
            six.frames(),
            modbus_poll(Framing::Mbap).operations,
        ),
    ]
}

fn tag(id: u16) -> Layer {
    Layer::Vlan { tpid: 0x8100, id, priority: 0 }
}

fn outer_tag(tpid: u16, id: u16) -> Layer {
    Layer::Vlan { tpid, id, priority: 5 }
}

fn tags() -> Vec<Scenario> {
    let eth = ethernet;
    let mut all = vec![
        wrapped("vlan", "one tag", LINKTYPE_ETHERNET, vec![eth(), tag(100)]),
        wrapped(
            "vlan_priority",
            "a priority tag, VLAN 0",
            LINKTYPE_ETHERNET,
            vec![eth(), outer_tag(0x8100, 0)],
        ),
        wrapped("qinq", "802.1ad", LINKTYPE_ETHERNET, vec![eth(), outer_tag(0x88a8, 200), tag(100)]),
        wrapped("qinq_9100", "old QinQ", LINKTYPE_ETHERNET, vec![eth(), outer_tag(0x9100, 200), tag(100)]),
        wrapped(
            "vlan_three_tags",
            "three tags",
            LINKTYPE_ETHERNET,
            vec![eth(), outer_tag(0x88a8, 300), tag(200), tag(100)],
        ),
    ];
    // A mirror port that tags the two directions differently.
    let story = modbus_poll(Framing::Mbap);
    let talk = |id| TcpTalk {
        outer: vec![ethernet(), tag(id)],
        ..TcpTalk::new(master(40001), station(502), story.script.clone())
    };
    let (to, from) = (talk(10), talk(20));
    let frames = to
        .segments()
        .0
        .iter()
        .map(|s| s.from)
        .zip(to.frames().into_iter().zip(from.frames()))
        .map(|(side, (a, b))| if side == Side::Client { a } else { b })
        .collect();
    all.push(scenario(
        "vlan_by_direction",
        "each direction has a VLAN id of its own",
        LINKTYPE_ETHERNET,
        frames,
        story.operations.clone(),
    ));
    let labels =
        |labels: &[u32]| -> Vec<Layer> { labels.iter().map(|l| Layer::Mpls { label: *l }).collect() };
    let stack = |middle: Vec<Layer>| [vec![ethernet()], middle].concat();
    all.push(wrapped("mpls", "one label", LINKTYPE_ETHERNET, stack(labels(&[16]))));
    all.push(wrapped("mpls_three_labels", "three labels", LINKTYPE_ETHERNET, stack(labels(&[16, 17, 18]))));
    let pseudowire = [labels(&[16, 17]), vec![Layer::ControlWord, ethernet()]].concat();
    all.push(wrapped(
        "mpls_pseudowire",
        "Ethernet behind a control word",
        LINKTYPE_ETHERNET,
        stack(pseudowire),
    ));
    let tagged = [vec![tag(7)], labels(&[99])].concat();
    all.push(wrapped("vlan_mpls", "a label behind a tag", LINKTYPE_ETHERNET, stack(tagged)));
    all
}

/// Ethernet and IPv4 between two routers.
fn outer_ip() -> Vec<Layer> {
    let routers = Ipv4::new(Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
    vec![Layer::Ethernet { dst: [2, 0, 0, 0, 1, 2], src: [2, 0, 0, 0, 1, 1] }, Layer::Ipv4(routers)]
}

fn tunnels() -> Vec<Scenario> {
    let tunnel = |name, description, inner: Vec<Layer>| {
        wrapped(name, description, LINKTYPE_ETHERNET, [outer_ip(), inner].concat())
    };
    let gre = |checksum, key, sequence| Layer::Gre(Gre { checksum, key, sequence });
    let bare = || gre(false, None, None);
    let numbered = || gre(false, None, Some(42));
    let vxlan_ports = Layer::Udp { src: 50000, dst: 4789, checksum: UdpChecksum::Zero };
    let vxlan = || vec![vxlan_ports.clone(), Layer::Vxlan { vni: 5000 }, ethernet()];
    let third = |platform| Layer::Erspan3 { vlan: 100, session: 9, platform };
    vec![
        tunnel("gre", "IPv4 in GRE", vec![bare()]),
        tunnel("gre_key", "GRE with a key", vec![gre(false, Some(77), None)]),
        tunnel("gre_all_options", "GRE with checksum, key and sequence", vec![gre(true, Some(77), Some(3))]),
        tunnel("gre_ethernet", "Ethernet in GRE", vec![bare(), ethernet()]),
        tunnel("gre_mpls", "MPLS in GRE", vec![bare(), Layer::Mpls { label: 16 }]),
        tunnel("erspan_1", "ERSPAN type I", vec![bare(), Layer::Erspan1, ethernet()]),
        tunnel(
            "erspan_2",
            "ERSPAN type II",
            vec![numbered(), Layer::Erspan2 { vlan: 100, session: 9 }, ethernet()],
        ),
        tunnel(
            "erspan_2_vlan",
            "ERSPAN type II with a tagged frame",
            vec![numbered(), Layer::Erspan2 { vlan: 100, session: 9 }, ethernet(), tag(100)],
        ),
        tunnel("erspan_3", "ERSPAN type III", vec![numbered(), third(false), ethernet()]),
        tunnel("erspan_3_platform", "with platform sub-header", vec![numbered(), third(true), ethernet()]),
        tunnel("vxlan", "VXLAN", vxlan()),
        tunnel("vxlan_vlan", "VXLAN with a tagged frame", [vxlan(), vec![tag(100)]].concat()),
        tunnel("ip_in_ip", "IPv4 in IPv4", vec![]),
        wrapped(
            "deep",
            "tag, label, GRE, Ethernet, tag",
            LINKTYPE_ETHERNET,
            [
                vec![ethernet(), tag(7), Layer::Mpls { label: 16 }],
                outer_ip()[1..].to_vec(),
                vec![bare(), ethernet(), tag(8)],
            ]
            .concat(),
        ),
    ]
}

/// The conversation between the IPv6 addresses.
fn talk6(story: &Story) -> TcpTalk {
    let ends = [SocketAddr::new(MASTER_IP6, 40001), SocketAddr::new(STATION_IP6, 502)];
    TcpTalk::new(ends[0], ends[1], story.script.clone())
}

fn ip_layer() -> Vec<Scenario> {
    let story = modbus_poll(Framing::Mbap);
    let make = |name, description, six: bool, ip: IpStyle| {
        let plain =
            if six { talk6(&story) } else { TcpTalk::new(master(40001), station(502), story.script.clone()) };
        let frames = TcpTalk { ip, ..plain }.frames();
        scenario(name, description, LINKTYPE_ETHERNET, frames, story.operations.clone())
    };
    let cut = |size| IpStyle { fragment_size: Some(size), ..IpStyle::default() };
    let back = |size| IpStyle { fragments_reversed: true, ..cut(size) };
    let chain = vec![Extension::HopByHop, Extension::Routing, Extension::Destination];
    let extended = IpStyle { extensions: chain.clone(), ..IpStyle::default() };
    // Record route with room for one address.
    let options = IpStyle { options: vec![7, 7, 4, 0, 0, 0, 0], ..IpStyle::default() };
    let mut six_in_four = talk6(&story);
    six_in_four.outer = outer_ip();
    let routers6 = Ipv6 {
        src: "fd00:1::1".parse().unwrap_or(core::net::Ipv6Addr::LOCALHOST),
        dst: "fd00:1::2".parse().unwrap_or(core::net::Ipv6Addr::LOCALHOST),
        extensions: vec![],
    };
    vec![
        make("ipv6", "IPv6", true, IpStyle::default()),
        make("ipv6_extensions", "hop-by-hop, routing and destination options", true, extended),
        make("ipv4_options", "IPv4 options", false, options),
        make("ipv4_fragments", "fragments of 8 octets: even the TCP header is cut", false, cut(8)),
        make("ipv4_fragments_reversed", "last fragment first", false, back(24)),
        make("ipv6_fragments", "IPv6 fragments", true, cut(16)),
        make("ipv6_fragments_reversed", "last fragment first", true, back(16)),
        make(
            "ipv6_fragments_extensions",
            "extension headers before the fragment header",
            true,
            IpStyle { extensions: chain, ..cut(24) },
        ),
        scenario(
            "ipv6_in_ipv4",
            "IPv6 in IPv4",
            LINKTYPE_ETHERNET,
            six_in_four.frames(),
            story.operations.clone(),
        ),
        wrapped(
            "gre_over_ipv6",
            "GRE over IPv6",
            LINKTYPE_ETHERNET,
            vec![ethernet(), Layer::Ipv6(routers6), Layer::Gre(Gre::default())],
        ),
    ]
}

fn transports() -> Vec<Scenario> {
    let outer = [ethernet()];
    let style = IpStyle::default();
    let modbus = modbus_poll(Framing::Mbap);
    let serial = modbus_poll(Framing::Rtu);
    let dnp3 = dnp3_poll();
    let small = IpStyle { fragment_size: Some(64), ..IpStyle::default() };
    let tcp = |port, story: &Story| TcpTalk::new(master(40001), station(port), story.script.clone()).frames();
    let udp =
        |port, story: &Story, style| datagrams(master(40001), station(port), &story.script, &outer, style);
    let make = |name, description, frames, story: &Story| {
        scenario(name, description, LINKTYPE_ETHERNET, frames, story.operations.clone())
    };
    vec![
        make("rtu_over_tcp", "Modbus RTU frames on TCP port 502", tcp(502, &serial), &serial),
        make(
            "rtu_over_tcp_4001",
            "Modbus RTU frames on a terminal server's port",
            tcp(4001, &serial),
            &serial,
        ),
        make("modbus_udp", "Modbus over UDP", udp(502, &modbus, &style), &modbus),
        make("dnp3_tcp", "DNP3 over TCP", tcp(20000, &dnp3), &dnp3),
        make("dnp3_udp", "DNP3 over UDP", udp(20000, &dnp3, &style), &dnp3),
        make("dnp3_udp_fragments", "DNP3 over fragmented UDP", udp(20000, &dnp3, &small), &dnp3),
    ]
}
