//! Every variant of the formats, written by the test itself, and every capture of the corpus.
#![allow(clippy::unwrap_used, clippy::panic)]

mod corpus;
mod damage;
mod merging;
mod variants;
mod writer;

use std::io::{self, Cursor, Read};

use super::FileSource;
use crate::capture::{FrameSource, LinkType, Next, Trouble, TroubleKind};

/// A frame, kept.
#[derive(Debug, Clone, Eq, PartialEq)]
struct Kept {
    at: u64,
    tap: u16,
    number: u64,
    link: LinkType,
    wire_len: u32,
    bytes: Vec<u8>,
}

/// Reads a source to its end.
fn drain(mut source: FileSource) -> (Vec<Kept>, Vec<Trouble>) {
    let mut frames = Vec::new();
    while let Next::Frame(frame) = source.next().unwrap() {
        frames.push(Kept {
            at: frame.at.0,
            tap: frame.place.tap,
            number: frame.place.number,
            link: frame.link,
            wire_len: frame.wire_len,
            bytes: frame.bytes.to_vec(),
        });
    }
    assert!(matches!(source.next().unwrap(), Next::End), "the end stays the end");
    let trouble = source.take_trouble();
    assert!(source.take_trouble().is_empty(), "trouble is told once");
    (frames, trouble)
}

fn open(files: &[&[u8]]) -> io::Result<FileSource> {
    let name = |(index, file): (usize, &&[u8])| {
        let reader: Box<dyn Read + Send> = Box::new(Cursor::new(file.to_vec()));
        (format!("file{index}"), reader)
    };
    FileSource::from_readers(files.iter().enumerate().map(name).collect())
}

fn read(file: &[u8]) -> (Vec<Kept>, Vec<Trouble>) {
    drain(open(&[file]).unwrap())
}

/// Reads as from a slow pipe: one octet at a time.
fn read_by_drips(file: &[u8]) -> (Vec<Kept>, Vec<Trouble>) {
    struct Drip(Cursor<Vec<u8>>);
    impl Read for Drip {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let least = buf.len().min(1);
            self.0.read(&mut buf[..least])
        }
    }
    let reader = Drip(Cursor::new(file.to_vec()));
    drain(FileSource::from_readers(vec![("drip".to_owned(), Box::new(reader))]).unwrap())
}
