//! The line of a control that has come to its end.

use super::control::{ControlEvent, ControlPoint, Level, Order, narrow};
use super::event::{Common, coverage, frames, function_object, head, parties, point_kind, station};
use super::json::Json;

/// A whole line.
pub(super) fn control_line(json: &mut Json, common: &Common, event: &ControlEvent<'_>) {
    head(json, common, event.at, "control");
    json.key("what");
    json.word("control_completed");
    json.key("message");
    json.formatted(format_args!("{event}"));
    json.key("protocol");
    json.word(event.protocol.name());
    parties(json, event.client, event.server);
    if let Some(name) = event.client_name {
        json.key("client_name");
        json.text(name);
    }
    station(json, event.station, event.station_name, event.server);
    json.key("function");
    function_object(json, event.function);
    json.key("method");
    json.word(event.method.name());
    json.key("outcome");
    json.word(event.outcome.name());
    if let Some((code, name)) = event.refusal {
        json.key("outcome_code");
        json.unsigned(code.into());
        json.key("outcome_name");
        json.word(name);
    }
    if let Some(at) = event.selected {
        json.key("selected");
        json.time(at);
    }
    json.key("sent");
    json.time(event.sent);
    milliseconds(json, "latency_ms", event.answered.map(|at| at.since(event.sent)));
    milliseconds(json, "effect_ms", event.effect_ns());
    if event.broadcast {
        json.key("broadcast");
        json.boolean(true);
    }
    json.key("points");
    json.open_list();
    event.points.iter().for_each(|p| point(json, p));
    json.close_list();
    if event.more_points > 0 {
        json.key("points_omitted");
        json.unsigned(event.more_points.into());
    }
    frames(json, common, event.frames);
    json.key("coverage");
    coverage(json, event.coverage);
    json.close_object();
    json.newline();
}

fn point(json: &mut Json, point: &ControlPoint<'_>) {
    json.open_object();
    json.key("kind");
    point_kind(json, point.kind);
    json.key("address");
    json.unsigned(point.address.into());
    if let Some(name) = point.name {
        json.key("name");
        json.text(name);
    }
    json.key("command");
    json.word(point.order.name());
    if let Order::Set(number) = point.order {
        level(json, "value", Some(Level::Number(number)));
    }
    if let Some(status) = point.status {
        json.key("status");
        json.unsigned(status.into());
    }
    level(json, "before", point.before);
    level(json, "after", point.after);
    milliseconds(json, "effect_ms", point.effect_ns);
    json.close_object();
}

fn milliseconds(json: &mut Json, key: &str, nanoseconds: Option<u64>) {
    if let Some(nanoseconds) = nanoseconds {
        json.key(key);
        json.milliseconds(nanoseconds);
    }
}

fn level(json: &mut Json, key: &str, level: Option<Level>) {
    let Some(level) = level else { return };
    json.key(key);
    match level {
        Level::Off => json.boolean(false),
        Level::On => json.boolean(true),
        Level::Between => json.word("between"),
        Level::Number(number) => self::number(json, number),
    }
}

/// Whole numbers without a fraction, and no more digits than the wire had.
fn number(json: &mut Json, number: f64) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        json.signed(number as i64);
    } else if let Some(narrow) = narrow(number) {
        json.float32(narrow);
    } else {
        json.float(number);
    }
}
