//! Vectors that grow from one element on.
//!
//! The standard library begins with four. Most flows have one request under way and one pair of addresses, and
//! there may be a hundred thousand flows: the three others would be most of their memory.

/// Append, doubling the room from one element on.
#[inline]
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1));
    }
    list.push(item);
}

#[cfg(test)]
mod tests {
    #[test]
    fn room_grows_from_one_and_doubles() {
        let mut list = Vec::new();
        let mut rooms = Vec::new();
        for n in 0..9_u64 {
            super::push(&mut list, n);
            rooms.push(list.capacity());
        }
        assert_eq!(rooms, [1, 2, 4, 4, 8, 8, 8, 8, 16]);
    }
}
