//! The octets of a description: limits, and where an octet stands.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

/// Octets of a file. Whole substations have some ten million, large ones two hundred.
pub const MAX_OCTETS: u64 = 512 << 20;
/// Octets of a tag with its attributes, of a comment, or of a text between two tags.
pub const MAX_TOKEN_OCTETS: u64 = 1 << 20;
/// Elements within one another.
pub const MAX_DEPTH: usize = 64;
/// Attributes of an element.
pub const MAX_ATTRIBUTES: usize = 64;
/// Elements of a file.
pub const MAX_ELEMENTS: u64 = 20_000_000;
/// Octets of names that are kept of a file, each counted with what holds it.
pub const MAX_KEPT_OCTETS: usize = 64 << 20;

/// Octets that tell how a file is encoded.
const HEAD: u64 = 4;

/// Octets read at a time.
const BUFFER: usize = 64 << 10;

/// A limit that a file goes beyond.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Beyond {
    Token,
    File,
}

/// Hands out no more octets than a token and a file may have.
pub(super) struct Bounded<R> {
    inner: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    token: u64,
    file: u64,
    /// The limit that was reached.
    pub(super) beyond: Option<Beyond>,
}

impl<R: Read> Bounded<R> {
    /// The first octets come together, however slowly the input hands them out.
    pub(super) fn new(mut input: R) -> io::Result<Bounded<R>> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD).read_to_end(&mut head)?;
        let inner = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(input));
        Ok(Bounded { inner, token: 0, file: 0, beyond: None })
    }

    /// A token is complete.
    pub(super) fn token_done(&mut self) {
        self.token = 0;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.beyond = if self.file > MAX_OCTETS {
            Some(Beyond::File)
        } else {
            (self.token > MAX_TOKEN_OCTETS).then_some(Beyond::Token)
        };
        if self.beyond.is_some() {
            return Err(io::Error::other("beyond a limit"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.token += count as u64;
        self.file += count as u64;
        self.inner.consume(count);
    }
}

/// Where an octet stands in a file.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The line, or what stands around the octet in a long one.
    pub text: String,
    /// The octet in that text.
    pub at: usize,
}

/// Octets of a line before and behind a place that are shown.
const AROUND: usize = 100;

/// Where these octets stand, which are in order. The file is read once more up to the last of them: lines are
/// not counted while all is well.
#[must_use]
pub fn places(input: impl Read, octets: &[u64]) -> Vec<Place> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut found: Vec<Place> = Vec::with_capacity(octets.len());
    let (mut offset, mut line, mut column) = (0_u64, 1, 0);
    // The end of the line so far.
    let mut tail: Vec<u8> = Vec::new();
    // Texts that still want what follows, each with the octets that it may get.
    let mut open: Vec<(usize, Vec<u8>)> = Vec::new();
    let close = |open: &mut Vec<(usize, Vec<u8>)>, found: &mut Vec<Place>| {
        for (place, text) in open.drain(..) {
            String::from_utf8_lossy(&text).trim_end().clone_into(&mut found[place].text);
        }
    };
    let mut octets = octets.iter().copied().peekable();
    loop {
        while octets.next_if(|wanted| *wanted <= offset).is_some() {
            // Cut before a whole character.
            let from = tail.len().saturating_sub(AROUND);
            let from = (from..tail.len()).find(|at| is_start(tail[*at])).unwrap_or(tail.len());
            let before = tail.get(from..).unwrap_or_default().to_vec();
            let at = String::from_utf8_lossy(&before).len();
            open.push((found.len(), before));
            found.push(Place { line, column: column + 1, text: String::new(), at });
        }
        let octet = match input.fill_buf() {
            Ok([octet, ..]) => *octet,
            _ => break,
        };
        if octets.peek().is_none() && open.is_empty() {
            break;
        }
        input.consume(1);
        offset += 1;
        if octet == b'\n' {
            close(&mut open, &mut found);
            (line, column) = (line + 1, 0);
            tail.clear();
            continue;
        }
        column += usize::from(is_start(octet));
        if tail.len() >= 2 * AROUND {
            tail.drain(..AROUND);
        }
        tail.push(octet);
        for (_, text) in &mut open {
            text.push(octet);
        }
        if open.first().is_some_and(|(_, text)| text.len() >= 2 * AROUND) {
            close(&mut open, &mut found);
        }
    }
    close(&mut open, &mut found);
    for _ in octets {
        found.push(Place { line, column: column + 1, ..Place::default() });
    }
    found
}

/// Whether a character of UTF-8 begins here.
fn is_start(octet: u8) -> bool {
    octet & 0xC0 != 0x80
}
