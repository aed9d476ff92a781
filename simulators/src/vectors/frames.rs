//! Vectors as a capture: each a TCP connection of its own, each line one frame.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Vector;
use crate::wire::{Disturbance, START_NS, Segmentation, TcpTalk, TimedFrame};

/// A frame of a capture of vectors.
#[derive(Debug, Clone)]
pub struct VectorFrame {
    /// The frame.
    pub frame: TimedFrame,
    /// Index of the vector, and of its line; `None` for frames without payload.
    pub holds: Option<(usize, usize)>,
}

/// The capture of `vectors`, spoken to `port`.
pub fn frames(vectors: &[Vector], port: u16) -> Vec<VectorFrame> {
    let mut all = Vec::new();
    let server = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 20, 0, 2)), port);
    for (index, vector) in vectors.iter().enumerate() {
        let client = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 20, 0, 1)), 30_000 + index as u16);
        let talk = TcpTalk {
            start_ns: START_NS + index as u64 * 1_000_000_000,
            // A line is never cut, so that a frame holds a whole PDU.
            disturbance: Disturbance { segmentation: Segmentation::Size(60_000), ..Disturbance::default() },
            ..TcpTalk::new(client, server, vector.script.clone())
        };
        let segments = talk.segments().0;
        let mut line = 0;
        for (frame, segment) in talk.frames().into_iter().zip(segments) {
            let holds = (!segment.bytes.is_empty()).then_some((index, line));
            line += usize::from(holds.is_some());
            all.push(VectorFrame { frame, holds });
        }
    }
    all
}
