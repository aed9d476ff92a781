//! A sum over every value that operations carry: the benchmark's proof that nothing was left out.

use parsers::{Operation, Point, PointKind, PointSink, Value};

/// What the operations seen add up to. The sum does not depend on their order, so it is the same with any
/// number of workers.
#[derive(Debug, Default, Copy, Clone, Eq, PartialEq)]
pub struct Checksum {
    /// Operations.
    pub operations: u64,
    /// Points, with a value or without.
    pub points: u64,
    /// The sum.
    pub sum: u64,
    /// What the operation in hand comes to.
    hand: u64,
}

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Checksum {
    /// Add an operation with all its values.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        self.operations += 1;
        self.hand = u64::from(operation.function.code) << 16 | u64::from(operation.sequence);
        operation.detail.values(self);
        self.sum = self.sum.wrapping_add(self.hand);
    }

    /// Add what another has counted.
    pub fn add(&mut self, other: &Checksum) {
        self.operations += other.operations;
        self.points += other.points;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    #[inline]
    fn mix(&mut self, value: u64) {
        self.hand = (self.hand.rotate_left(5) ^ value).wrapping_mul(FACTOR);
    }

    /// Octets, eight at a time.
    #[inline]
    fn octets(&mut self, octets: &[u8]) {
        let (whole, rest) = octets.as_chunks::<8>();
        for octets in whole {
            self.mix(u64::from_be_bytes(*octets));
        }
        if !rest.is_empty() {
            self.mix(rest.iter().fold(0, |all, octet| all << 8 | u64::from(*octet)));
        }
    }
}

impl PointSink for Checksum {
    fn point(&mut self, point: &Point<'_>) {
        self.points += 1;
        let value = match point.value {
            Value::None => 0,
            Value::Bit(bit) => u64::from(bit),
            Value::DoubleBit(state) => u64::from(state),
            Value::Unsigned(value) | Value::TimeMs(value) => value,
            Value::Signed(value) => value.cast_unsigned(),
            Value::Float32(value) => u64::from(value.to_bits()),
            Value::Float64(value) => value.to_bits(),
            Value::Crob(crob) => {
                self.mix(u64::from(crob.off_time_ms));
                u64::from(crob.code) << 8 | u64::from(crob.count) | u64::from(crob.on_time_ms) << 16
            }
            Value::Mask { and, or } => u64::from(and) << 16 | u64::from(or),
            Value::Text(bytes) | Value::Bytes(bytes) => {
                self.octets(bytes);
                bytes.len() as u64
            }
        };
        self.mix(value ^ u64::from(point.address.unwrap_or(u32::MAX)) << 32);
        if point.time_ms.is_some() || point.flags.is_some() {
            self.mix(point.time_ms.unwrap_or(0) << 16 | u64::from(point.flags.unwrap_or(0)));
        }
    }

    fn registers(&mut self, _kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        self.points += words.len() as u64;
        self.mix(u64::from(first.unwrap_or(u32::MAX)) << 32 | words.len() as u64);
        self.octets(words.as_flattened());
    }

    fn bits(&mut self, _kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        self.points += count as u64;
        self.mix(u64::from(first.unwrap_or(u32::MAX)) << 32 | count as u64);
        self.octets(octets.get(..count / 8).unwrap_or(octets));
        // Only as many bits of the last octet as there are.
        if let Some(last) = octets.get(count / 8).filter(|_| !count.is_multiple_of(8)) {
            self.mix(u64::from(last & ((1 << (count % 8)) - 1)));
        }
    }

    fn addresses(&mut self, _kind: PointKind, first: u32, count: u32) {
        self.points += u64::from(count);
        self.mix(u64::from(first) << 32 | u64::from(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(shown: impl Fn(&mut Checksum)) -> (u64, u64) {
        let mut sum = Checksum::default();
        shown(&mut sum);
        (sum.points, sum.hand)
    }

    #[test]
    fn every_value_counts() {
        const KIND: PointKind = PointKind::HoldingRegister;
        let words: Vec<[u8; 2]> = (0..13_u16).map(u16::to_be_bytes).collect();
        let whole = sum(|s| s.registers(KIND, Some(7), &words));
        assert_eq!(whole.0, 13);
        for place in 0..words.len() {
            let mut other = words.clone();
            other[place][1] ^= 1;
            assert_ne!(sum(|s| s.registers(KIND, Some(7), &other)), whole, "register {place}");
        }
        assert_ne!(sum(|s| s.registers(KIND, Some(8), &words)), whole);
    }

    #[test]
    fn every_bit_counts_and_padding_does_not() {
        const KIND: PointKind = PointKind::Coil;
        let octets = [0x5A_u8; 12];
        let whole = sum(|s| s.bits(KIND, Some(7), &octets, 91));
        assert_eq!(whole.0, 91);
        for bit in 0..96 {
            let mut other = octets;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sum(|s| s.bits(KIND, Some(7), &other, 91)) == whole, bit >= 91, "bit {bit}");
        }
    }
}
