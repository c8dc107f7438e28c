//! One delivery: what has come since the last one, packed and sent.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::config::agent_address::AgentAddress;
use crate::exporters::datadog::delta_tracker::{Ledger, Line, Sent};
use crate::exporters::datadog::lines::Writer;
use crate::exporters::datadog::measurements::Measurements;
use crate::exporters::datadog::names::EXPORTER;
use crate::exporters::datadog::transport::Transport;
use crate::metrics::drop_counters;

/// How long what could not be sent is kept to be sent later. The agent puts it all at the time at which it arrives: what is
/// older would tell of a time that it is not of.
const KEPT: Duration = Duration::from_mins(1);

/// How many notes wait.
pub const NOTES: usize = 1000;

/// Everything that is needed to deliver.
pub struct Delivery {
    pub ledger: Ledger,
    pub writer: Writer,
    pub transport: Transport,
    /// Service checks and events, oldest first.
    pub notes: VecDeque<String>,
    /// Since when nothing could be sent.
    pub failing_since: Option<Instant>,
}

/// Why not everything was delivered.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub struct Undelivered {
    told: String,
    /// Whether it would have gone on but for somebody else.
    pub interrupted: bool,
}

impl Undelivered {
    /// Somebody else was at it for all the time there was.
    pub fn busy() -> Self {
        Self { told: "another delivery was under way".to_owned(), interrupted: false }
    }

    fn new(lines: usize, of: usize, address: &AgentAddress, error: &io::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                "; does the Datadog agent listen there (DD_AGENT_HOST, DD_DOGSTATSD_PORT, DD_DOGSTATSD_URL)?"
            }
            ErrorKind::TimedOut => "; it takes nothing more at present",
            _ => "",
        };
        let told = format!("{lines} of {of} lines could not be sent to {address}: {error}{advice}");
        Self { told, interrupted: error.kind() == ErrorKind::Interrupted }
    }
}

/// Lines that fill a packet.
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
        self.text.push_str(&line.text);
        self.sent.push(line.sent);
    }
}

impl Delivery {
    /// Sends what has come until now: until the deadline at most, or until `interrupted`. What was not sent is tried again
    /// the next time, for up to a minute; then it is dropped and counted.
    pub fn deliver(
        &mut self,
        measured: &Measurements,
        deadline: Instant,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Undelivered> {
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
                let undelivered = Undelivered::new(left, of, self.transport.address(), &error);
                if !undelivered.interrupted && self.failing_since.get_or_insert_with(Instant::now).elapsed() > KEPT {
                    self.failing_since = None;
                    self.give_up(lines);
                }
                Err(undelivered)
            }
        }
    }

    /// What was not sent never will be.
    pub fn end(&mut self, measured: &Measurements) {
        if self.failing_since.is_some() {
            let lines = self.lines(measured);
            self.give_up(lines);
        }
    }

    fn lines(&mut self, measured: &Measurements) -> Vec<Line> {
        let notes = self.notes.iter().map(|note| Line { text: note.clone(), sent: Sent::Note });
        let mut lines: Vec<_> = notes.collect();
        lines.extend(self.ledger.lines(measured, &self.writer));
        lines
    }

    /// Takes away the lines that were sent.
    fn send(
        &mut self,
        lines: &mut VecDeque<Line>,
        deadline: Instant,
        interrupted: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        while !lines.is_empty() {
            let size = self.transport.packet_size();
            let mut packet = Packet::default();
            while lines.front().is_some_and(|line| packet.fits(&line.text, size)) {
                lines.pop_front().into_iter().for_each(|line| packet.push(line));
            }
            let too_long = packet.text.len() > Transport::longest_line();
            let sent =
                if too_long { Ok(()) } else { self.transport.send(packet.text.as_bytes(), deadline, interrupted) };
            if let Err(error) = sent {
                let texts: Vec<_> = packet.text.split('\n').map(str::to_owned).collect();
                let unsent = texts.into_iter().zip(packet.sent).map(|(text, sent)| Line { text, sent });
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
        self.ledger.note(sent);
        if matches!(sent, Sent::Note) {
            self.notes.pop_front();
        }
    }

    fn give_up(&mut self, lines: impl IntoIterator<Item = Line>) {
        let mut dropped = 0;
        for line in lines {
            // A gauge is told again anyway.
            dropped += u64::from(!matches!(line.sent, Sent::Gauge));
            self.settle(&line.sent);
        }
        if dropped > 0 {
            drop_counters::count(EXPORTER, "unreachable", dropped);
        }
    }
}
