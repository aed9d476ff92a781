//! What others may ask the sensor over HTTP: `/metrics`, `/healthz`, `/readyz`.
//!
//! The only place in the sensor with an asynchronous runtime. It has a thread of its own and reads what
//! the pipeline published; a slow client cannot hold the pipeline up.

pub mod listener;
pub mod metrics;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::Registry;
use tokio::sync::oneshot;

use crate::report::snapshot::Published;
use listener::{FewConnections, IDLE_LIMIT, MAX_CONNECTIONS};

/// How long the pipeline may be silent before `/healthz` says that it hangs. It gives a sign of life
/// about once a second, traffic or not.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// How long requests under way are given when the server stops.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; {remedy}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The runtime or its thread could not be started.
    #[error("cannot start the web server: {0}")]
    Start(#[from] io::Error),
    /// The metrics contradict each other.
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

#[derive(Debug, Clone)]
struct Shared {
    published: Arc<Published>,
    registry: Registry,
}

/// A running web server; stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Take `address` (port 0: any free one), so that it is known to be free before anything is written.
    pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
        TcpListener::bind(address).map_err(|error| bind_error(address, error))
    }

    /// Serve what is published at an address that was taken by [`Server::bind`].
    pub fn start(listener: TcpListener, published: Arc<Published>) -> Result<Server, ServeError> {
        let shared = Shared { registry: metrics::registry(Arc::clone(&published))?, published };
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("web".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, shared, stopped)) {
                tracing::error!(%error, "the web server ended");
            }
            runtime.shutdown_timeout(STOP_GRACE);
        })?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finish what is under way and stop.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Sending fails if the server has ended already, which is what is wanted.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn bind_error(address: SocketAddr, error: io::Error) -> ServeError {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another address for the web server"
        }
        io::ErrorKind::AddrNotAvailable => {
            "no interface of this machine has that address: use one that it has, or 127.0.0.1"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose a higher port",
        _ => "check the address",
    };
    ServeError::Bind { address, error, remedy }
}

async fn serve(listener: TcpListener, shared: Shared, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let listener = FewConnections::new(listener, MAX_CONNECTIONS, IDLE_LIMIT);
    let app = Router::new()
        .route("/", get(index))
        .route("/metrics", get(exposition))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(shared);
    let (expire, expired) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
        let _ = expire.send(());
    });
    // A client that never ends its request must not keep the sensor from stopping.
    let grace = async {
        let _ = expired.await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = std::future::IntoFuture::into_future(server) => result,
        () = grace => Ok(()),
    }
}

async fn index() -> &'static str {
    "gridtap\n\n/metrics   figures for Prometheus\n/healthz   is the sensor alive\n/readyz    does it watch\n"
}

async fn exposition(State(shared): State<Shared>) -> Response {
    match metrics::exposition(&shared.registry) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be exposed");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}

async fn healthz(State(shared): State<Shared>) -> Response {
    let silent = shared.published.silent_for();
    if silent <= SILENCE_LIMIT {
        return "ok\n".into_response();
    }
    let text = format!("the pipeline has given no sign of life for {} s\n", silent.as_secs());
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let waiting = shared.published.waiting();
    if waiting.is_empty() {
        return "ok\n".into_response();
    }
    let lines: Vec<String> = waiting.iter().map(|(part, reason)| format!("{part}: {reason}")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines.join("\n") + "\n").into_response()
}

#[cfg(test)]
mod tests;
