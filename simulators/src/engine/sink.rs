//! The capture as it is written: pcap or pcapng with nanoseconds, in order of time, as a mirror port of
//! one gigabit a second would give it.

use std::io::{self, BufWriter, Write};

/// Forms of capture files.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub enum Format {
    /// pcap with nanoseconds.
    Pcap,
    /// pcapng, one interface, nanoseconds.
    #[default]
    Pcapng,
}

pub(crate) struct Sink<'a> {
    out: BufWriter<Box<dyn Write + 'a>>,
    format: Format,
    pub(crate) frames: u64,
    /// When the mirror port is free again.
    free_ns: u64,
    pub(crate) error: Option<io::Error>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: Box<dyn Write + 'a>, format: Format) -> Sink<'a> {
        let mut sink =
            Sink { out: BufWriter::with_capacity(1 << 18, out), format, frames: 0, free_ns: 0, error: None };
        let header = match format {
            Format::Pcap => crate::wire::pcap(
                &[],
                crate::wire::LINKTYPE_ETHERNET,
                crate::wire::ByteOrder::Little,
                crate::wire::Resolution::Nano,
                262_144,
            ),
            Format::Pcapng => {
                let interface = crate::wire::Interface::new("span0", crate::wire::LINKTYPE_ETHERNET);
                crate::wire::pcapng(&[interface], &[], crate::wire::ByteOrder::Little)
            }
        };
        sink.write(&header);
        sink
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.out.write_all(bytes).err();
        }
    }

    /// Write a frame that begins at `now_ns` or as soon as the port is free. Returns when.
    pub(crate) fn frame(&mut self, now_ns: u64, bytes: &[u8]) -> u64 {
        let at = now_ns.max(self.free_ns);
        self.free_ns = at + 160 + 8 * bytes.len() as u64;
        self.frames += 1;
        let length = bytes.len() as u32;
        match self.format {
            Format::Pcap => {
                let fields = [(at / 1_000_000_000) as u32, (at % 1_000_000_000) as u32, length, length];
                let mut header = [0; 16];
                fill(&mut header, &fields);
                self.write(&header);
                self.write(bytes);
            }
            Format::Pcapng => {
                let padding = (4 - bytes.len() % 4) % 4;
                let total = 32 + length + padding as u32;
                let mut header = [0; 28];
                fill(&mut header, &[6, total, 0, (at >> 32) as u32, at as u32, length, length]);
                self.write(&header);
                self.write(bytes);
                self.write(&[0; 3][..padding]);
                self.write(&total.to_le_bytes());
            }
        }
        at
    }

    pub(crate) fn finish(mut self) -> io::Result<u64> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.frames),
        }
    }
}

fn fill(header: &mut [u8], fields: &[u32]) {
    for (place, field) in header.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
}
