//! Operations out of thin air.

use std::net::IpAddr;

use parsers::*;

use crate::Compiled;

/// Values that are written: kind, address, number.
pub(super) struct Written<'w>(&'w [(PointKind, u32, f64)]);

impl Detail for Written<'_> {
    fn octets(&self) -> &[u8] {
        &[]
    }
    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        for (kind, address, number) in self.0 {
            visit(&Point::new(*kind, Some(*address), Value::Unsigned(*number as u64)));
        }
    }
    fn fields(&self, _sink: &mut dyn FieldSink) {}
}

/// What a test says of an operation; the rest is filled in.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) client: &'static str,
    pub(super) server: &'static str,
    pub(super) port: u16,
    pub(super) station: StationAddress,
    pub(super) exchange: Exchange,
    pub(super) action: Action,
    pub(super) function: Function,
    pub(super) ranges: Vec<PointRange>,
    pub(super) more_ranges: bool,
    pub(super) broadcast: bool,
    pub(super) answered: bool,
    pub(super) at: Timestamp,
    pub(super) values: Vec<(PointKind, u32, f64)>,
}

pub(super) fn function(code: u8, name: &'static str) -> Function {
    Function { code, sub: None, name }
}

impl Asked {
    /// A Modbus request from scada-a to a unit behind the gateway of the example.
    pub(super) fn modbus(unit: u8, action: Action, code: u8, name: &'static str) -> Asked {
        Asked {
            client: "10.0.0.5",
            server: "10.0.2.20",
            port: 502,
            station: StationAddress::Unit(unit),
            exchange: Exchange::Request,
            action,
            function: function(code, name),
            ranges: Vec::new(),
            more_ranges: false,
            broadcast: false,
            answered: false,
            at: Timestamp(0),
            values: Vec::new(),
        }
    }

    /// A DNP3 request from scada-a to an outstation behind the feeder RTU of the example.
    pub(super) fn dnp3(link: u16, action: Action, code: u8, name: &'static str) -> Asked {
        let station = StationAddress::Link(link);
        Asked { server: "10.0.2.12", port: 20000, station, ..Asked::modbus(0, action, code, name) }
    }

    pub(super) fn on(mut self, kind: PointKind, first: u32, last: u32) -> Asked {
        self.ranges.push(PointRange::new(kind, first, last));
        self
    }

    pub(super) fn from(mut self, client: &'static str) -> Asked {
        self.client = client;
        self
    }

    pub(super) fn at(mut self, server: &'static str) -> Asked {
        self.server = server;
        self
    }

    pub(super) fn exchanging(mut self, exchange: Exchange) -> Asked {
        self.exchange = exchange;
        self
    }

    /// Registers that are written, with their numbers.
    pub(super) fn writing(mut self, registers: Vec<(u32, f64)>) -> Asked {
        self.values = registers.into_iter().map(|(at, n)| (PointKind::HoldingRegister, at, n)).collect();
        self
    }

    pub(super) fn when(mut self, at: Timestamp) -> Asked {
        self.at = at;
        self
    }

    pub(super) fn by_broadcast(mut self) -> Asked {
        self.broadcast = true;
        self
    }

    fn protocol(&self) -> Protocol {
        match self.station {
            StationAddress::Link(_) => Protocol::Dnp3,
            _ => Protocol::Modbus,
        }
    }

    /// Hand the operation to `look`.
    pub(super) fn with<R>(&self, look: impl FnOnce(&Operation<'_>) -> R) -> R {
        let endpoint = |ip: &str, port| Endpoint { host: Host::Ip(ip.parse::<IpAddr>().unwrap()), port };
        let flow = FlowInfo {
            id: 1,
            client: endpoint(self.client, 40000),
            server: endpoint(self.server, self.port),
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
        let from_master = self.exchange == Exchange::Request || self.exchange == Exchange::Confirm;
        let operation = Operation {
            flow: &flow,
            direction: if from_master { Direction::ToServer } else { Direction::ToClient },
            origin: Origin { at: self.at, ..Origin::default() },
            protocol: self.protocol(),
            exchange: self.exchange,
            from_master,
            station: self.station,
            master: StationAddress::None,
            action: self.action,
            function: self.function,
            requested: None,
            ranges: &self.ranges,
            more_ranges: self.more_ranges,
            outcome: Outcome::None,
            answers: self.answered.then(|| Answered { at: Timestamp(0), frame: FrameRef::default() }),
            sequence: 0,
            broadcast: self.broadcast,
            wants_answer: true,
            body: &[],
            recovered: false,
            detail: &Written(&self.values),
        };
        look(&operation)
    }

    /// Judge it: `Ok` with the rule's name ("" for none needed), or `Err` with kind, reason and text.
    pub(super) fn judge(&self, profile: &Compiled) -> Result<String, (crate::AnomalyKind, String)> {
        self.with(|operation| {
            let pair = profile.pair(
                operation.master_endpoint(),
                operation.station_endpoint(),
                operation.protocol,
                operation.station,
            );
            match profile.judge(pair, operation) {
                crate::Verdict::Allowed(rule) => {
                    Ok(rule.and_then(|r| profile.rule(r)).map(|r| r.name.clone()).unwrap_or_default())
                }
                crate::Verdict::Denied(anomaly) => Err((anomaly.kind, anomaly.to_string())),
            }
        })
    }
}

/// The example profile.
pub(super) fn example() -> Compiled {
    crate::parse(EXAMPLE, "first-form.toml").unwrap_or_else(|e| panic!("{e}"))
}

pub(super) const EXAMPLE: &str = include_str!("../../examples/first-form.toml");
