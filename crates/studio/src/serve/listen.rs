//! Connections: how many, how slow a client may be, and the end.

use super::{Studio, router};
use crate::interrupt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait until one is closed.
const CONNECTIONS: usize = 1024;
/// Longest time for the head of a request, and between two requests.
const HEAD: Duration = Duration::from_secs(20);
/// Ports that are tried after one that is taken.
const PORTS: u16 = 20;

/// A socket that listens.
pub struct Listening {
    listener: std::net::TcpListener,
}

/// Listens on the port, or on the next free one. Port 0 is any free port.
///
/// # Errors
/// No port is free, or the address is not this machine's.
pub fn listen(host: IpAddr, port: u16) -> io::Result<Listening> {
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for port in (port..=port.saturating_add(PORTS)).take(if port == 0 { 1 } else { usize::from(PORTS) + 1 }) {
        result = std::net::TcpListener::bind((host, port)).map(|listener| Listening { listener });
        match &result {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
            _ => break,
        }
    }
    result
}

impl Listening {
    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until an end is asked for.
    ///
    /// # Errors
    /// Those of the system when the server starts.
    pub fn serve(self, studio: Arc<Studio>) -> io::Result<()> {
        let trainer = studio.clone();
        let trainings = std::thread::spawn(move || trainer.jobs.work());
        let jobs = studio.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            self.listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(self.listener)?;
            let end = async {
                while !interrupt::requested() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            tokio::select! {
                () = accept(listener, studio) => {}
                () = end => {}
            }
            Ok::<(), io::Error>(())
        })?;
        jobs.jobs.end();
        trainings.join().ok(); // a panic there has been printed
        runtime.shutdown_timeout(Duration::from_secs(2)); // a computation may still run
        Ok(())
    }
}

async fn accept(listener: TcpListener, studio: Arc<Studio>) {
    let (router, room) = (router(studio), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Too many open files, for instance: others must close first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        stream.set_nodelay(true).ok(); // only slower without
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            connection.await.ok(); // a client that goes away or breaks the protocol ends its own connection only
            drop(place);
        });
    }
}
