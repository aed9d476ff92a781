//! `gridtap dissect`: every PDU of a capture, one JSON object a line.
//!
//! The keys of the reference reading (frame, time, addresses, then the protocol's own) come first, so that
//! the two can be compared line by line; the decoded content follows. A line with the key `defect` reports
//! trouble and is no PDU. `recovered` marks what was found after resynchronising, and what only a reader of
//! the whole stream finds (see [`crate::pipeline::SegmentReader`]): the reference reading need not have it.

use std::io::{BufWriter, Write};

use parsers::{
    Defect, DefectKind, Direction, FieldSizes, FlowInfo, FrameRef, Host, Operation, Origin, Protocol, Unit,
};

use super::{DissectArguments, Exit};
use crate::capture::file::open_files;
use crate::flow::Overlap;
use crate::pipeline::{self, Consumer, FlowContext, Pipeline, PipelineOptions, SegmentReader};
use crate::report::json::{Json, JsonFields};

pub(super) fn dissect(arguments: &DissectArguments) -> Exit {
    debug_assert!(arguments.json);
    let mut source = match open_files(std::slice::from_ref(&arguments.file)) {
        Ok(source) => source,
        Err(error) => return Exit::failed(error),
    };
    let protocol = arguments.protocol.as_deref().and_then(Protocol::from_name);
    // A frame captured twice is shown twice: the reader of a dissection wants what is in the file.
    let options = PipelineOptions { deduplicate: false, ..PipelineOptions::default() };
    let printer = Printer {
        out: BufWriter::with_capacity(1 << 18, std::io::stdout().lock()),
        json: Json::new(),
        protocol,
        sizes: arguments.iec104_sizes,
        last_frame: FrameRef::default(),
        in_frame: 0,
        error: None,
    };
    let mut pipeline = Pipeline::new(&options, printer);
    let mut damaged = false;
    let result = pipeline::run(&mut source, &mut pipeline, |source, pipeline| {
        damaged |= super::replay::report_trouble(source) > 0;
        pipeline.consumer().error.is_none()
    });
    if let Err(error) = result {
        return Exit::failed(error);
    }
    let mut printer = pipeline.into_consumer();
    let error = printer.error.take().or_else(|| printer.out.flush().err());
    match error {
        // The reader of the pipe has had enough: nothing is wrong.
        Some(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Some(error) => Exit::failed(format!("standard output: {error}")),
        None if damaged => Exit::Damaged,
        None => Exit::Done,
    }
}

struct Printer<W: Write> {
    out: W,
    json: Json,
    protocol: Option<Protocol>,
    sizes: Option<FieldSizes>,
    last_frame: FrameRef,
    in_frame: u64,
    error: Option<std::io::Error>,
}

impl<W: Write> Printer<W> {
    fn wanted(&self, protocol: Protocol) -> bool {
        self.protocol.is_none_or(|p| p == protocol)
    }

    fn emit(&mut self) {
        self.json.close_object();
        self.json.newline();
        if let Err(error) = self.out.write_all(self.json.bytes())
            && self.error.is_none()
        {
            self.error = Some(error);
        }
    }
}

impl<W: Write> Consumer for Printer<W> {
    fn field_sizes(&self, _: &FlowInfo) -> Option<FieldSizes> {
        self.sizes
    }

    fn unit(&mut self, context: &mut FlowContext, unit: &Unit<'_>) {
        let reader = &mut context.by_segment()[unit.direction.index()];
        let is_seen = reader.sees(unit);
        if !self.wanted(unit.protocol) || reader.has_shown(unit) {
            return;
        }
        if unit.origin.frame != self.last_frame {
            self.last_frame = unit.origin.frame;
            self.in_frame = 0;
        }
        let json = &mut self.json;
        json.clear();
        json.open_object();
        place(json, unit.flow, unit.direction, &unit.origin);
        number(json, "pdu", self.in_frame);
        word(json, "protocol", unit.protocol.name());
        unit.detail.fields(&mut JsonFields::new(json));
        if unit.recovered || !is_seen {
            json.key("recovered");
            json.boolean(true);
        }
        self.in_frame += 1;
        self.emit();
    }

    fn operation(&mut self, _: &mut FlowContext, _: &Operation<'_>) {}

    fn reads_segments(&self) -> bool {
        true
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        let readers = context.by_segment();
        let reader = &mut readers[defect.direction.index()];
        match (defect.kind, defect.check) {
            (DefectKind::ForeignProtocol, _) => {
                readers.iter_mut().for_each(SegmentReader::lose);
            }
            (DefectKind::Resynchronised, _) | (_, "MB-C02") => reader.lose(),
            (_, "MB-C01") => reader.stumble(),
            (DefectKind::Malformed, _) => reader.pass_malformed(defect.origin.frame),
            _ => {}
        }
        if !self.wanted(defect.protocol) {
            return;
        }
        let json = &mut self.json;
        json.clear();
        json.open_object();
        place(json, defect.flow, defect.direction, &defect.origin);
        word(json, "protocol", defect.protocol.name());
        word(json, "defect", defect.kind.name());
        if !defect.check.is_empty() {
            word(json, "check", defect.check);
        }
        display(json, "expected", defect.expected);
        display(json, "observed", defect.observed);
        if defect.skipped > 0 {
            number(json, "skipped", defect.skipped);
        }
        number(json, "offset", defect.offset as u64);
        hex(json, "octets", &defect.octets[..defect.octets.len().min(64)]);
        self.emit();
    }

    fn overlap(&mut self, context: Option<&mut FlowContext>, flow: &FlowInfo, overlap: &Overlap<'_>) {
        let Some(context) = context.filter(|c| self.wanted(c.protocol)) else { return };
        let json = &mut self.json;
        json.clear();
        json.open_object();
        place(json, flow, overlap.direction, &overlap.new_origin);
        word(json, "protocol", context.protocol.name());
        word(json, "defect", "conflicting_overlap");
        hex(json, "first_seen", overlap.old);
        hex(json, "octets", overlap.new);
        self.emit();
    }
}

fn number(json: &mut Json, name: &str, value: u64) {
    json.key(name);
    json.unsigned(value);
}

fn word(json: &mut Json, name: &str, value: &str) {
    json.key(name);
    json.word(value);
}

fn hex(json: &mut Json, name: &str, value: &[u8]) {
    json.key(name);
    json.hex(value);
}

fn null(json: &mut Json, name: &str) {
    json.key(name);
    json.null();
}

fn display(json: &mut Json, name: &str, value: core::fmt::Arguments<'_>) {
    json.key(name);
    json.formatted(value);
}

/// Frame, time and addresses, as the reference prints them.
fn place(json: &mut Json, flow: &FlowInfo, direction: Direction, origin: &Origin) {
    number(json, "frame", origin.frame.number);
    number(json, "first_frame", origin.first_frame.number);
    let at = origin.at.0;
    display(json, "time", format_args!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000));
    let (from, to) = (flow.sender(direction), flow.receiver(direction));
    for (name, endpoint) in [("src", from), ("dst", to)] {
        match endpoint.host {
            Host::Ip(ip) => display(json, name, format_args!("{ip}")),
            Host::Mac(_) | Host::Serial(_) => null(json, name),
        }
    }
    for (name, endpoint) in [("src_port", from), ("dst_port", to)] {
        match endpoint.host {
            Host::Ip(_) => number(json, name, endpoint.port.into()),
            Host::Mac(_) | Host::Serial(_) => null(json, name),
        }
    }
    let (source, destination) = match direction {
        Direction::ToServer => (flow.client_mac, flow.server_mac),
        Direction::ToClient => (flow.server_mac, flow.client_mac),
    };
    for (name, mac) in [("src_mac", source), ("dst_mac", destination)] {
        match mac {
            Some(mac) => display(json, name, format_args!("{mac}")),
            None => null(json, name),
        }
    }
    match flow.vlan.ids().first() {
        Some(id) => number(json, "vlan", u64::from(*id)),
        None => null(json, "vlan"),
    }
}
