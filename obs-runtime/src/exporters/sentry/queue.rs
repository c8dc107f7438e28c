//! What is to be sent, by precedence: check-ins and sessions, in their order and together; what has ended a command; everything else.

use std::collections::VecDeque;
use std::path::PathBuf;

use ::sentry::Envelope;
use ::sentry::protocol::{Attachment, EnvelopeItem, Event};

use crate::base::trace_context::TraceContext;
use crate::events::event_id::EventId;

/// The most events, transactions and other envelopes in the queue.
const CAPACITY: usize = 200;

/// The most check-ins and sessions in the queue.
const MAX_RUN_ITEMS: usize = 1000;

/// The most check-ins and sessions in one envelope: Sentry accepts 100 sessions.
const MAX_RUN_ITEMS_SENT: usize = 100;

/// Something to send.
pub enum Job {
    /// A check-in or a session.
    Run(Box<RunItem>),
    /// An event.
    Event {
        /// Its id.
        id: EventId,
        /// Whether it is about what has ended a command.
        ends_command: bool,
        /// Creates the event on the thread that sends it.
        make: Box<dyn FnOnce() -> Option<Prepared> + Send>,
    },
    /// Any other envelope.
    Envelope(Box<Envelope>),
}

/// A check-in or a session, and the trace of a check-in.
pub type RunItem = (EnvelopeItem, Option<TraceContext>);

/// An event that is ready to be sent.
pub struct Prepared {
    /// The event.
    pub event: Event<'static>,
    /// What is sent with it.
    pub attachments: Vec<Attachment>,
}

impl Job {
    /// A job for an envelope with one item.
    pub fn item(item: impl Into<EnvelopeItem>) -> Self {
        let mut envelope = Envelope::new();
        envelope.add_item(item);
        Self::Envelope(Box::new(envelope))
    }
}

/// The jobs, and the threads that send them.
#[derive(Default)]
pub struct Queue {
    /// Check-ins and sessions.
    runs: VecDeque<RunItem>,
    /// Events about what has ended a command.
    ends: VecDeque<Job>,
    others: VecDeque<Job>,
    /// Envelopes of earlier runs, which are sent last and one by one.
    pub spooled: VecDeque<PathBuf>,
    /// Whether one of them is being sent.
    pub sends_spooled: bool,
    /// Whether check-ins and sessions are being sent: later ones wait, as they would overtake these.
    pub sends_runs: bool,
    /// How many jobs are being sent, without envelopes of earlier runs.
    pub sending: usize,
    /// How many threads there are.
    pub threads: usize,
    /// How many threads wait, without those that are woken.
    pub idle: usize,
    /// How many threads are woken and have not looked at the queue yet.
    pub woken: usize,
    /// Whether threads end once there is nothing to send.
    pub closed: bool,
}

/// What a thread sends next.
pub enum Work {
    /// Check-ins and sessions, together.
    Runs(Vec<RunItem>),
    /// One job.
    Job(Job),
    /// An envelope of an earlier run.
    Spooled(PathBuf),
}

impl Queue {
    /// How many jobs are not done, without envelopes of earlier runs.
    pub fn len(&self) -> usize {
        self.runs.len() + self.ends.len() + self.others.len() + self.sending
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.len() == 0 && self.spooled.is_empty() && !self.sends_spooled
    }

    /// Whether a thread could send something.
    pub fn has_work(&self) -> bool {
        let has_runs = !self.runs.is_empty() && !self.sends_runs;
        has_runs || !self.ends.is_empty() || !self.others.is_empty() || !self.spooled.is_empty() && !self.sends_spooled
    }

    /// What is to be sent next.
    pub fn take(&mut self) -> Option<Work> {
        if !self.runs.is_empty() && !self.sends_runs {
            self.sends_runs = true;
            self.sending += 1;
            let some = self.runs.len().min(MAX_RUN_ITEMS_SENT);
            return Some(Work::Runs(self.runs.drain(..some).collect()));
        }
        if let Some(job) = self.ends.pop_front().or_else(|| self.others.pop_front()) {
            self.sending += 1;
            return Some(Work::Job(job));
        }
        if self.sends_spooled {
            return None;
        }
        let spooled = self.spooled.pop_front()?;
        self.sends_spooled = true;
        Some(Work::Spooled(spooled))
    }

    /// Adds a job. Returns one that has no room.
    pub fn add(&mut self, job: Job) -> Option<Job> {
        let is_full = self.ends.len() + self.others.len() >= CAPACITY;
        match job {
            Job::Run(_) if self.runs.len() >= MAX_RUN_ITEMS => return Some(job),
            Job::Run(item) => self.runs.push_back(*item),
            Job::Event { ends_command: true, .. } => {
                self.ends.push_back(job);
                if is_full {
                    return self.others.pop_back().or_else(|| self.ends.pop_front());
                }
            }
            _ if is_full => return Some(job),
            job => self.others.push_back(job),
        }
        None
    }

    /// Takes everything that is not being sent.
    pub fn clear(&mut self) -> Vec<Job> {
        let runs = std::mem::take(&mut self.runs).into_iter().map(|item| Job::Run(Box::new(item)));
        runs.chain(std::mem::take(&mut self.ends)).chain(std::mem::take(&mut self.others)).collect()
    }
}
