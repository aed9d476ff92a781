//! Judging allocates nothing, whether it allows or denies.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use parsers::*;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

struct NoDetail;

impl Detail for NoDetail {
    fn octets(&self) -> &[u8] {
        &[]
    }
    fn points(&self, _visit: &mut dyn FnMut(&Point<'_>)) {}
    fn fields(&self, _sink: &mut dyn FieldSink) {}
}

#[test]
fn looking_up_a_pair_and_judging_allocate_nothing() {
    let profile = profiles::parse(include_str!("../examples/first-form.toml"), "first-form.toml").unwrap();
    let endpoint = |ip: &str, port| Endpoint { host: Host::Ip(ip.parse().unwrap()), port };
    let mut flow = FlowInfo {
        id: 1,
        client: endpoint("10.0.0.5", 40000),
        server: endpoint("10.0.2.20", 502),
        transport: Transport::Tcp,
        vlan: VlanStack::default(),
        client_mac: None,
        server_mac: None,
        port_side: None,
        coverage: Coverage::default(),
        late: None,
        passed: None,
        ethertype: 0,
    };
    let (mut allowed, mut denied) = (0, 0);
    let clients = [endpoint("10.0.0.5", 40000), endpoint("10.0.0.99", 40000), endpoint("10.0.0.20", 4)];
    let before = ALLOCATIONS.with(Cell::get);
    for client in clients {
        flow.client = client;
        for (unit, code, action, last) in [
            (1, 3, Action::Read, 9),
            (1, 3, Action::Read, 900),
            (1, 16, Action::Write, 9),
            (7, 6, Action::Write, 10),
            (9, 3, Action::Read, 9),
            (0, 16, Action::Write, 9),
        ] {
            let ranges = [PointRange::new(PointKind::HoldingRegister, last, last)];
            let operation = Operation {
                flow: &flow,
                direction: Direction::ToServer,
                origin: Origin::default(),
                protocol: Protocol::Modbus,
                exchange: Exchange::Request,
                from_master: true,
                station: StationAddress::Unit(unit),
                master: StationAddress::None,
                action,
                function: Function { code, sub: None, name: "" },
                requested: None,
                ranges: &ranges,
                more_ranges: false,
                outcome: Outcome::None,
                answers: None,
                sequence: 0,
                broadcast: unit == 0,
                wants_answer: true,
                body: &[],
                recovered: false,
                detail: &NoDetail,
            };
            let pair = profile.pair(
                operation.master_endpoint(),
                operation.station_endpoint(),
                operation.protocol,
                operation.station,
            );
            if profile.judge(pair, &operation).is_allowed() { allowed += 1 } else { denied += 1 }
        }
    }
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
    assert_eq!((allowed, denied), (3, 15));
    // The counter counts.
    let boxed = Box::new(allowed);
    assert!(ALLOCATIONS.with(Cell::get) > before, "{boxed}");
}
