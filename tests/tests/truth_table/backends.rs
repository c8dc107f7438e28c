//! The states that backends can be in, and what they got.

use std::net::UdpSocket;
use std::time::Duration;

use obs_tests::dogstatsd::Agent;
use obs_tests::exposition::Samples;
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::Process;
use obs_tests::servers::envelope_items;
use obs_tests::wait;
use serde_json::Value;

/// A state of all backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Well,
    Absent,
    Refusing,
    Hanging,
    Unauthorised,
    RateLimiting,
    Failing,
    Slow,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Well,
        Self::Absent,
        Self::Refusing,
        Self::Hanging,
        Self::Unauthorised,
        Self::RateLimiting,
        Self::Failing,
        Self::Slow,
    ];

    /// Whether what is sent arrives.
    pub fn accepts(self) -> bool {
        matches!(self, Self::Well | Self::Slow)
    }

    /// The deadline of a flush. It is short only where it is waited for; a busy machine takes seconds to look up the names in
    /// a stack trace.
    pub fn deadline(self) -> Duration {
        Duration::from_secs(if self == Self::Hanging { 10 } else { 30 })
    }

    /// What the reason of a failed delivery says: one of these.
    pub fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Well | Self::Absent | Self::Slow => &[],
            Self::Refusing => &["refused"],
            Self::Hanging => &["no answer within "],
            Self::Unauthorised => &["401"],
            Self::RateLimiting => &["429", "Retry-After"],
            Self::Failing => &["500"],
        }
    }

    fn fault(self) -> Fault {
        let answer = |status, headers: &[&str], body: &str| {
            Fault::Answer(status, headers.iter().map(ToString::to_string).collect(), body.to_owned())
        };
        match self {
            Self::Well => answer(200, &[], "{}"),
            Self::Absent | Self::Refusing => Fault::Refuse,
            Self::Hanging => Fault::Hang,
            Self::Unauthorised => answer(401, &[], r#"{"detail":"no"}"#),
            Self::RateLimiting => answer(429, &["Retry-After: 60"], r#"{"detail":"slow down"}"#),
            Self::Failing => answer(500, &[], r#"{"detail":"no"}"#),
            Self::Slow => Fault::Slow(Duration::from_millis(50)),
        }
    }
}

/// A server that is the Pushgateway and Sentry, and an agent of Datadog.
pub struct Backends {
    state: State,
    server: FaultyServer,
    agent: Agent,
}

impl Backends {
    pub fn start(state: State) -> Self {
        Self { state, server: FaultyServer::start(state.fault()), agent: Agent::udp() }
    }

    /// Has a program report to them.
    pub fn configure(&self, process: Process) -> Process {
        if self.state == State::Absent {
            return process;
        }
        let dsn = format!("http://0123456789abcdef0123456789abcdef@{}/42", self.server.address());
        process
            .env("PROMETHEUS_PUSHGATEWAY_URL", self.server.url(""))
            .env("SENTRY_ENABLED", "true")
            .env("SENTRY_DSN", dsn)
            .env("SENTRY_TRACES_SAMPLE_RATE", "0")
            .env("SENTRY_RELEASE", "ending@1.0.0")
            .env("DATADOG_ENABLED", "true")
            .env("DD_DOGSTATSD_URL", self.agent.url())
    }

    /// What they have accepted so far.
    pub fn received(self) -> Received {
        // Packets arrive in order: with this one, all earlier packets have arrived.
        let mark = b"mark:1|c";
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(mark, self.agent.url().trim_start_matches("udp://")).unwrap();
        wait::until_true("the agent has read everything", || self.agent.packets().iter().any(|packet| packet == mark));
        let requests = if self.state.accepts() { self.server.requests() } else { Vec::new() };
        let mut received = Received { pushes: Vec::new(), items: Vec::new(), agent: self.agent };
        for request in requests {
            if request.starts_with(b"POST /api/42/envelope/") {
                received.items.extend(envelope_items(&request).unwrap());
            } else {
                let text = String::from_utf8_lossy(&request).into_owned();
                let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                received.pushes.push(Samples::parse(body));
            }
        }
        received
    }
}

/// What the backends have accepted.
pub struct Received {
    /// The pushes to the Pushgateway.
    pub pushes: Vec<Samples>,
    /// The items that Sentry got: type and payload.
    items: Vec<(String, Value)>,
    /// Datadog's agent.
    pub agent: Agent,
}

impl Received {
    /// The payloads of one type.
    pub fn items(&self, kind: &str) -> Vec<&Value> {
        self.items.iter().filter(|(found, _)| found == kind).map(|(_, payload)| payload).collect()
    }
}
