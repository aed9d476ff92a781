//! The web server over real connections.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;

use parsers::Timestamp;

use super::*;
use crate::report::sinks::{Sinks, SinksConfig, Tally};
use crate::report::vitals::Vitals;

fn ask(server: &Server, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

fn start() -> (Server, Arc<Published>) {
    let published = Arc::new(Published::new());
    let listener = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Server::start(listener, Arc::clone(&published)).unwrap();
    (server, published)
}

#[test]
fn metrics_are_served_as_prometheus_wants_them() {
    let (server, published) = start();
    let sinks = Sinks::new(SinksConfig { published: Some(published), ..SinksConfig::default() });
    let tally = Tally::default();
    sinks.publish(&tally, &Vitals { duplicates: 7, ..Vitals::default() });
    let (status, text) = ask(&server, "/metrics");
    assert_eq!(status, 200);
    assert!(text.to_lowercase().contains("content-type: text/plain; version=0.0.4"));
    assert!(text.contains("\ngridtap_duplicate_packets_total 7\n"));
    sinks.publish(&tally, &Vitals { duplicates: 8, ..Vitals::default() });
    assert!(ask(&server, "/metrics").1.contains("\ngridtap_duplicate_packets_total 8\n"));
    sinks.finish(Timestamp(0), &tally, &Vitals::default()).1.unwrap();
}

#[test]
fn ready_only_when_nothing_is_waited_for_and_the_reasons_are_given() {
    let (server, published) = start();
    assert_eq!(ask(&server, "/readyz").0, 503);
    published.set_waiting(vec![("capture", "eth9: no such interface".to_owned())]);
    let (status, text) = ask(&server, "/readyz");
    assert_eq!(status, 503);
    assert!(text.contains("capture: eth9: no such interface"));
    published.set_waiting(Vec::new());
    assert_eq!(ask(&server, "/readyz").0, 200);
    assert_eq!(ask(&server, "/healthz").0, 200);
    assert_eq!(ask(&server, "/elsewhere").0, 404);
}

#[test]
fn an_address_in_use_is_an_error_with_a_remedy() {
    let (server, _) = start();
    let error = Server::bind(server.address()).unwrap_err().to_string();
    assert!(error.contains(&server.address().to_string()), "{error}");
    assert!(error.contains("choose another address"), "{error}");
}

#[test]
fn stopping_does_not_wait_for_a_client_that_hangs() {
    let (server, _published) = start();
    let mut hanging = TcpStream::connect(server.address()).unwrap();
    hanging.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    assert_eq!(ask(&server, "/healthz").0, 200);
    let begun = std::time::Instant::now();
    server.stop();
    assert!(begun.elapsed() < STOP_GRACE * 3);
}
