//! Accepts connections, but not without end: a client that holds many, or says nothing, must not keep
//! Prometheus from its figures.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections open at a time. More wait until one ends.
pub const MAX_CONNECTIONS: usize = 64;
/// How long a connection may be silent, or take nothing of an answer, before it is closed. Prometheus opens another
/// one then. Nor may a request take longer to come.
pub const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// A listener with a limited number of connections.
pub(super) struct FewConnections {
    listener: TcpListener,
    room: Arc<Semaphore>,
    idle: Duration,
}

impl FewConnections {
    pub(super) fn new(listener: TcpListener, connections: usize, idle: Duration) -> FewConnections {
        FewConnections { listener, room: Arc::new(Semaphore::new(connections)), idle }
    }
}

impl axum::serve::Listener for FewConnections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so the permit comes.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        (
            Connection {
                stream,
                silence: Box::pin(sleep(self.idle)),
                asking: None,
                idle: self.idle,
                _permit: permit,
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its client says nothing for too long.
pub(super) struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    /// Since when it has been asking, without an answer yet.
    asking: Option<Instant>,
    idle: Duration,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// What the other side has done, or that it has done nothing for too long.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            let until = Instant::now() + self.idle;
            self.silence.as_mut().reset(until);
            return done;
        }
        self.silence.as_mut().poll(cx).map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(cx, buf);
        // A request that comes octet by octet is never silent, and must end all the same.
        if done.is_ready() && self.asking.get_or_insert_with(Instant::now).elapsed() > self.idle {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut)));
        }
        self.in_time(cx, done)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, buf);
        if done.is_ready() {
            self.asking = None;
        }
        self.in_time(cx, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server with room for one connection, silent for 50 ms at most.
    fn small() -> (tokio::runtime::Runtime, SocketAddr) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let few = FewConnections::new(listener, 1, Duration::from_millis(50));
        let app = axum::Router::new()
            .route("/", axum::routing::get(|| async { "here" }))
            .route("/much", axum::routing::get(|| async { vec![b'x'; 64 << 20] }));
        runtime.spawn(async move { axum::serve(few, app).await });
        (runtime, address)
    }

    #[test]
    fn a_client_that_takes_nothing_makes_room_for_the_next() {
        let (runtime, address) = small();
        runtime.block_on(async {
            let mut deaf = TcpStream::connect(address).await.unwrap();
            deaf.write_all(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            let mut next = TcpStream::connect(address).await.unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            let read = next.read_to_string(&mut answer);
            tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
            assert!(answer.ends_with("here"), "{answer}");
        });
    }

    #[test]
    fn a_client_that_trickles_its_request_makes_room_for_the_next() {
        let (runtime, address) = small();
        runtime.block_on(async {
            let mut slow = TcpStream::connect(address).await.unwrap();
            slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            let mut next = TcpStream::connect(address).await.unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let trickle = async {
                while slow.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_millis(10)).await;
                }
                std::future::pending::<()>().await;
            };
            let mut answer = String::new();
            let read = tokio::time::timeout(Duration::from_secs(20), next.read_to_string(&mut answer));
            tokio::select! {
                read = read => { read.unwrap().unwrap(); }
                () = trickle => {}
            }
            assert!(answer.ends_with("here"), "{answer}");
        });
    }

    #[test]
    fn a_client_that_says_nothing_makes_room_for_the_next() {
        let (runtime, address) = small();
        runtime.block_on(async {
            let mut silent = TcpStream::connect(address).await.unwrap();
            silent.write_all(b"GET / HT").await.unwrap();
            let mut next = TcpStream::connect(address).await.unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            next.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("here"), "{answer}");
            let mut rest = Vec::new();
            let _ = silent.read_to_end(&mut rest).await;
            assert!(!rest.ends_with(b"here"));
        });
    }
}
