//! An agent that keeps the packets it gets. A packet that it cannot parse fails the test.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::message::{Event, Message, Metric, ServiceCheck};
use super::parse::parse;
use crate::exposition::has_labels;
use crate::wait;

/// How long one read waits for a packet, after which the agent checks whether it is dropped.
const READ_TIMEOUT: Duration = Duration::from_millis(20);

/// An agent that listens on a socket until it is dropped.
#[derive(Debug)]
pub struct Agent {
    url: String,
    packets: Arc<Mutex<Vec<Vec<u8>>>>,
    ended: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Agent {
    /// Listens on a free UDP port of loopback.
    #[must_use]
    pub fn udp() -> Self {
        Self::udp_at(0)
    }

    /// Listens on that UDP port.
    #[must_use]
    #[track_caller]
    pub fn udp_at(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
        let url = format!("udp://{}", socket.local_addr().expect("a bound socket has an address"));
        socket.set_read_timeout(Some(READ_TIMEOUT)).expect("the timeout can be set");
        Self::listen(url, move |packet| socket.recv(packet))
    }

    /// Listens on a UNIX datagram socket. An existing file is replaced.
    #[must_use]
    #[track_caller]
    pub fn datagram(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let socket = UnixDatagram::bind(path).expect("the path is free");
        socket.set_read_timeout(Some(READ_TIMEOUT)).expect("the timeout can be set");
        Self::listen(format!("unix://{}", path.display()), move |packet| socket.recv(packet))
    }

    /// Listens on a UNIX stream socket, on which each packet follows its length.
    #[must_use]
    #[track_caller]
    pub fn stream(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("the path is free");
        listener.set_nonblocking(true).expect("the listener can be non-blocking");
        let mut open: Vec<(UnixStream, Vec<u8>)> = Vec::new();
        Self::listen(format!("unixstream://{}", path.display()), move |packet| {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_read_timeout(Some(READ_TIMEOUT))?;
                open.push((stream, Vec::new()));
            }
            for (stream, bytes) in &mut open {
                let mut more = [0; 4096];
                if let Ok(length) = stream.read(&mut more) {
                    bytes.extend_from_slice(&more[..length]);
                }
                let Some((length, rest)) = bytes.split_first_chunk::<4>() else { continue };
                let length = u32::from_le_bytes(*length) as usize;
                if rest.len() >= length {
                    packet[..length].copy_from_slice(&rest[..length]);
                    bytes.drain(..4 + length);
                    return Ok(length);
                }
            }
            thread::sleep(Duration::from_millis(1));
            Err(ErrorKind::WouldBlock.into())
        })
    }

    fn listen(url: String, mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize> + Send + 'static) -> Self {
        let (packets, ended) = (Arc::<Mutex<Vec<Vec<u8>>>>::default(), Arc::<AtomicBool>::default());
        let (kept, over) = (Arc::clone(&packets), Arc::clone(&ended));
        let listening = thread::spawn(move || {
            let mut packet = vec![0; 65_536];
            while !over.load(Ordering::SeqCst) {
                match receive(&mut packet) {
                    // An empty packet checks whether an agent listens.
                    Ok(0) => {}
                    Ok(length) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(packet[..length].to_vec()),
                    Err(error) => assert!(
                        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted),
                        "{error}"
                    ),
                }
            }
        });
        Self { url, packets, ended, listening: Some(listening) }
    }

    /// Its URL, as in `DD_DOGSTATSD_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The packets so far.
    #[must_use]
    pub fn packets(&self) -> Vec<Vec<u8>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the packets so far.
    pub fn clear(&self) {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The messages of all packets. Panics when a packet cannot be parsed.
    #[must_use]
    #[track_caller]
    pub fn messages(&self) -> Vec<Message> {
        let messages = |packet: &Vec<u8>| {
            parse(packet).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(packet)))
        };
        self.packets().iter().flat_map(messages).collect()
    }

    /// The metrics with this name and at least these tags.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self, name: &str, tags: &[(&str, &str)]) -> Vec<Metric> {
        let metric = |message| if let Message::Metric(metric) = message { Some(metric) } else { None };
        self.messages()
            .into_iter()
            .filter_map(metric)
            .filter(|metric| metric.name == name && has_labels(&metric.tags, tags))
            .collect()
    }

    /// The sum of counters with this name and at least these tags; of distributions the number of observations.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str, tags: &[(&str, &str)]) -> f64 {
        let metrics = self.metrics(name, tags);
        metrics.iter().map(|metric| if metric.kind == "d" { metric.observations() } else { metric.sum() }).sum()
    }

    /// The service checks so far.
    #[must_use]
    #[track_caller]
    pub fn service_checks(&self) -> Vec<ServiceCheck> {
        let check = |message| if let Message::ServiceCheck(check) = message { Some(check) } else { None };
        self.messages().into_iter().filter_map(check).collect()
    }

    /// The events so far.
    #[must_use]
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        let event = |message| if let Message::Event(event) = message { Some(event) } else { None };
        self.messages().into_iter().filter_map(event).collect()
    }

    /// The names of the metrics so far.
    #[must_use]
    #[track_caller]
    pub fn names(&self) -> BTreeSet<String> {
        let name = |message| if let Message::Metric(metric) = message { Some(metric.name) } else { None };
        self.messages().into_iter().filter_map(name).collect()
    }

    /// Waits until [`count`](Self::count) is `expected`.
    #[track_caller]
    pub fn wait_for(&self, name: &str, tags: &[(&str, &str)], expected: f64) {
        let seen = wait::poll(wait::LONG, || (self.count(name, tags) == expected).then_some(()));
        assert!(seen.is_some(), "{name}{tags:?} is {}, not {expected}: {:#?}", self.count(name, tags), self.messages());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let panicked = self.listening.take().is_some_and(|listening| listening.join().is_err());
        assert!(!panicked || thread::panicking(), "the agent could not listen");
    }
}
