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

/// The frames, and what was said about the end.
fn play(reader: Box<dyn Read + Send>) -> (Vec<String>, Vec<String>) {
    let mut frames = Vec::new();
    let mut source = match FileSource::from_readers(vec![("input".to_owned(), reader)]) {
        Ok(source) => source,
        Err(error) => return (frames, vec![format!("not opened: {error}")]),
    };
    let mut end = Vec::new();
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => {
                assert!(frame.bytes.len() <= FRAME_LIMIT);
                frames.push(format!("{frame:?}"));
            }
            Ok(Next::Idle(_)) => {}
            Ok(Next::End) => break,
            Err(error) => {
                end.push(error.to_string());
                break;
            }
        }
    }
    end.extend(source.take_trouble().iter().map(|trouble| format!("{trouble:?}")));
    (frames, end)
}

fn is_compressed(data: &[u8]) -> bool {
    data.starts_with(&[0x1f, 0x8b]) || data.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

/// The body of the target `files`.
pub fn check(data: &[u8]) {
    let whole = play(Box::new(Cursor::new(data.to_vec())));
    let drip = play(Box::new(Drip(Cursor::new(data.to_vec()))));
    if is_compressed(data) {
        // How much a decompressor gives before the damage depends on how it is fed.
        let common = whole.0.len().min(drip.0.len());
        assert_eq!(whole.0[..common], drip.0[..common], "how it was read changed what was read");
    } else {
        assert_eq!(whole, drip, "how it was read changed what was read");
    }
}
