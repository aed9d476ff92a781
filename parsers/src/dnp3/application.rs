//! Application layer, IEEE 1815 clause 4: the header of a fragment.
//!
//! ```text
//!  request   | AC | FC |             objects ...
//!  response  | AC | FC | IIN1 | IIN2 | objects ...
//!  AC: FIR(7) FIN(6) CON(5) UNS(4) SEQ(3-0)
//! ```

use core::ops::Range as Span;

use super::function;
use super::object::{ObjectHeader, Trouble, Walk};

/// Most octets of a fragment that a DNP3 device has to accept by default.
pub(super) const USUAL_FRAGMENT: usize = 2048;

/// Error bits of the second IIN octet: function not supported, object unknown, parameter error,
/// already executing.
pub(super) const REFUSALS: u8 = 0b0001_0111;

/// The application control octet.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Control(pub u8);

impl Control {
    pub(super) fn fir(self) -> bool {
        self.0 & 0x80 != 0
    }
    pub(super) fn fin(self) -> bool {
        self.0 & 0x40 != 0
    }
    pub(super) fn con(self) -> bool {
        self.0 & 0x20 != 0
    }
    pub(super) fn uns(self) -> bool {
        self.0 & 0x10 != 0
    }
    pub(super) fn sequence(self) -> u8 {
        self.0 & 0x0F
    }
}

/// Object headers kept of a fragment; those of nearly all fragments fit.
const KEPT_HEADERS: usize = 8;

/// The object headers of a fragment as one walk found them, so that not everybody who asks for values walks again.
pub(super) struct Headers<'a> {
    /// Most fragments have one, and clearing room for all costs more than to walk it.
    first: Option<ObjectHeader<'a>>,
    /// The others, and room for the one at hand behind them.
    others: Option<[Option<ObjectHeader<'a>>; KEPT_HEADERS]>,
    count: usize,
    /// Walks what is behind the kept ones, if there is more.
    rest: Option<Walk<'a>>,
}

impl<'a> Headers<'a> {
    /// None yet.
    pub(super) fn new() -> Headers<'a> {
        Headers { first: None, others: None, count: 0, rest: None }
    }

    /// The next header of a walk, which stays here if there is room.
    #[inline]
    pub(super) fn next(&mut self, walk: &mut Walk<'a>) -> Option<Result<&ObjectHeader<'a>, Trouble>> {
        let header = match walk.step()? {
            Ok(header) => header,
            Err(trouble) => return Some(Err(trouble)),
        };
        let slot = match self.count.checked_sub(1) {
            None => &mut self.first,
            Some(place) => self.others.get_or_insert([const { None }; KEPT_HEADERS]).get_mut(place)?,
        };
        *slot = Some(header);
        if self.count < KEPT_HEADERS {
            self.count += 1;
            self.rest = (self.count == KEPT_HEADERS).then(|| walk.clone());
        }
        slot.as_ref().map(Ok)
    }

    /// All of them.
    #[inline]
    fn each(&self, visit: &mut dyn FnMut(&ObjectHeader<'a>)) {
        if let Some(header) = &self.first {
            visit(header);
        }
        if let Some(others) = &self.others {
            // The last place is that of the one at hand.
            others.iter().take(self.count - 1).flatten().for_each(&mut *visit);
        }
        if let Some(rest) = &self.rest {
            rest.clone().flatten().for_each(|header| visit(&header));
        }
    }
}

/// A checked view of one fragment.
#[derive(Copy, Clone)]
pub(super) struct Fragment<'a> {
    /// The whole fragment.
    pub octets: &'a [u8],
    /// AC.
    pub control: Control,
    /// FC.
    pub function: u8,
    /// IIN1 and IIN2, of a response that has them.
    pub iin: Option<[u8; 2]>,
    /// Where the objects stand in `octets`.
    body: usize,
    /// Its object headers, if they were walked.
    headers: Option<&'a Headers<'a>>,
}

impl<'a> Fragment<'a> {
    /// Look at a fragment; `None` if it has no function code.
    pub(super) fn new(octets: &'a [u8]) -> Option<Fragment<'a>> {
        let (&[control, code], rest) = octets.split_first_chunk::<2>()?;
        let (iin, body) = match rest.split_first_chunk::<2>() {
            Some((iin, _)) if has_iin(code) => (Some(*iin), 4),
            _ if has_iin(code) => (None, octets.len()),
            _ => (None, 2),
        };
        Some(Fragment { octets, control: Control(control), function: code, iin, body, headers: None })
    }

    /// The octets behind function code and IIN.
    pub(super) fn body(&self) -> &'a [u8] {
        self.octets.get(self.body..).unwrap_or_default()
    }

    /// Offset of the body in the fragment.
    pub(super) fn body_offset(&self) -> usize {
        self.body
    }

    /// A span of the body as a span of the fragment.
    pub(super) fn span(&self, offset: usize, length: usize) -> Span<usize> {
        self.body + offset..self.body + offset + length
    }

    /// Walk over its objects.
    pub(super) fn objects(&self) -> Walk<'a> {
        Walk::new(self.body(), self.function)
    }

    /// The same with its headers, as they were walked.
    pub(super) fn with(self, headers: &'a Headers<'a>) -> Fragment<'a> {
        Fragment { headers: Some(headers), ..self }
    }

    /// Visit its object headers.
    pub(super) fn each_header(&self, visit: &mut dyn FnMut(&ObjectHeader<'a>)) {
        match self.headers {
            Some(headers) => headers.each(visit),
            None => self.objects().flatten().for_each(|header| visit(&header)),
        }
    }

    /// Whether a response lacks its IIN.
    pub(super) fn lacks_iin(&self) -> bool {
        has_iin(self.function) && self.iin.is_none()
    }

    /// The IIN as a number, first octet high.
    pub(super) fn iin_number(&self) -> Option<u16> {
        self.iin.map(u16::from_be_bytes)
    }
}

/// Whether a function code is followed by IIN: that of a response.
fn has_iin(code: u8) -> bool {
    function::is_defined(code) && function::is_response(code)
}

/// Names of the IIN bits: IIN1.0 to IIN1.7, then IIN2.0 to IIN2.5.
pub(super) static IIN_BITS: [&str; 16] = [
    "broadcast",
    "class_1_events",
    "class_2_events",
    "class_3_events",
    "need_time",
    "local_control",
    "device_trouble",
    "device_restart",
    "no_func_code_support",
    "object_unknown",
    "parameter_error",
    "event_buffer_overflow",
    "already_executing",
    "config_corrupt",
    "reserved_2_6",
    "reserved_2_7",
];

/// Names of the bits that are set.
pub(super) fn iin_names(iin: [u8; 2]) -> impl Iterator<Item = &'static str> {
    let bits = u16::from_le_bytes(iin);
    IIN_BITS.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 != 0).map(|(_, name)| *name)
}
