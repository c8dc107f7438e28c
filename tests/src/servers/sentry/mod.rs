//! A server of Sentry's envelope protocol. It keeps the items it gets, and every violation of the protocol.

mod envelope;
mod schema;

use std::fmt::Write as _;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use envelope::{Item, check_request, read_request};
use serde_json::Value;

use crate::wait;

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
struct State {
    items: Vec<Item>,
    bodies: Vec<String>,
    violations: Vec<String>,
    answers: Vec<(&'static str, Answer)>,
}

/// The server.
#[derive(Debug)]
pub struct SentryServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl SentryServer {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self::slow(Duration::ZERO)
    }

    /// Starts one that takes this long to answer.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::on(&TcpListener::bind("127.0.0.1:0").expect("a port is free"), delay)
    }

    /// Starts one at an address that another server has left.
    #[must_use]
    #[track_caller]
    pub fn at(address: SocketAddr) -> Self {
        let listener = wait::until("the address", wait::LONG, || TcpListener::bind(address).ok());
        Self::on(&listener, Duration::ZERO)
    }

    fn on(listener: &TcpListener, delay: Duration) -> Self {
        let listener = listener.try_clone().expect("a socket can be cloned");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &state, delay));
            }
        });
        Self { address, state }
    }

    /// The DSN of its project.
    #[must_use]
    pub fn dsn(&self) -> String {
        format!("http://0123456789abcdef0123456789abcdef@{}/42", self.address)
    }

    /// Scripts the answer to the next request with an item of this type. Other requests are answered with 200.
    pub fn answer_once(&self, kind: &'static str, answer: Answer) {
        self.state().answers.push((kind, answer));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items of this type so far, in the order of their timestamps if they are events, which come over several connections.
    /// Panics when a request violated the protocol.
    #[must_use]
    #[track_caller]
    pub fn items(&self, kind: &str) -> Vec<Value> {
        let state = self.state();
        assert_eq!(state.violations, Vec::<String>::new());
        let items = state.items.iter().filter(|item| item.kind == kind);
        let mut items: Vec<_> = items.map(|item| item.payload.clone()).collect();
        if kind == "event" {
            items.sort_by(|one, other| {
                one["timestamp"].as_f64().partial_cmp(&other["timestamp"].as_f64()).expect("numbers")
            });
        }
        items
    }

    /// The types of all items, in the order in which they came.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.state().items.iter().map(|item| item.kind.clone()).collect()
    }

    /// Waits for `at_least` items of this type, and returns all of them.
    #[must_use]
    #[track_caller]
    pub fn wait_for(&self, kind: &str, at_least: usize) -> Vec<Value> {
        wait::until(&format!("{at_least} {kind}"), wait::LONG, || {
            Some(self.items(kind)).filter(|items| items.len() >= at_least)
        })
    }

    /// The bodies of all requests.
    #[must_use]
    pub fn bodies(&self) -> Vec<String> {
        self.state().bodies.clone()
    }
}

/// The types and payloads of the items in a request that another server has recorded.
pub fn envelope_items(mut request: &[u8]) -> Result<Vec<(String, Value)>, String> {
    let request = read_request(&mut request).ok_or("an empty request")??;
    let (items, _) = check_request(&request)?;
    Ok(items.into_iter().map(|item| (item.kind, item.payload)).collect())
}

fn serve(stream: &TcpStream, state: &Mutex<State>, delay: Duration) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match request.and_then(|request| check_request(&request)) {
                Ok((items, body)) => {
                    let scripted = |(kind, _): &(&str, Answer)| items.iter().any(|item| item.kind == *kind);
                    let scripted = state.answers.iter().position(scripted);
                    let answer = scripted.map(|index| state.answers.remove(index).1);
                    state.items.extend(items);
                    state.bodies.push(body);
                    answer
                }
                Err(violation) => {
                    state.violations.push(violation);
                    None
                }
            }
        };
        std::thread::sleep(delay);
        let Answer { status, headers } = answer.unwrap_or(Answer { status: 200, headers: Vec::new() });
        let mut text = format!("HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: 2\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n{}");
        if (&*stream).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}
