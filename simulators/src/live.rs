//! A Modbus/TCP station and a master on real sockets, both by tokio-modbus.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_modbus::client::{Context, Reader, Writer, tcp};
use tokio_modbus::prelude::{ExceptionCode, Request, Response, Slave};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

use crate::wire::Prng;

/// Coils, discrete inputs, input registers and holding registers that the station has of each.
pub const POINTS: u16 = 200;

/// Unit id that the master asks for.
pub const UNIT: u8 = 1;

/// Pause between two operations of the master.
const PAUSE: Duration = Duration::from_millis(20);

/// The station's points, shared by its connections.
#[derive(Debug, Clone)]
struct Points {
    coils: Vec<bool>,
    registers: Vec<u16>,
}

#[derive(Debug, Clone)]
struct Station {
    points: Arc<Mutex<Points>>,
}

fn span(address: u16, count: usize) -> Result<core::ops::Range<usize>, ExceptionCode> {
    let first = usize::from(address);
    let end = first + count;
    if count == 0 {
        return Err(ExceptionCode::IllegalDataValue);
    }
    if end > usize::from(POINTS) {
        return Err(ExceptionCode::IllegalDataAddress);
    }
    Ok(first..end)
}

impl Station {
    fn answer(&self, request: &Request<'_>) -> Result<Response, ExceptionCode> {
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::ReadCoils(address, count) => {
                Ok(Response::ReadCoils(points.coils[span(*address, (*count).into())?].to_vec()))
            }
            Request::ReadDiscreteInputs(address, count) => {
                let inputs = span(*address, (*count).into())?.map(|i| i % 3 == 0).collect();
                Ok(Response::ReadDiscreteInputs(inputs))
            }
            Request::ReadInputRegisters(address, count) => {
                let inputs = span(*address, (*count).into())?.map(|i| 1000 + i as u16).collect();
                Ok(Response::ReadInputRegisters(inputs))
            }
            Request::ReadHoldingRegisters(address, count) => {
                let span = span(*address, (*count).into())?;
                Ok(Response::ReadHoldingRegisters(points.registers[span].to_vec()))
            }
            Request::WriteSingleCoil(address, value) => {
                points.coils[span(*address, 1)?].fill(*value);
                Ok(Response::WriteSingleCoil(*address, *value))
            }
            Request::WriteSingleRegister(address, value) => {
                points.registers[span(*address, 1)?].fill(*value);
                Ok(Response::WriteSingleRegister(*address, *value))
            }
            Request::WriteMultipleCoils(address, values) => {
                points.coils[span(*address, values.len())?].copy_from_slice(values);
                Ok(Response::WriteMultipleCoils(*address, values.len() as u16))
            }
            Request::WriteMultipleRegisters(address, values) => {
                points.registers[span(*address, values.len())?].copy_from_slice(values);
                Ok(Response::WriteMultipleRegisters(*address, values.len() as u16))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Service for Station {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(self.answer(&request))
    }
}

fn block_on<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Answer requests on `listen` for so long.
pub fn station(listen: SocketAddr, time: Duration) -> io::Result<()> {
    block_on(async move { serve(TcpListener::bind(listen).await?, time).await })
}

/// Answer requests on a socket that listens already.
async fn serve(listener: TcpListener, time: Duration) -> io::Result<()> {
    let registers = (0..POINTS).map(|i| i * 7).collect();
    let points = Arc::new(Mutex::new(Points { coils: vec![false; POINTS.into()], registers }));
    let station = Station { points };
    let new = |_| Ok(Some(station.clone()));
    let connected = |stream, from| async move { accept_tcp_connection(stream, from, new) };
    let report = |error: io::Error| eprintln!("connection ended: {error}");
    Server::new(listener).serve_until(&connected, report, sleep(time)).await.map(|_| ())
}

/// An operation of the master.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum Step {
    /// Function 1.
    ReadCoils(u16, u16),
    /// Function 2.
    ReadInputs(u16, u16),
    /// Function 3.
    ReadHolding(u16, u16),
    /// Function 4.
    ReadInputRegisters(u16, u16),
    /// Function 5.
    WriteCoil(u16, bool),
    /// Function 6.
    WriteRegister(u16, u16),
    /// Function 16.
    WriteRegisters(u16, Vec<u16>),
    /// Function 3 beyond the station's points: exception 2.
    ReadBeyond,
}

impl Step {
    /// Function code.
    pub fn function(&self) -> u8 {
        match self {
            Step::ReadCoils(..) => 1,
            Step::ReadInputs(..) => 2,
            Step::ReadHolding(..) | Step::ReadBeyond => 3,
            Step::ReadInputRegisters(..) => 4,
            Step::WriteCoil(..) => 5,
            Step::WriteRegister(..) => 6,
            Step::WriteRegisters(..) => 16,
        }
    }
}

/// The operations of a seed, without end: rounds of every kind, each with other addresses and values.
pub fn steps(seed: u64) -> impl Iterator<Item = Step> {
    let mut prng = Prng::new(seed);
    (0..8_u8).cycle().map(move |kind| {
        let address = prng.below(100) as u16;
        let count = 1 + prng.below(50) as u16;
        let value = prng.next_u64() as u16;
        match kind {
            0 => Step::ReadCoils(address, count),
            1 => Step::ReadInputs(address, count),
            2 => Step::ReadHolding(address, count),
            3 => Step::ReadInputRegisters(address, count),
            4 => Step::WriteRegister(address, value),
            5 => Step::WriteRegisters(address, (0..count).map(|i| value.wrapping_add(i)).collect()),
            6 => Step::WriteCoil(address, value & 1 == 1),
            _ => Step::ReadBeyond,
        }
    })
}

/// Command the station at `connect` for so long; the number of operations answered.
pub fn master(connect: SocketAddr, time: Duration, seed: u64) -> io::Result<u64> {
    block_on(async move {
        let end = Instant::now() + time;
        let mut client = tcp::connect_slave(connect, Slave(UNIT)).await?;
        let mut count = 0;
        for step in steps(seed) {
            let Ok(result) = timeout_at(end, act(&mut client, &step)).await else { break };
            result?;
            count += 1;
            sleep(PAUSE).await;
            if Instant::now() >= end {
                break;
            }
        }
        Ok(count)
    })
}

/// One operation. A refusal is an answer; only [`Step::ReadBeyond`] may get one.
async fn act(client: &mut Context, step: &Step) -> io::Result<()> {
    let refused = match step {
        Step::ReadCoils(address, count) => client.read_coils(*address, *count).await.map(|r| r.is_err()),
        Step::ReadInputs(address, count) => {
            client.read_discrete_inputs(*address, *count).await.map(|r| r.is_err())
        }
        Step::ReadHolding(address, count) => {
            client.read_holding_registers(*address, *count).await.map(|r| r.is_err())
        }
        Step::ReadInputRegisters(address, count) => {
            client.read_input_registers(*address, *count).await.map(|r| r.is_err())
        }
        Step::WriteCoil(address, value) => {
            client.write_single_coil(*address, *value).await.map(|r| r.is_err())
        }
        Step::WriteRegister(address, value) => {
            client.write_single_register(*address, *value).await.map(|r| r.is_err())
        }
        Step::WriteRegisters(address, values) => {
            client.write_multiple_registers(*address, values).await.map(|r| r.is_err())
        }
        Step::ReadBeyond => client.read_holding_registers(POINTS, 2).await.map(|r| r.is_err()),
    };
    let refused = refused.map_err(io::Error::other)?;
    if refused == (*step == Step::ReadBeyond) {
        return Ok(());
    }
    Err(io::Error::other(format!("{step:?}: refused is {refused}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_gives_the_same_operations_every_time() {
        let first: Vec<Step> = steps(7).take(40).collect();
        assert_eq!(first, steps(7).take(40).collect::<Vec<_>>());
        assert_ne!(first, steps(8).take(40).collect::<Vec<_>>());
        let functions: Vec<u8> = first[..8].iter().map(Step::function).collect();
        assert_eq!(functions, [1, 2, 3, 4, 6, 16, 5, 3]);
    }

    #[test]
    fn the_master_gets_answers_from_the_station() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        socket.set_nonblocking(true).unwrap();
        let server = std::thread::spawn(move || {
            block_on(async move { serve(TcpListener::from_std(socket)?, Duration::from_secs(3)).await })
        });
        let count = master(address, Duration::from_millis(800), 1).unwrap();
        assert!(count >= 8, "{count} operations");
        server.join().unwrap().unwrap();
    }
}
