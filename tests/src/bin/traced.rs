//! A job whose trace goes through tasks, threads, a queue, a child process and a server.
//!
//! - `job URL`: the job. It asks the server at the URL, and starts itself as `child`.
//! - `child`: the child process.
//! - `server`: prints its URL, answers one request and ends.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use obs_runtime::{
    ClosureInContext as _, FutureInContext as _, LogContext, child_env, context_headers, track_performance,
    tracked_command, with_error_tracking,
};

type Boxed = Box<dyn std::error::Error + Send + Sync>;

#[track_performance(args(number), tags(parity = if number.is_multiple_of(2) { "even" } else { "odd" }))]
async fn in_task(number: u32) -> u32 {
    tokio::task::yield_now().await;
    inner(number)
}

#[track_performance]
fn inner(number: u32) -> u32 {
    number
}

#[track_performance]
fn in_blocking() {}

#[track_performance]
fn in_thread() {}

/// Begins when the job has ended.
#[track_performance]
fn outlives() {}

#[track_performance]
#[with_error_tracking(context(file = "a.csv", password = "hunter2"))]
fn fails() -> Result<(), std::num::ParseIntError> {
    "nine".parse::<u32>().map(drop)
}

#[track_performance]
fn fetch(url: &str) -> Result<String, Boxed> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")?;
    for (name, value) in context_headers() {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Handles a request of another process.
#[track_performance]
fn handle() {
    inner(1);
}

#[track_performance]
fn publish(queue: &mpsc::Sender<HashMap<String, String>>) -> Result<(), Boxed> {
    queue.send(context_headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect())?;
    Ok(())
}

#[track_performance]
fn consume() {}

#[track_performance]
fn start_child() -> Result<(), Boxed> {
    let status = Command::new(std::env::current_exe()?).arg("child").envs(child_env()).status()?;
    if status.success() { Ok(()) } else { Err(format!("the child ended with {status}").into()) }
}

#[tracked_command]
fn child_job() {
    inner(2);
}

#[tracked_command(user = "ada", args(url), tags(team = "growth"))]
async fn traced_job(url: &str) -> Result<(), Boxed> {
    let (queue, messages) = mpsc::channel::<HashMap<String, String>>();
    // Outside of the job: it knows of it by the messages alone.
    let consumer = std::thread::spawn(move || {
        for message in messages {
            LogContext::from_headers(|name| message.get(name).map(String::as_str)).scope(consume);
        }
    });
    for task in [obs_runtime::spawn(in_task(1)), tokio::spawn(in_task(2).in_current_context())] {
        task.await?;
    }
    tokio::task::spawn_blocking(in_blocking.in_current_context()).await?;
    std::thread::spawn(in_thread.in_current_context()).join().map_err(|_| "it panicked")?;
    let _ = fails();
    fetch(url)?;
    start_child()?;
    publish(&queue)?;
    drop(queue);
    consumer.join().map_err(|_| "it panicked")?;
    Ok(())
}

#[tracked_command]
fn early() -> impl FnOnce() + Send + 'static {
    outlives.in_current_context()
}

fn serve() -> Result<(), Boxed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8(request)?.to_ascii_lowercase();
    let header = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    LogContext::from_headers(header).scope(handle);
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(())
}

fn main() -> Result<(), Boxed> {
    let _guard = obs_runtime::init_observability()?;
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.next().as_deref() {
        Some("job") => {
            runtime.block_on(traced_job(&arguments.next().unwrap_or_default()))?;
            println!("{}", std::process::id());
            Ok(())
        }
        Some("child") => {
            child_job();
            Ok(())
        }
        Some("outlives") => {
            let late = early();
            std::thread::spawn(late).join().map_err(|_| "it panicked".into())
        }
        Some("server") => serve(),
        other => Err(format!("unknown argument: {other:?}").into()),
    }
}
