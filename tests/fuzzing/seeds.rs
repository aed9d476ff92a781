//! Where fuzzing starts from: what the simulators say, in the form that the targets read.

use simulators::captures;
use simulators::vectors::{self, Vector};
use simulators::wire::{ByteOrder, Interface, Prng, Resolution, Side, pcap, pcapng};

use super::fuzzing::session::{DATAGRAM, SIZES, SIZES_STAY, WRAP, WRAP_RTU};

/// Inputs of the target `modbus`.
pub(super) fn modbus() -> Vec<Vec<u8>> {
    let vectors = vectors::modbus::all();
    // A PDU behind its MBAP header; the wrapping puts another one before it.
    let bare = |adu: &[u8]| adu.get(7..).unwrap_or_default().to_vec();
    let mut seeds: Vec<Vec<u8>> = vectors.iter().map(|v| session(0, v, <[u8]>::to_vec)).collect();
    seeds.extend(vectors.iter().step_by(3).map(|v| session(DATAGRAM, v, <[u8]>::to_vec)));
    seeds.extend(vectors.iter().map(|v| session(WRAP, v, |adu| [&[1, 5][..], &bare(adu)].concat())));
    seeds.extend(vectors.iter().map(|v| session(WRAP_RTU, v, |adu| [&[5][..], &bare(adu)].concat())));
    seeds
}

/// Inputs of the target `dnp3`.
pub(super) fn dnp3() -> Vec<Vec<u8>> {
    let vectors = vectors::dnp3::all();
    let mut seeds: Vec<Vec<u8>> = vectors.iter().map(|v| session(0, v, <[u8]>::to_vec)).collect();
    seeds.extend(vectors.iter().step_by(3).map(|v| session(DATAGRAM, v, <[u8]>::to_vec)));
    seeds.extend(vectors.iter().map(|v| session(WRAP, v, unframed)));
    seeds
}

/// Control, addresses and user data of a link frame, without lengths and check sums: what the wrapping adds.
fn unframed(frame: &[u8]) -> Vec<u8> {
    let &[_, _, length, control, to, _, from, _, ..] = frame else { return Vec::new() };
    let mut out = vec![control, to, from];
    let blocks = frame.get(10..).unwrap_or_default().chunks(18);
    out.extend(blocks.flat_map(|block| &block[..block.len().saturating_sub(2)]));
    out.truncate(usize::from(length).saturating_sub(5) + 3);
    out
}

/// Inputs of the target `iec104`: every vector as it is; behind a start of transfer; and with octets between the
/// frames, where the next one has to be found.
pub(super) fn iec104() -> Vec<Vec<u8>> {
    const START: [u8; 12] = [0x68, 4, 7, 0, 0, 0, 0x68, 4, 0x43, 0, 0, 0];
    let vectors = vectors::iec104::all();
    let mut seeds: Vec<Vec<u8>> = vectors.iter().map(|v| session(0, v, <[u8]>::to_vec)).collect();
    seeds.extend(vectors.iter().step_by(3).map(|v| session(0, v, |apdu| [&START, apdu].concat())));
    seeds.extend(vectors.iter().step_by(3).map(|v| session(0, v, |apdu| [&[0, 0x68, 0x68], apdu].concat())));
    // Sizes given at first, later in the conversation, and taken back in it.
    for (n, vector) in vectors.iter().enumerate() {
        let sizes = n as u8 % 0x40;
        let turns: [&[u8]; 3] = [&[sizes], &[SIZES_STAY, sizes], &[sizes, SIZES_STAY, 0x40]];
        seeds.push(given(&session(SIZES, vector, <[u8]>::to_vec), turns[n % 3]));
    }
    seeds
}

/// An input with octets of sizes before its runs of bytes, in turn.
fn given(input: &[u8], sizes: &[u8]) -> Vec<u8> {
    let mut out = vec![input[0]];
    let (mut rest, mut turns) = (&input[1..], sizes.iter().cycle());
    while let [head, tail @ ..] = rest {
        let (run, next) = tail.split_at(usize::from(head & 0x7f));
        out.extend(turns.next());
        out.push(*head);
        out.extend_from_slice(run);
        rest = next;
    }
    out
}

/// Inputs of the target `goose`: payloads and elements with every kind of data, in short and long forms.
pub(super) fn goose() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let data: [&[u8]; 12] = [
        &[0x83, 1, 0xFF],
        &[0x84, 3, 3, 0x40, 0],
        &[0x85, 2, 0xFF, 0x38],
        &[0x86, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x87, 5, 8, 0x3F, 0xC0, 0, 0],
        &[0x89, 2, 1, 2],
        &[0x8A, 2, 0x41, 0x42],
        &[0x8C, 6, 0, 0, 3, 0xE8, 0, 1],
        &[0x90, 2, 0xC3, 0xBC],
        &[0x91, 8, 0x65, 0xA0, 0, 0, 0x80, 0, 0, 0x0A],
        &[0xA2, 6, 0x83, 1, 0, 0x85, 1, 1],
        &[0xA1, 0x81, 3, 0x86, 1, 2],
    ];
    for (n, member) in data.iter().enumerate() {
        let state = n as u8 + 1;
        let mut elements = vec![0x80, 0x81, 4];
        elements.extend(b"A/g1");
        elements.extend([0x81, 2, 0x0F, 0xA0, 0x82, 3, b'A', b'/', b'd', 0x83, 2, b'i', b'd']);
        elements.extend([0x84, 8, 0x65, 0xA0, 0, 0, 0, 0, 0, 0, 0x85, 1, state, 0x86, 1, 0]);
        elements.extend([0x87, 1, 0, 0x88, 1, 1, 0x89, 1, 0, 0x8A, 1, 1, 0xAB, member.len() as u8]);
        elements.extend(*member);
        let length = elements.len() as u8;
        let mut payload = vec![0, 0, 1, 0, length + 10, 0, 0, 0, 0, 0x61, length];
        payload.extend(&elements);
        seeds.push([&[1 | state & 4], &elements[..]].concat());
        seeds.push(payload);
    }
    seeds
}

fn session(options: u8, vector: &Vector, form: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut input = vec![options];
    for line in &vector.script {
        let side = if line.from == Side::Server { 0x80 } else { 0 };
        for part in form(&line.bytes).chunks(119) {
            input.push(side | part.len() as u8);
            input.extend_from_slice(part);
        }
    }
    input
}

/// Inputs of the target `files`: small captures in every form.
pub(super) fn files() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (n, scenario) in captures::encapsulations().into_iter().chain(captures::blind_spots()).enumerate() {
        let frames = &scenario.frames[..scenario.frames.len().min(8)];
        let order = if n % 2 == 0 { ByteOrder::Little } else { ByteOrder::Big };
        let resolution = if n % 3 == 0 { Resolution::Micro } else { Resolution::Nano };
        let snap = if n % 5 == 0 { 60 } else { 262_144 };
        seeds.push(pcap(frames, scenario.link_type, order, resolution, snap));
        let interfaces = [Interface::new("one", scenario.link_type), Interface::new("two", 101)];
        let frames: Vec<_> = frames.iter().enumerate().map(|(i, f)| (i % 2, f.clone())).collect();
        seeds.push(pcapng(&interfaces, &frames, order));
    }
    seeds
}

/// Inputs of the target `scl`: descriptions of a substation, whole and one part at a time.
pub(super) fn scl() -> Vec<Vec<u8>> {
    let whole = [include_str!("../scl/transmission.scd"), include_str!("../scl/bay.cid")];
    let mut seeds: Vec<Vec<u8>> = whole.iter().map(|text| text.as_bytes().to_vec()).collect();
    let communication = "<Communication><SubNetwork><ConnectedAP iedName='A' apName='P'><Address><P type='IP'>10.0.0.1</P>\
        <P type='MAC-Address'>02-00-00-00-00-01</P></Address><GSE ldInst='L' cbName='g'><Address>\
        <P type='MAC-Address'>01-0C-CD-01-00-01</P><P type='APPID'>0001</P><P type='VLAN-ID'>005</P></Address>\
        <MinTime>4</MinTime><MaxTime>1000</MaxTime></GSE></ConnectedAP></SubNetwork></Communication>";
    let ied = "<IED name='A' desc='x &amp; y'><AccessPoint name='P'><Server><LDevice inst='L'>\
        <LN0 lnClass='LLN0' inst='' lnType='T'>";
    let set = "<DataSet name='d'><FCDA ldInst='L' lnClass='LLN0' doName='M' fc='ST'/>\
        <FCDA ldInst='L' lnClass='LLN0' doName='M' daName='s.f' fc='MX'/></DataSet>";
    let block = "<GSEControl name='g' datSet='d' confRev='1' appID='i'><IEDName>B</IEDName></GSEControl>";
    let inputs = "<Inputs><ExtRef iedName='@' ldInst='L' lnClass='LLN0' doName='M'/>\
        <ExtRef iedName='Z' srcLDInst='L' srcCBName='h'/></Inputs>";
    let end = "</LN0></LDevice></Server></AccessPoint></IED>";
    let types = "<DataTypeTemplates><LNodeType id='T'><DO name='M' type='O'/></LNodeType><DOType id='O'>\
        <DA name='v' fc='ST' bType='Dbpos'/><DA name='s' fc='MX' bType='Struct' type='S'/><SDO name='o' type='O'/></DOType>\
        <DAType id='S'><BDA name='f' bType='FLOAT32'/></DAType></DataTypeTemplates>";
    for parts in 0..32_usize {
        let part = |bit: usize, text: &'static str| if parts >> bit & 1 == 1 { text } else { "" };
        let inner = [part(0, set), part(1, block), part(2, inputs)].concat();
        let body = [part(3, communication), ied, &inner, end, part(4, types)].concat();
        seeds.push(format!("<SCL version='2007' revision='B'><Header id='h'/>{body}</SCL>").into_bytes());
    }
    seeds
}

/// Inputs of the target `reassembly`: polls, more and more disturbed, and conversations.
pub(super) fn reassembly() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for n in 0..60_u8 {
        let mut prng = Prng::new(u64::from(n));
        let mut input = vec![n % 2, [0, 1, 7, 12, 255][usize::from(n) % 5]];
        let rare = |prng: &mut Prng, value: u8| if prng.chance(n / 3) { value } else { 0 };
        for step in 0..8 + n {
            let side = if step % 2 == 0 { 0 } else { 0x80 };
            let flags = if step < 2 { 2 } else { 16 | rare(&mut prng, 1) | rare(&mut prng, 8) };
            let flags = if step == 1 { 18 } else { flags | rare(&mut prng, 4) };
            let near = prng.below(40) as u8;
            let place = rare(&mut prng, near.wrapping_sub(30));
            let length = if step < 2 { 0 } else { 12 + prng.below(60) as u8 };
            let ack = rare(&mut prng, near.wrapping_sub(20));
            let snap = rare(&mut prng, near << 3 | 7);
            input.extend([side | flags, place, length, ack, snap, near / 4]);
        }
        seeds.push(input);
        let mut input = vec![2, n % 64];
        for step in 0..8 + n / 2 {
            let side = if prng.chance(50) { 0x80 } else { 0 };
            let long = rare(&mut prng, 15);
            let order = if n % 2 == 0 { 0 } else { prng.below(256) as u8 };
            input.extend([side | long, prng.below(80) as u8, order, prng.below(60) as u8 * (step % 2)]);
        }
        seeds.push(input);
    }
    seeds
}
