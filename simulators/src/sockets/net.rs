//! Sockets, and the tasks that wait for them. Everything they see reaches the world as a message.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::framing::Framing;
use super::modbus::{self, Units};
use super::netns::{self, Namespaces};
use crate::engine::{Body, World};
use crate::wire::Side;

/// An opening that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(3);
/// Reasons that are kept for the end.
const TROUBLES: usize = 5;

/// What a socket says.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request to a Modbus station. A PDU is never empty.
    Modbus { host: u32, port: u16, unit: u8, pdu: Vec<u8>, reply: oneshot::Sender<Vec<u8>> },
    /// Somebody connected to a service.
    Accepted { host: u32, port: u16, stream: TcpStream, from: Ipv4Addr },
    /// A connection opened from here stands.
    Connected { conn: u32, stream: TcpStream },
    /// A message arrived.
    Data { conn: u32, to: Side, bytes: Vec<u8> },
    /// A connection is gone or could not be opened.
    Ended { conn: u32, side: Side },
}

#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(super) enum Service {
    Modbus,
    Dnp3,
    Raw,
}

#[derive(Debug)]
struct Listener {
    host: u32,
    address: SocketAddrV4,
    service: Service,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Open {
    stream: Arc<TcpStream>,
    reader: JoinHandle<()>,
}

/// All sockets of a site.
#[derive(Debug)]
pub(crate) struct Net {
    world: mpsc::Sender<Message>,
    listeners: Vec<Listener>,
    open: HashMap<u32, Open>,
    namespaces: Option<netns::Entrances>,
    messages: u64,
    pub(super) answers: u64,
    troubles: Vec<String>,
}

impl Net {
    pub(super) fn new(world: mpsc::Sender<Message>, namespaces: Option<&Namespaces>) -> Net {
        Net {
            world,
            listeners: Vec::new(),
            open: HashMap::new(),
            namespaces: namespaces.map(Namespaces::entrances),
            messages: 0,
            answers: 0,
            troubles: Vec::new(),
        }
    }

    /// Listen for all stations and the server of the noise. Where.
    pub(super) fn listen(&mut self, world: &World<'_>) -> io::Result<Vec<SocketAddrV4>> {
        for ((host, port), stations) in &world.services {
            let service = match world.stations[stations[0]].body {
                Body::Modbus(_) => Service::Modbus,
                Body::Dnp3(_) => Service::Dnp3,
                // An end of an IEC 104 connection finds its APDUs itself.
                Body::Iec104(_) => Service::Raw,
            };
            let address = SocketAddrV4::new(world.hosts[*host as usize].address, *port);
            self.listeners.push(Listener { host: *host, address, service, task: None });
        }
        let places: Vec<SocketAddrV4> = self.listeners.iter().map(|l| l.address).collect();
        for (index, address) in places.iter().enumerate() {
            self.resume(index).map_err(|error| {
                let hint = match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "; ports below 1024 need privileges: try --modbus-port 1502"
                    }
                    io::ErrorKind::AddrInUse => "; is another site running?",
                    _ => "",
                };
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}{hint}"))
            })?;
        }
        if let Some((host, address)) = world.noise_server() {
            let address = SocketAddrV4::new(address, 80);
            self.listeners.push(Listener { host, address, service: Service::Raw, task: None });
            // Without it there is no noise, and that is all.
            if let Err(error) = self.resume(self.listeners.len() - 1) {
                self.complain(format!("cannot listen on {address}: {error}"));
                self.listeners.pop();
            }
        }
        Ok(places)
    }

    fn resume(&mut self, index: usize) -> io::Result<()> {
        let (host, address) = (self.listeners[index].host, self.listeners[index].address);
        let listener = self.within(*address.ip(), || {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(address.into())?;
            socket.listen(128)
        })?;
        let world = self.world.clone();
        let port = address.port();
        let task = match self.listeners[index].service {
            Service::Modbus => tokio::spawn(modbus::serve(listener, Units { host, port, world })),
            _ => tokio::spawn(accept(listener, host, port, world)),
        };
        self.listeners[index].task = Some(task);
        Ok(())
    }

    /// Stop or begin again to listen, as `up` says of each place.
    pub(super) fn tend(&mut self, up: impl Fn(u32, u16) -> bool) {
        for index in 0..self.listeners.len() {
            let listener = &mut self.listeners[index];
            let up = up(listener.host, listener.address.port());
            if !up && let Some(task) = listener.task.take() {
                task.abort();
            } else if up
                && listener.task.is_none()
                && let Err(error) = self.resume(index)
            {
                let address = self.listeners[index].address;
                self.complain(format!("cannot listen on {address} again: {error}"));
            }
        }
    }

    pub(super) fn complain(&mut self, why: String) {
        if self.troubles.len() < TROUBLES {
            self.troubles.push(why);
        }
    }

    /// Do something where a host is.
    fn within<T>(&self, host: Ipv4Addr, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.namespaces {
            Some(namespaces) => namespaces.within(host, work),
            None => work(),
        }
    }

    /// Open a connection; the world is told when it stands or has failed.
    pub(super) fn dial(&mut self, conn: u32, from: Ipv4Addr, to: SocketAddrV4) {
        let socket = self.within(from, || {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddrV4::new(from, 0).into())?;
            Ok(socket)
        });
        let world = self.world.clone();
        if let Err(error) = &socket {
            self.complain(format!("no socket for {from}: {error}"));
        }
        tokio::spawn(async move {
            let opened = match socket {
                Ok(socket) => tokio::time::timeout(PATIENCE, socket.connect(to.into())).await,
                Err(error) => Ok(Err(error)),
            };
            let message = match opened {
                Ok(Ok(stream)) => Message::Connected { conn, stream },
                _ => Message::Ended { conn, side: Side::Client },
            };
            _ = world.send(message).await;
        });
    }

    /// Read from a connection from now on.
    pub(super) fn adopt(&mut self, conn: u32, stream: TcpStream, side: Side, service: Service) {
        _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let framing = match service {
            Service::Modbus => Framing::modbus(),
            Service::Dnp3 => Framing::dnp3(),
            Service::Raw => Framing::Raw,
        };
        let reader = tokio::spawn(read(Arc::clone(&stream), conn, side, framing, self.world.clone()));
        self.open.insert(conn, Open { stream, reader });
    }

    /// Send; false when the other side does not take it: then the connection is reset.
    pub(super) fn transmit(&mut self, conn: u32, bytes: &[u8]) -> bool {
        let Some(open) = self.open.get(&conn) else { return false };
        self.messages += 1;
        // Messages are small beside a socket's buffer: one that has no room is not read from any more.
        let sent = open.stream.try_write(bytes).is_ok_and(|count| count == bytes.len());
        if !sent {
            self.reset(conn);
        }
        sent
    }

    /// Nothing more will be sent; what the other side still says is read.
    pub(super) fn finish_sending(&mut self, conn: u32) {
        if let Some(open) = self.open.get(&conn) {
            // SAFETY: no pointers; the descriptor is that of a stream we hold.
            _ = unsafe { libc::shutdown(open.stream.as_raw_fd(), libc::SHUT_WR) };
        }
    }

    /// Both sides have finished, or one is gone.
    pub(super) fn forget(&mut self, conn: u32) {
        if let Some(open) = self.open.remove(&conn) {
            open.reader.abort();
        }
    }

    /// End a connection at once, with a reset.
    pub(crate) fn reset(&mut self, conn: u32) {
        if let Some(open) = self.open.get(&conn) {
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            let size = size_of::<libc::linger>() as libc::socklen_t;
            let value = (&raw const linger).cast();
            // SAFETY: `value` points at a `linger` of `size` octets that outlives the call.
            _ = unsafe {
                libc::setsockopt(open.stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, size)
            };
        }
        self.forget(conn);
    }

    /// Close everything; messages sent, Modbus answers, what went wrong.
    pub(super) fn finish(mut self) -> (u64, u64, Vec<String>) {
        for listener in &mut self.listeners {
            if let Some(task) = listener.task.take() {
                task.abort();
            }
        }
        for open in self.open.values() {
            open.reader.abort();
        }
        (self.messages, self.answers, self.troubles)
    }
}

async fn accept(listener: TcpListener, host: u32, port: u16, world: mpsc::Sender<Message>) {
    loop {
        match listener.accept().await {
            Ok((stream, SocketAddr::V4(from))) => {
                let message = Message::Accepted { host, port, stream, from: *from.ip() };
                if world.send(message).await.is_err() {
                    return;
                }
            }
            // Out of descriptors, or a connection that ended before it was taken.
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn read(
    stream: Arc<TcpStream>,
    conn: u32,
    to: Side,
    mut framing: Framing,
    world: mpsc::Sender<Message>,
) {
    let mut buffer = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                for bytes in framing.push(&buffer[..count]) {
                    if world.send(Message::Data { conn, to, bytes }).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    _ = world.send(Message::Ended { conn, side: to }).await;
}
