//! Runs checks: each on a thread of its own with a time limit, some at once, none able to harm another.
//!
//! A check that hangs is reported when its time is over and left behind on its thread, as nothing can stop it. It is
//! counted, and not started again before it has ended. Two runs that want a check at the same time share one.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crate::checks::runner::ending::Ended;
use crate::checks::runner::ending::Ending;
use crate::checks::runner::job::{Job, Key, NO_LIMIT};
use crate::checks::runner::single_flight::Flights;
use crate::checks::runner::single_flight::{Boarding, Landed};
use crate::context::current::Context;

/// How many checks run at once unless the program says otherwise.
const AT_ONCE: usize = 64;

/// The part of its time limit after which a check that runs on gives its place to another, unless the program has said
/// how many may run at once. So many that hang do not make the others wait for their time limits.
const SHARE: u32 = 32;

/// The longest that an async check gets beyond its time limit to end by itself.
const GRACE: Duration = Duration::from_millis(50);

/// What is to be done with a check.
pub enum Admission<V, R> {
    /// Run it.
    Start(Job<V>),
    /// Ask again when another has ended.
    Wait,
    /// It has its result without being run.
    Settled(R),
}

/// Whether a check may run, seen from those that come before it.
pub enum Way {
    /// Nothing keeps it.
    Free,
    /// Not all of them have ended.
    Unclear,
    /// It is to be skipped, for this reason.
    Barred(String),
}

/// A run's checks, known by their index.
pub trait Plan {
    /// What a check's function gives.
    type Value: Clone + Send + 'static;
    /// What is made of it.
    type Result;

    /// What is to be done with a check, given the results so far.
    fn admit(&self, index: usize, results: &[Option<Self::Result>]) -> Admission<Self::Value, Self::Result>;

    /// What a check's end means.
    fn judge(&self, index: usize, ended: Ended<Self::Value>) -> Self::Result;

    /// The result of a check that waits for others that wait for it.
    fn stuck(&self, index: usize) -> Self::Result;
}

struct Running {
    index: usize,
    flight: u64,
    key: Key,
    leads: bool,
    begun: Instant,
    timeout: Duration,
}

impl Running {
    fn deadline(&self) -> Instant {
        let grace = (self.timeout / 20).min(GRACE);
        self.begun.checked_add(self.timeout + grace).unwrap_or(self.begun + NO_LIMIT)
    }

    /// When another may have its place.
    fn yields_at(&self) -> Instant {
        self.begun.checked_add(self.timeout / SHARE).unwrap_or(self.begun + NO_LIMIT)
    }
}

/// Runs all checks of a plan, `at_once` at a time, and gives their results in the plan's order.
pub fn run_all<P: Plan>(
    plan: &P,
    count: usize,
    flights: &Arc<Flights<P::Value>>,
    at_once: Option<usize>,
) -> Vec<P::Result> {
    let (sender, landed) = mpsc::channel();
    let mut run = Run {
        plan,
        flights,
        at_once,
        context: Context::current(),
        sender,
        waiting: (0..count).collect(),
        running: Vec::new(),
        results: (0..count).map(|_| None).collect(),
    };
    run.go_on(&landed);
    let stuck = |(index, result): (usize, Option<_>)| result.unwrap_or_else(|| plan.stuck(index));
    run.results.into_iter().enumerate().map(stuck).collect()
}

struct Run<'p, P: Plan> {
    plan: &'p P,
    flights: &'p Arc<Flights<P::Value>>,
    at_once: Option<usize>,
    context: Context,
    sender: Sender<Landed<P::Value>>,
    waiting: Vec<usize>,
    running: Vec<Running>,
    results: Vec<Option<P::Result>>,
}

impl<P: Plan> Run<'_, P> {
    fn go_on(&mut self, landed: &Receiver<Landed<P::Value>>) {
        loop {
            // A result that is settled at once may let another begin.
            while self.start() {}
            let Some(wake) = self.next_event() else { return };
            if let Ok(Landed { index, flight, ending }) = landed.recv_timeout(wake)
                && let Some(at) = self.running.iter().position(|run| run.index == index && run.flight == flight)
            {
                let ended = self.running.swap_remove(at);
                self.end(&ended, ending);
            }
            let now = Instant::now();
            while let Some(at) = self.running.iter().position(|run| run.deadline() <= now) {
                let late = self.running.swap_remove(at);
                if late.leads {
                    self.flights.leave_behind(&late.key, late.flight);
                }
                self.end(&late, Ending::TimedOut);
            }
        }
    }

    /// Starts what can be started; whether any result was settled on the way.
    fn start(&mut self) -> bool {
        let mut settled = false;
        for index in std::mem::take(&mut self.waiting) {
            if !self.has_place() {
                self.waiting.push(index);
                continue;
            }
            match self.plan.admit(index, &self.results) {
                Admission::Wait => self.waiting.push(index),
                Admission::Settled(result) => {
                    self.results[index] = Some(result);
                    settled = true;
                }
                Admission::Start(job) => settled |= self.board(index, job),
            }
        }
        settled && !self.waiting.is_empty()
    }

    fn has_place(&self) -> bool {
        if let Some(at_once) = self.at_once {
            return self.running.len() < at_once.max(1);
        }
        let now = Instant::now();
        self.running.iter().filter(|run| run.yields_at() > now).count() < AT_ONCE
    }

    /// Begins a check or joins one that is running; whether it has its result already.
    fn board(&mut self, index: usize, job: Job<P::Value>) -> bool {
        let (key, timeout, begun) = (job.key.clone(), job.timeout, Instant::now());
        let (flight, leads) = match self.flights.board(index, job, &self.context, &self.sender) {
            Boarding::Leads(flight) => (flight, true),
            Boarding::Joins(flight) => (flight, false),
            Boarding::Refused(ending) => {
                let ended = Ended { ending, took: Duration::ZERO, timeout, flight: 0 };
                self.results[index] = Some(self.plan.judge(index, ended));
                return true;
            }
        };
        self.running.push(Running { index, flight, key, leads, begun, timeout });
        false
    }

    /// How long nothing can happen but the end of a check; none when all are through.
    fn next_event(&self) -> Option<Duration> {
        let now = Instant::now();
        let deadlines = self.running.iter().map(Running::deadline);
        let yields = self.running.iter().map(Running::yields_at).filter(|at| *at > now);
        let places = self.at_once.is_none() && !self.waiting.is_empty();
        let first = if places { deadlines.chain(yields).min() } else { deadlines.min() };
        first.map(|first| first.saturating_duration_since(now))
    }

    fn end(&mut self, run: &Running, ending: Ending<P::Value>) {
        let &Running { index, flight, timeout, begun, .. } = run;
        let ended = Ended { ending, took: begun.elapsed(), timeout, flight };
        self.results[index] = Some(self.plan.judge(index, ended));
    }
}

#[cfg(test)]
mod tests;
