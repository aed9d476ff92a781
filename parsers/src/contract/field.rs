//! The decode tree, handed out on demand as a walk: no tree is built unless somebody builds one.

use core::ops::Range;

/// A leaf of the decode tree.
#[derive(Debug, Copy, Clone, PartialEq)]
pub enum Leaf<'a> {
    /// Nothing on the wire, or not reachable; JSON null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number without sign.
    Unsigned(u64),
    /// A number with sign.
    Signed(i64),
    /// A float.
    Float(f64),
    /// Text that this crate made (a name).
    Name(&'static str),
    /// Text from the wire; may not be UTF-8.
    Text(&'a [u8]),
    /// Text from the wire in ASCII (VisibleString); other octets are no characters.
    Ascii(&'a [u8]),
    /// Bytes, shown as hex.
    Bytes(&'a [u8]),
}

/// Receives a walk over the decode tree. `span` is the byte range within the PDU, where there is one.
pub trait FieldSink {
    /// A leaf.
    fn leaf(&mut self, name: &'static str, value: Leaf<'_>, span: Option<Range<usize>>);
    /// Open an object called `name` (inside a list the name is ignored).
    fn open(&mut self, name: &'static str);
    /// Open a list called `name`.
    fn open_list(&mut self, name: &'static str);
    /// Close the object or list opened last.
    fn close(&mut self);

    /// An unsigned number.
    fn number(&mut self, name: &'static str, value: u64) {
        self.leaf(name, Leaf::Unsigned(value), None);
    }
    /// True or false.
    fn flag(&mut self, name: &'static str, value: bool) {
        self.leaf(name, Leaf::Bool(value), None);
    }
    /// A name this crate made.
    fn name(&mut self, name: &'static str, value: &'static str) {
        self.leaf(name, Leaf::Name(value), None);
    }
    /// Bytes.
    fn bytes(&mut self, name: &'static str, value: &[u8]) {
        self.leaf(name, Leaf::Bytes(value), None);
    }
}

/// Access to a PDU's content, decoded when asked from bytes that were validated before.
pub trait Detail {
    /// The octets of the PDU as they were on the wire, headers included (DNP3: of the link frame for a
    /// [`super::Unit`], of the reassembled fragment for an operation).
    fn octets(&self) -> &[u8];
    /// Every point with its value, in wire order.
    fn points(&self, visit: &mut dyn FnMut(&super::Point<'_>));
    /// The same for a consumer that can take many values in one call. Values in runs do not say which object they come
    /// from ([`super::Point::object`]).
    fn values(&self, sink: &mut dyn super::PointSink) {
        self.points(&mut |point| sink.point(point));
    }
    /// The decode tree, headers first. The keys of the reference reading come first and by its names.
    fn fields(&self, sink: &mut dyn FieldSink);
    /// The sizes of fields by which it was read, where a protocol leaves them to the installation (IEC 60870-5).
    fn field_sizes(&self) -> Option<super::FieldSizes> {
        None
    }
    /// It has more or fewer octets than its own head says: what was read from it is a guess.
    fn misfits(&self) -> bool {
        false
    }
    /// What a publisher says to all who listen, if that is what it is ([`super::Exchange::Publication`]).
    fn publication(&self) -> Option<super::Publication<'_>> {
        None
    }
}
