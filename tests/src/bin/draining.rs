//! A service of axum that drains its connections on SIGTERM. It writes its own address and that of its metrics to standard
//! output. A request of `/slow` is answered when a line comes on standard input. Its first argument is how it handles
//! signals: `after` or `before` obs is initialised, after the guard was `dropped`, while a `command` runs, by `ctrl_c`, which
//! is SIGINT alone, or with `nothing`.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use obs_runtime::{Guard, track_performance, tracked_command};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[track_performance]
async fn slow() -> &'static str {
    println!("a request is waiting");
    let mut line = String::new();
    match BufReader::new(stdin()).read_line(&mut line).await {
        Ok(_) => "done",
        Err(_) => "failed",
    }
}

async fn serve(terminated: Option<Signal>, guard: Option<&Guard>) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let metrics = guard.and_then(Guard::metrics_address).unwrap_or(listener.local_addr()?);
    println!("{} {metrics}", listener.local_addr()?);
    let drain = async {
        match terminated {
            Some(mut terminated) => {
                terminated.recv().await;
                println!("draining");
            }
            None => pending().await,
        }
    };
    axum::serve(listener, Router::new().route("/slow", get(slow))).with_graceful_shutdown(drain).await
}

#[tracked_command]
async fn nightly(terminated: Option<Signal>, guard: Option<&Guard>) -> io::Result<()> {
    serve(terminated, guard).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let way = std::env::args().nth(1).unwrap_or_default();
    let kind = if way == "ctrl_c" { SignalKind::interrupt() } else { SignalKind::terminate() };
    let term = || signal(kind);
    let before = if way == "before" { Some(term()?) } else { None };
    let mut guard = Some(obs_runtime::init_observability()?);
    let terminated = if before.is_none() && way != "nothing" { Some(term()?) } else { before };
    match &*way {
        "command" => nightly(terminated, guard.as_ref()).await?,
        "dropped" => {
            drop(guard.take());
            serve(terminated, None).await?;
        }
        _ => serve(terminated, guard.as_ref()).await?,
    }
    println!("drained");
    Ok(())
}
