use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::exporters::prometheus::format::Format;

const TEXT: &str = "# HELP a b\n# TYPE a gauge\na 1\n";

fn any_port() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn server() -> Server {
    Server::start(any_port(), Routes::new().metrics(|_| TEXT.to_owned())).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends these bytes and returns all that comes until the server closes.
fn send(server: &Server, bytes: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn ask(server: &Server, method: &str, path: &str) -> (String, String) {
    let answer = send(server, &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn a_page_of_another_host_gets_nothing() {
    let server = server();
    let ask = |hosts: &str| send(&server, &format!("GET /metrics HTTP/1.1\r\n{hosts}\r\n"));
    let close = "Connection: close\r\n";
    assert!(ask("Host: rebound.example.com:8000\r\n").starts_with("HTTP/1.1 403 "));
    assert!(ask("Host: localhost\r\nHost: localhost\r\n").starts_with("HTTP/1.1 400 "));
    assert!(ask(&format!("Host: 127.0.0.1:8000\r\n{close}")).starts_with("HTTP/1.1 200 "));
    assert!(send(&server, "GET /metrics HTTP/1.0\r\n\r\n").contains(" 200 OK"));
}

#[test]
fn a_scrape_gets_the_text_format() {
    let (head, body) = ask(&server(), "GET", "/metrics");
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(head.contains(&format!("content-length: {}", TEXT.len())), "{head}");
    assert_eq!(body, TEXT);
}

#[test]
fn openmetrics_and_compression_are_for_clients_that_accept_them() {
    let render = |format| match format {
        Format::Text => TEXT.repeat(100),
        Format::OpenMetrics => "# EOF\n".to_owned(),
    };
    let server = Server::start(any_port(), Routes::new().metrics(render)).unwrap();
    let ask = |headers: &str| {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&answer[..end]).to_lowercase(), answer[end + 4..].to_vec())
    };
    let (head, body) =
        ask("Accept: application/openmetrics-text; version=1.0.0, text/plain;q=0.5\r\nAccept-Encoding: gzip\r\n");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(body == b"# EOF\n" && !head.contains("content-encoding"), "too short to be compressed: {head}");
    let (head, body) = ask("Accept: text/plain\r\nAccept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip") && head.contains("vary: accept, accept-encoding"), "{head}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    assert_eq!(text, TEXT.repeat(100));
    assert_eq!(ask("").1, TEXT.repeat(100).into_bytes());
}

#[test]
fn a_query_changes_nothing() {
    assert_eq!(ask(&server(), "GET", "/metrics?a=b").1, ask(&server(), "GET", "/metrics").1);
}

#[test]
fn head_gets_no_body() {
    let (head, body) = ask(&server(), "HEAD", "/metrics");
    assert!(head.starts_with("http/1.1 200 ok") && head.contains("version=0.0.4"), "{head}");
    assert_eq!(body, "");
}

#[test]
fn another_path_is_not_found() {
    for (method, path) in [("GET", "/"), ("GET", "/metrics/"), ("POST", "/else")] {
        let (head, body) = ask(&server(), method, path);
        assert!(head.starts_with("http/1.1 404"), "{head}");
        assert_eq!(body, "not found; the paths are /metrics\n");
    }
}

#[test]
fn another_method_is_not_allowed() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (head, _) = ask(&server(), method, "/metrics");
        assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"), "{head}");
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let server = server();
    let mut stream = connect(&server);
    for _ in 0..3 {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(TEXT.as_bytes()) {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1);
            answer.push(byte[0]);
        }
    }
}

#[test]
fn a_port_in_use_is_an_error() {
    let first = server();
    let error = Server::start(first.local_addr(), Routes::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "PROMETHEUS_BIND, PROMETHEUS_PORT: cannot listen on {}: the port is in use: set PROMETHEUS_PORT=0 for any free \
             port or stop the process that uses it",
            first.local_addr()
        )
    );
}

/// The drop of a runtime panics there, and a program must not end because of a port.
#[test]
fn a_port_in_use_is_an_error_in_an_async_program_too() {
    let server = server();
    let program = Builder::new_current_thread().build().unwrap();
    let error = program.block_on(async { Server::start(server.local_addr(), Routes::new()).unwrap_err() });
    assert!(matches!(error, ServerError::Bind { .. }), "{error}");
}

#[test]
fn a_hundred_concurrent_requests_are_served() {
    let server = server();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(ask(&server, "GET", "/metrics").1, TEXT));
        }
    });
}

#[test]
fn garbage_is_refused_and_affects_no_other_client() {
    let server = server();
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 * MAX_HEAD));
    for garbage in ["\0\u{1}\u{2}ÿÿ\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", &long] {
        let mut stream = connect(&server);
        // The server may have closed before all is sent.
        let _ = stream.write_all(garbage.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{garbage:?}");
    }
    assert_eq!(ask(&server, "GET", "/metrics").1, TEXT);
}

#[test]
fn a_slow_request_times_out_and_blocks_no_other_client() {
    let limits = Limits { read_timeout: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start_with(any_port(), Routes::new().metrics(|_| TEXT.to_owned()), limits).unwrap();
    let begun = Instant::now();
    let mut slow: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /met").unwrap();
    }
    assert_eq!(ask(&server, "GET", "/metrics").1, TEXT);
    for mut stream in slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    assert!(begun.elapsed() >= limits.read_timeout);
}

#[test]
fn idle_connections_above_the_limit_lock_no_client_out() {
    let limits = Limits { connections: 4, patience: Duration::from_millis(20), ..Limits::default() };
    let server = Server::start_with(any_port(), Routes::new().metrics(|_| TEXT.to_owned()), limits).unwrap();
    let mut idle: Vec<_> = (0..12).map(|_| connect(&server)).collect();
    assert_eq!(ask(&server, "GET", "/metrics").1, TEXT);
    let mut answer = String::new();
    assert_eq!(idle[0].read_to_string(&mut answer).unwrap(), 0, "the least active connection is closed");
}

#[test]
fn a_client_that_does_not_read_its_response_is_disconnected() {
    let large = "x".repeat(64 << 20);
    let routes = Routes::new().metrics(move |_| large.clone());
    let limits = Limits { write_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = Server::start_with(any_port(), routes, limits).unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let begun = Instant::now();
    // A connection that the other side has closed refuses what is sent.
    while stream.write_all(b"\r").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "still connected");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(begun.elapsed() >= limits.write_timeout);
}

#[test]
fn a_panic_is_a_500_and_the_next_request_is_served() {
    let calls = AtomicUsize::new(0);
    let routes = Routes::new().metrics(move |_| {
        assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "a panic that the test wants");
        TEXT.to_owned()
    });
    let server = Server::start(any_port(), routes).unwrap();
    assert!(ask(&server, "GET", "/metrics").0.starts_with("http/1.1 500"));
    assert_eq!(ask(&server, "GET", "/metrics").1, TEXT);
}

/// A server whose `/metrics` waits, and what tells that it does and ends it.
fn held_server(limits: Limits) -> (Server, Receiver<()>, Sender<()>) {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (entered, running) = channel();
    let routes = Routes::new().metrics(move |_| {
        let _ = entered.send(());
        let _ = held.lock().unwrap().recv();
        TEXT.to_owned()
    });
    (Server::start_with(any_port(), routes.health(), limits).unwrap(), running, release)
}

#[test]
fn probes_are_answered_while_metrics_are_rendered() {
    let (server, running, release) = held_server(Limits::default());
    let mut scrape = connect(&server);
    scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    running.recv().unwrap();
    let (head, body) = ask(&server, "GET", "/livez");
    assert!(head.starts_with("http/1.1 200 ok") && body == "ok", "{head}");
    drop(release);
    let mut answer = String::new();
    scrape.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(TEXT), "{answer}");
}

#[test]
fn a_connection_whose_request_is_being_answered_is_not_closed_for_another_one() {
    let limits = Limits { connections: 2, patience: Duration::from_millis(20), ..Limits::default() };
    let (server, running, release) = held_server(limits);
    let mut scrape = connect(&server);
    scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    running.recv().unwrap();
    for _ in 0..5 {
        assert_eq!(ask(&server, "GET", "/livez").1, "ok");
    }
    // These take the places of each other.
    let idle: Vec<_> = (0..5).map(|_| connect(&server)).collect();
    assert_eq!(ask(&server, "GET", "/livez").1, "ok");
    drop((idle, release));
    let mut answer = String::new();
    scrape.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(TEXT), "{answer}");
}

#[test]
fn a_response_that_is_read_too_slowly_is_cut_off() {
    let large = "x".repeat(64 << 20);
    let routes = Routes::new().metrics(move |_| large.clone());
    let limits = Limits { response_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = Server::start_with(any_port(), routes, limits).unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    // The client reads, so that the limit for writes without progress does not apply; but only half of the response.
    let mut read = 0;
    let mut buffer = vec![0; 1 << 20];
    while read < 32 << 20 {
        read += stream.read(&mut buffer).unwrap();
    }
    let begun = Instant::now();
    while stream.write_all(b"\r").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(9), "still connected");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_drop_frees_the_port_and_closes_connections() {
    let drop_one = || {
        let server = server();
        let address = server.local_addr();
        let mut open = connect(&server);
        let begun = Instant::now();
        drop(server);
        let taken = begun.elapsed();
        assert_eq!(open.read(&mut [0]).unwrap_or(0), 0);
        assert!(TcpStream::connect(address).is_err());
        taken
    };
    // A drop that waits for the open connection takes at least `END` each time. A busy machine delays one now and then.
    assert!((0..5).any(|_| drop_one() < SHUTDOWN_TIMEOUT));
}

#[test]
fn a_handler_that_hangs_does_not_delay_the_drop() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (entered, running) = channel();
    let routes = Routes::new().metrics(move |_| {
        let _ = entered.send(());
        let _ = held.lock().unwrap().recv();
        String::new()
    });
    let server = Server::start(any_port(), routes).unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    running.recv().unwrap();
    let (ended, dropped) = channel();
    std::thread::spawn(move || {
        drop(server);
        let _ = ended.send(());
    });
    // The handler still hangs, so a drop that waits for it does not return.
    assert_eq!(dropped.recv_timeout(Duration::from_mins(1)), Ok(()));
    drop(release);
}
