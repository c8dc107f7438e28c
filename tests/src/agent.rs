//! What a Datadog agent would have taken: it reads strictly, and whatever it cannot read fails the test.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::dogstatsd::{self, Event, Message, Metric, ServiceCheck};
use crate::wait;

/// How long what was sent may take to arrive.
const ARRIVES: Duration = Duration::from_secs(30);

/// How long it waits for a packet before it looks whether it is to end.
const BREATH: Duration = Duration::from_millis(20);

/// An agent that listens somewhere.
#[derive(Debug)]
pub struct Agent {
    url: String,
    packets: Arc<Mutex<Vec<Vec<u8>>>>,
    ended: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Agent {
    /// At any free UDP port of loopback.
    #[must_use]
    pub fn udp() -> Self {
        Self::udp_at(0)
    }

    /// At that UDP port.
    #[must_use]
    #[track_caller]
    pub fn udp_at(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
        let url = format!("udp://{}", socket.local_addr().expect("a bound socket has an address"));
        socket.set_read_timeout(Some(BREATH)).expect("a socket can be told to wait");
        Self::listen(url, move |packet| socket.recv(packet))
    }

    /// At a UNIX socket of datagrams. A file that is there already is replaced.
    #[must_use]
    #[track_caller]
    pub fn datagram(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let socket = UnixDatagram::bind(path).expect("the path is free");
        socket.set_read_timeout(Some(BREATH)).expect("a socket can be told to wait");
        Self::listen(format!("unix://{}", path.display()), move |packet| socket.recv(packet))
    }

    /// At a UNIX socket of a stream: each packet after its length.
    #[must_use]
    #[track_caller]
    pub fn stream(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("the path is free");
        listener.set_nonblocking(true).expect("a listener can be told not to wait");
        let mut open: Vec<(UnixStream, Vec<u8>)> = Vec::new();
        Self::listen(format!("unixstream://{}", path.display()), move |packet| {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_read_timeout(Some(BREATH))?;
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
                    // A knock: somebody looks whether anybody is there.
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

    /// As `DD_DOGSTATSD_URL` has it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The packets that came.
    #[must_use]
    pub fn packets(&self) -> Vec<Vec<u8>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What the packets tell.
    #[must_use]
    #[track_caller]
    pub fn messages(&self) -> Vec<Message> {
        let read = |packet: &Vec<u8>| {
            dogstatsd::read(packet).unwrap_or_else(|wrong| panic!("{wrong}: {:?}", String::from_utf8_lossy(packet)))
        };
        self.packets().iter().flat_map(read).collect()
    }

    /// The metrics of that name with these tags, and maybe more.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self, name: &str, tags: &[(&str, &str)]) -> Vec<Metric> {
        let bears =
            |metric: &Metric| tags.iter().all(|(tag, value)| metric.tags.get(*tag).is_some_and(|is| is == value));
        let metric = |message| if let Message::Metric(metric) = message { Some(metric) } else { None };
        self.messages().into_iter().filter_map(metric).filter(|metric| metric.name == name && bears(metric)).collect()
    }

    /// What counters of that name and these tags counted, or how many observations distributions have.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str, tags: &[(&str, &str)]) -> f64 {
        let metrics = self.metrics(name, tags);
        metrics.iter().map(|metric| if metric.kind == "d" { metric.observations() } else { metric.sum() }).sum()
    }

    /// The service checks that came.
    #[must_use]
    #[track_caller]
    pub fn service_checks(&self) -> Vec<ServiceCheck> {
        let check = |message| if let Message::ServiceCheck(check) = message { Some(check) } else { None };
        self.messages().into_iter().filter_map(check).collect()
    }

    /// The events that came.
    #[must_use]
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        let event = |message| if let Message::Event(event) = message { Some(event) } else { None };
        self.messages().into_iter().filter_map(event).collect()
    }

    /// Names of the metrics that came.
    #[must_use]
    #[track_caller]
    pub fn names(&self) -> BTreeSet<String> {
        let name = |message| if let Message::Metric(metric) = message { Some(metric.name) } else { None };
        self.messages().into_iter().filter_map(name).collect()
    }

    /// Waits until that many were counted.
    #[track_caller]
    pub fn wait_for(&self, name: &str, tags: &[(&str, &str)], expected: f64) {
        let seen = wait::poll(ARRIVES, || (self.count(name, tags) == expected).then_some(()));
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
