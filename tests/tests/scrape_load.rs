//! A thousand scrapes at once: each is answered or refused, probes are answered meanwhile, and memory is bounded.
#![cfg(target_os = "linux")]

use std::fs;
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
    let (mut probes, mut longest) = (0, Duration::ZERO);
    while OPEN.load(Ordering::SeqCst) > 0 {
        let asked = Instant::now();
        let (head, length) = ask(address, "/livez").await;
        longest = longest.max(asked.elapsed());
        assert!(head.starts_with("http/1.1 200") && length == 2, "{head}");
        if OPEN.load(Ordering::SeqCst) > 0 {
            probes += 1;
        }
    }
    let took = begun.elapsed();
    assert!(probes >= 3, "{probes} probes were answered while scrapes were open");
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
    println!("{answered} answered, {refused} refused, {probes} probes, {} MB above rest", above >> 20);
    println!("the longest probe took {longest:?} of {took:?}");
    assert_eq!(service.finish().code(), Some(0));
}
