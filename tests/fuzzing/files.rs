//! The capture file reader on arbitrary bytes: at once and in drips.

use std::io::{Cursor, Read};

use gridtap::capture::file::FileSource;
use gridtap::capture::{FrameSource, Next};

/// One byte a read.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

/// The largest frame the reader may hand out.
const FRAME_LIMIT: usize = 1 << 20;

fn play(reader: Box<dyn Read + Send>) -> String {
    let mut source = match FileSource::from_readers(vec![("input".to_owned(), reader)]) {
        Ok(source) => source,
        Err(error) => return format!("not opened: {error}"),
    };
    let mut log = Vec::new();
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => {
                assert!(frame.bytes.len() <= FRAME_LIMIT);
                log.push(format!("{frame:?}"));
            }
            Ok(Next::Idle(_)) => {}
            Ok(Next::End) => break,
            Err(error) => {
                log.push(error.to_string());
                break;
            }
        }
    }
    for trouble in source.take_trouble() {
        log.push(format!("{trouble:?}"));
    }
    log.join("\n")
}

/// The body of the target `files`.
pub fn check(data: &[u8]) {
    let whole = play(Box::new(Cursor::new(data.to_vec())));
    let drip = play(Box::new(Drip(Cursor::new(data.to_vec()))));
    assert_eq!(whole, drip, "how it was read changed what was read");
}
