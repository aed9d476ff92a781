//! Modbus stations as servers of tokio-modbus: it reads requests and writes answers; what they mean is
//! asked of the world.

use std::io;
use std::pin::Pin;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_modbus::bytes::Bytes;
use tokio_modbus::prelude::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

use super::net::Message;
use crate::encode::modbus::Request as Own;

/// A service place of the world.
#[derive(Debug, Clone)]
pub(super) struct Units {
    pub(super) host: u32,
    pub(super) port: u16,
    pub(super) world: mpsc::Sender<Message>,
}

/// The PDU behind a request that tokio-modbus has read.
pub(super) fn to_pdu(request: &Request<'_>) -> Vec<u8> {
    match request {
        Request::ReadCoils(first, count) => Own::Read(1, *first, *count),
        Request::ReadDiscreteInputs(first, count) => Own::Read(2, *first, *count),
        Request::ReadHoldingRegisters(first, count) => Own::Read(3, *first, *count),
        Request::ReadInputRegisters(first, count) => Own::Read(4, *first, *count),
        Request::WriteSingleCoil(address, on) => Own::WriteCoil(*address, if *on { 0xff00 } else { 0 }),
        Request::WriteSingleRegister(address, value) => Own::WriteRegister(*address, *value),
        Request::WriteMultipleCoils(first, bits) => Own::WriteCoils(*first, bits.to_vec()),
        Request::WriteMultipleRegisters(first, words) => Own::WriteRegisters(*first, words.to_vec()),
        Request::ReportServerId => Own::ReportServerId,
        Request::MaskWriteRegister(address, and, or) => Own::MaskWrite(*address, *and, *or),
        Request::ReadWriteMultipleRegisters(read, count, write, words) => {
            Own::ReadWrite(*read, *count, *write, words.to_vec())
        }
        Request::ReadDeviceIdentification(code, object) => Own::DeviceId(code.value(), *object),
        Request::Custom(function, data) => Own::Other(*function, data.to_vec()),
    }
    .pdu()
}

/// An answer of a station for tokio-modbus to write.
pub(super) fn from_pdu(pdu: Vec<u8>) -> Result<Option<Response>, ExceptionCode> {
    if let [function, code, ..] = *pdu.as_slice()
        && function & 0x80 != 0
    {
        return Err(ExceptionCode::new(code));
    }
    let custom = pdu.split_first().map(|(function, data)| Response::Custom(*function, data.to_vec().into()));
    Ok(Response::try_from(Bytes::from(pdu)).ok().or(custom))
}

impl Service for Units {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let (reply, answer) = oneshot::channel();
        let (host, port, unit) = (self.host, self.port, request.slave);
        let message = Message::Modbus { host, port, unit, pdu: to_pdu(&request.request), reply };
        let world = self.world.clone();
        Box::pin(async move {
            if world.send(message).await.is_err() {
                return Ok(None);
            }
            // No answer at all: listen-only mode, or the world has ended.
            answer.await.map_or(Ok(None), from_pdu)
        })
    }
}

/// Serve until the task is aborted; connections end with it.
pub(super) async fn serve(listener: TcpListener, units: Units) {
    let new = |_| Ok(Some(units.clone()));
    let connected = |stream: tokio::net::TcpStream, from| async move {
        _ = stream.set_nodelay(true);
        accept_tcp_connection(stream, from, new)
    };
    // Requests that cannot be read end their connection, as they do at real devices.
    let ended = |_: io::Error| {};
    _ = Server::new(listener).serve(&connected, ended).await;
}
