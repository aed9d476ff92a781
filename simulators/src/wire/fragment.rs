//! IP fragments (RFC 791, RFC 8200): the innermost IP layer of a stack is cut.

use super::layer::{Extension, Layer, build, build_around};

/// The frames that carry `payload` in `layers`, the innermost IP packet cut into fragments of at most
/// `size` octets (rounded down to a multiple of eight) in wire order. `id` ties the fragments together.
pub fn fragments(layers: &[Layer], payload: &[u8], size: usize, id: u16) -> Vec<Vec<u8>> {
    let Some(at) = layers.iter().rposition(|l| matches!(l, Layer::Ipv4(_) | Layer::Ipv6(_))) else {
        return vec![build(layers, payload)];
    };
    // The transport checksum covers the IP addresses, so the whole packet is built first and its IP
    // payload cut out again.
    let whole = build(&layers[at..], payload);
    let body = whole[header_length(&layers[at])..].to_vec();
    let step = (size / 8).max(1) * 8;
    let mut frames = Vec::new();
    let mut offset = 0;
    while offset < body.len() {
        let end = (offset + step).min(body.len());
        let piece = fragment_layer(&layers[at], offset, end < body.len(), id);
        let mut stack = layers[..at].to_vec();
        stack.push(piece);
        // The layer behind gives the protocol number; its octets are part of the body already.
        frames.push(build_around(&stack, layers.get(at + 1), &body[offset..end]));
        offset = end;
    }
    frames
}

fn header_length(layer: &Layer) -> usize {
    match layer {
        Layer::Ipv4(ip) => 20 + ip.options.len().div_ceil(4) * 4,
        Layer::Ipv6(ip) => {
            40 + ip
                .extensions
                .iter()
                .map(|e| match e {
                    Extension::Routing => 24,
                    _ => 8,
                })
                .sum::<usize>()
        }
        _ => 0,
    }
}

fn fragment_layer(layer: &Layer, offset: usize, more: bool, id: u16) -> Layer {
    let mut layer = layer.clone();
    match &mut layer {
        Layer::Ipv4(ip) => {
            ip.offset = offset;
            ip.more = more;
            ip.id = id;
        }
        Layer::Ipv6(ip) => ip.extensions.push(Extension::Fragment { id: id.into(), offset, more }),
        _ => {}
    }
    layer
}
