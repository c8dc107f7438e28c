//! Packs what has changed since the last delivery into packets, and sends them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::config::agent_address::AgentAddress;
use crate::exporters::datadog::delta_tracker::{Change, DeltaTracker, Sent};
use crate::exporters::datadog::lines::Writer;
use crate::exporters::datadog::measurements::Measurements;
use crate::exporters::datadog::names::EXPORTER;
use crate::exporters::datadog::transport::Transport;
use crate::metrics::drop_counters;

/// How long unsent data is kept. The agent timestamps data on arrival, so that older data would appear at a wrong time.
const MAX_AGE: Duration = Duration::from_mins(1);

/// The most service checks and events that wait to be sent.
pub const MAX_MESSAGES: usize = 1000;

/// The state of deliveries.
pub struct Delivery {
    pub tracker: DeltaTracker,
    pub writer: Writer,
    pub transport: Transport,
    /// Unsent service checks and events, oldest first.
    pub messages: VecDeque<String>,
    /// When sending began to fail.
    pub failing_since: Option<Instant>,
}

/// Why a delivery is incomplete.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct DeliveryError {
    reason: String,
    /// Whether a flush interrupted it.
    pub interrupted: bool,
}

impl DeliveryError {
    /// Another delivery took all the time.
    pub fn busy() -> Self {
        Self { reason: "another delivery was in progress".to_owned(), interrupted: false }
    }

    fn new(lines: usize, of: usize, address: &AgentAddress, error: &io::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                "; does the Datadog agent listen there (DD_AGENT_HOST, DD_DOGSTATSD_PORT, DD_DOGSTATSD_URL)?"
            }
            ErrorKind::TimedOut => "; its receive buffer is full",
            _ => "",
        };
        let reason = format!("{lines} of {of} lines not sent to {address}: {error}{advice}");
        Self { reason, interrupted: error.kind() == ErrorKind::Interrupted }
    }
}

/// A line to send.
type Line = Change<String>;

/// Lines of one packet.
#[derive(Default)]
struct Packet {
    text: String,
    sent: Vec<Sent>,
}

impl Packet {
    fn fits(&self, line: &str, size: usize) -> bool {
        self.text.is_empty() || self.text.len() + 1 + line.len() <= size
    }

    fn push(&mut self, line: Line) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&line.item);
        self.sent.push(line.sent);
    }
}

impl Delivery {
    /// Sends what has changed, until the deadline or until `interrupted`. Unsent lines are retried by later deliveries for up
    /// to [`MAX_AGE`], then dropped and counted.
    pub fn deliver(
        &mut self,
        measured: &Measurements,
        deadline: Instant,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), DeliveryError> {
        let mut lines: VecDeque<Line> = self.lines(measured).into();
        let of = lines.len();
        let result = self.send(&mut lines, deadline, interrupted);
        let left = lines.len();
        match result {
            Ok(()) => {
                self.failing_since = None;
                Ok(())
            }
            Err(error) => {
                let error = DeliveryError::new(left, of, self.transport.address(), &error);
                if !error.interrupted && self.failing_since.get_or_insert_with(Instant::now).elapsed() > MAX_AGE {
                    self.failing_since = None;
                    self.give_up(lines);
                }
                Err(error)
            }
        }
    }

    /// Drops and counts the unsent lines.
    pub fn end(&mut self, measured: &Measurements) {
        if self.failing_since.is_some() {
            let lines = self.lines(measured);
            self.give_up(lines);
        }
    }

    fn lines(&mut self, measured: &Measurements) -> Vec<Line> {
        let messages = self.messages.iter().map(|message| Line { item: message.clone(), sent: Sent::Message });
        let mut lines: Vec<_> = messages.collect();
        lines.extend(self.tracker.changes(measured, &self.writer));
        lines
    }

    /// Sends lines in packets. The unsent lines remain in `lines`.
    fn send(
        &mut self,
        lines: &mut VecDeque<Line>,
        deadline: Instant,
        interrupted: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        while !lines.is_empty() {
            let size = self.transport.packet_size();
            let mut packet = Packet::default();
            while lines.front().is_some_and(|line| packet.fits(&line.item, size)) {
                lines.pop_front().into_iter().for_each(|line| packet.push(line));
            }
            let too_long = packet.text.len() > Transport::longest_line();
            let sent =
                if too_long { Ok(()) } else { self.transport.send(packet.text.as_bytes(), deadline, interrupted) };
            if let Err(error) = sent {
                let texts: Vec<_> = packet.text.split('\n').map(str::to_owned).collect();
                let unsent = texts.into_iter().zip(packet.sent).map(|(item, sent)| Line { item, sent });
                unsent.rev().for_each(|line| lines.push_front(line));
                return Err(error);
            }
            if too_long {
                drop_counters::count(EXPORTER, "too_long", 1);
            }
            packet.sent.iter().for_each(|sent| self.settle(sent));
        }
        Ok(())
    }

    fn settle(&mut self, sent: &Sent) {
        self.tracker.mark_sent(sent);
        if matches!(sent, Sent::Message) {
            self.messages.pop_front();
        }
    }

    fn give_up(&mut self, lines: impl IntoIterator<Item = Line>) {
        let mut dropped = 0;
        for line in lines {
            // The next delivery sends a gauge again.
            dropped += u64::from(!matches!(line.sent, Sent::Gauge));
            self.settle(&line.sent);
        }
        if dropped > 0 {
            drop_counters::count(EXPORTER, "unreachable", dropped);
        }
    }
}
