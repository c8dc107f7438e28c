//! A thousand scrapes at once: each is answered or refused, probes are answered meanwhile, and memory is bounded.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use obs_tests::process::{Process, Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SCRAPES: usize = 1000;

/// The size of the metrics, in bytes.
const LARGE: usize = 4_000_000;

/// The scrapes that are not over.
static OPEN: AtomicUsize = AtomicUsize::new(SCRAPES);

/// A field of `/proc/PID/status`, in bytes.
fn memory(process: &Running, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// The head of a response, and the length of its body.
async fn ask(address: SocketAddr, path: &str) -> (String, usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut start = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        if read == 0 {
            break;
        }
        length += read;
        let kept = read.min(1024_usize.saturating_sub(start.len()));
        start.extend_from_slice(&buffer[..kept]);
    }
    let text = String::from_utf8_lossy(&start).to_lowercase();
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole head: {text}"));
    (head.to_owned(), length - head.len() - 4)
}

/// How long an answer of `/livez` takes.
fn probe(address: SocketAddr) -> Duration {
    let asked = Instant::now();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let taken = asked.elapsed();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nok"), "{answer}");
    taken
}

fn content_length(head: &str) -> usize {
    head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_scrapes_are_answered_or_refused_and_probes_come_first() {
    let service = Process::new(env!("CARGO_BIN_EXE_many-series")).env("PROMETHEUS_PORT", "0").start();
    let address = service.wait_for_output("an address", |line| line.parse::<SocketAddr>().ok());
    let rest = memory(&service, "VmRSS");
    let begun = Instant::now();
    let scrapes: Vec<_> = (0..SCRAPES)
        .map(|_| {
            tokio::spawn(async move {
                let answer = ask(address, "/metrics").await;
                OPEN.fetch_sub(1, Ordering::SeqCst);
                answer
            })
        })
        .collect();
    // On a thread of its own, as the tasks that scrape take turns.
    let probing = std::thread::spawn(move || {
        let mut taken = Vec::new();
        while OPEN.load(Ordering::SeqCst) > 0 {
            taken.push(probe(address));
        }
        // The last one may have been answered after all scrapes.
        taken.pop();
        taken
    });
    let mut probes = tokio::task::spawn_blocking(|| probing.join().unwrap()).await.unwrap();
    let took = begun.elapsed();
    assert!(probes.len() >= 3, "{} probes were answered while scrapes were open", probes.len());
    let (mut answered, mut refused) = (0, 0);
    for scrape in scrapes {
        let (head, length) = scrape.await.unwrap();
        assert_eq!(length, content_length(&head), "a response is whole: {head}");
        if head.starts_with("http/1.1 200") {
            assert!(length >= LARGE, "{head}");
            answered += 1;
        } else {
            assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: 1"), "{head}");
            refused += 1;
        }
    }
    assert_eq!(answered + refused, SCRAPES);
    assert!(answered > 0, "{refused} refused");
    let above = memory(&service, "VmHWM").saturating_sub(rest);
    assert!(above <= 100 << 20, "{} MB above rest, {answered} answered", above >> 20);
    probes.sort_unstable();
    println!("{answered} answered, {refused} refused within {took:?}, {} MB above rest", above >> 20);
    let (median, longest) = (probes[probes.len() / 2], probes[probes.len() - 1]);
    println!("{} probes took {median:?} by the median and {longest:?} at most", probes.len());
    assert_eq!(service.finish().code(), Some(0));
}
