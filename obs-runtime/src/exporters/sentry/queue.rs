//! What is to be sent, by precedence: check-ins and sessions, in their order and together; what has ended a command; everything else.

use std::collections::VecDeque;

use ::sentry::Envelope;
use ::sentry::protocol::{EnvelopeItem, Event};

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
    Run(EnvelopeItem),
    /// An event.
    Event {
        /// Its id.
        id: EventId,
        /// Whether it is about what has ended a command.
        ends_command: bool,
        /// Creates the event on the thread that sends it.
        make: Box<dyn FnOnce() -> Option<Event<'static>> + Send>,
    },
    /// Any other envelope.
    Envelope(Box<Envelope>),
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
    runs: VecDeque<EnvelopeItem>,
    /// Events about what has ended a command.
    ends: VecDeque<Job>,
    others: VecDeque<Job>,
    /// Whether check-ins and sessions are being sent: later ones wait, as they would overtake these.
    pub sends_runs: bool,
    /// How many jobs are being sent.
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
    Runs(Vec<EnvelopeItem>),
    /// One job.
    Job(Job),
}

impl Queue {
    /// How many jobs are not done.
    pub fn len(&self) -> usize {
        self.runs.len() + self.ends.len() + self.others.len() + self.sending
    }

    /// Whether a thread could send something.
    pub fn has_work(&self) -> bool {
        !self.runs.is_empty() && !self.sends_runs || !self.ends.is_empty() || !self.others.is_empty()
    }

    /// What is to be sent next.
    pub fn take(&mut self) -> Option<Work> {
        if !self.runs.is_empty() && !self.sends_runs {
            self.sends_runs = true;
            self.sending += 1;
            let some = self.runs.len().min(MAX_RUN_ITEMS_SENT);
            return Some(Work::Runs(self.runs.drain(..some).collect()));
        }
        let job = self.ends.pop_front().or_else(|| self.others.pop_front())?;
        self.sending += 1;
        Some(Work::Job(job))
    }

    /// Adds a job. Returns one that has no room.
    pub fn add(&mut self, job: Job) -> Option<Job> {
        let is_full = self.ends.len() + self.others.len() >= CAPACITY;
        match job {
            Job::Run(_) if self.runs.len() >= MAX_RUN_ITEMS => return Some(job),
            Job::Run(item) => self.runs.push_back(item),
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
        let runs = std::mem::take(&mut self.runs).into_iter().map(Job::Run);
        runs.chain(std::mem::take(&mut self.ends)).chain(std::mem::take(&mut self.others)).collect()
    }
}
