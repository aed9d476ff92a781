//! A request taken apart: which points it is about, and what is ordered of them.

use parsers::{Action, Operation, PointKind};

use crate::report::control::{Method, Order};

/// Points of one control that are followed; the rest are counted.
pub(super) const FOLLOWED: usize = 8;

/// What is ordered of a point.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) struct PointOrder {
    pub(super) kind: PointKind,
    pub(super) address: u32,
    pub(super) order: Order,
}

/// The points of a request.
#[derive(Debug, Copy, Clone)]
pub(super) struct Orders {
    list: [PointOrder; FOLLOWED],
    len: usize,
    /// Points beyond those kept.
    pub(super) more: u32,
}

impl Orders {
    /// The points that a request commands.
    pub(super) fn of(operation: &Operation<'_>) -> Orders {
        let none = PointOrder { kind: PointKind::DeviceData, address: 0, order: Order::Other };
        let mut orders = Orders { list: [none; FOLLOWED], len: 0, more: 0 };
        operation.detail.points(&mut |point| {
            let (Some(address), Some(order)) = (point.address, Order::of(&point.value)) else { return };
            match orders.list.get_mut(orders.len) {
                Some(slot) => {
                    *slot = PointOrder { kind: point.kind, address, order };
                    orders.len += 1;
                }
                None => orders.more = orders.more.saturating_add(1),
            }
        });
        orders
    }

    pub(super) fn as_slice(&self) -> &[PointOrder] {
        self.list.get(..self.len).unwrap_or_default()
    }
}

/// How a request commands.
pub(super) fn method(operation: &Operation<'_>) -> Method {
    /// DNP3 DIRECT_OPERATE_NR.
    const NO_ACK: u8 = 6;
    match operation.action {
        Action::Select => Method::Select,
        Action::Operate => Method::Operate,
        Action::DirectOperate if operation.function.code == NO_ACK => Method::DirectOperateNoAck,
        Action::DirectOperate => Method::DirectOperate,
        _ => Method::Write,
    }
}

/// A number for the octets of a request, to find the select of an operate and to know a retry. Whether the
/// octets really agree is judged elsewhere (`select.rs`), by a digest that nobody can forge.
pub(super) fn body_key(operation: &Operation<'_>) -> u64 {
    use core::hash::{BuildHasher as _, Hasher as _};
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(operation.body);
    hasher.write_u8(operation.protocol as u8);
    hasher.finish()
}
