//! Runs the checks of a plan concurrently.
//!
//! A check that exceeds its time limit gets its result at that moment; its call cannot be cancelled and stays on its
//! thread. It is counted as dropped, and the check is not called again before that call has ended. Runs that want the
//! same check at the same time share one call.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::checks::runner::job::{Job, Key};
use crate::checks::runner::outcome::{CheckOutcome, FinishedCall};
use crate::checks::runner::plan::{Admission, Plan};
use crate::checks::runner::single_flight::{Completion, Join, SingleFlight};
use crate::context::current::Context;
use crate::events::active_span::{self, Active};
use crate::instrument::call::span::DetachedSpan;

/// How many checks run at once unless the program sets a limit.
const DEFAULT_CONCURRENCY: usize = 64;

/// Without a limit set by the program, a check gives up its slot after this part of its time limit, while it runs on. So
/// checks that hang do not delay the others by their time limits.
const SLOT_SHARE: u32 = 32;

/// The longest that an async check gets beyond its time limit to be cancelled by its own timer.
const GRACE: Duration = Duration::from_millis(50);

struct Running {
    index: usize,
    call: u64,
    key: Key,
    /// Whether this run started the call.
    started: bool,
    start: Instant,
    timeout: Duration,
    span: Option<DetachedSpan>,
}

impl Running {
    fn deadline(&self) -> Instant {
        let grace = (self.timeout / 20).min(GRACE);
        clock::deadline(self.start, self.timeout.saturating_add(grace))
    }

    fn slot_released_at(&self) -> Instant {
        clock::deadline(self.start, self.timeout / SLOT_SHARE)
    }
}

/// Runs all checks of a plan, `at_once` at a time, and returns their results in the plan's order.
pub fn run_all<P: Plan>(
    plan: &P,
    count: usize,
    calls: &Arc<SingleFlight<P::Value>>,
    at_once: Option<usize>,
) -> Vec<P::Result> {
    let (sender, completions) = mpsc::channel();
    let mut run = Run {
        plan,
        calls,
        at_once,
        context: Context::current(),
        sender,
        waiting: (0..count).collect(),
        running: Vec::new(),
        results: (0..count).map(|_| None).collect(),
    };
    run.drive(&completions);
    let result = |(index, result): (usize, Option<_>)| result.unwrap_or_else(|| plan.deadlocked(index));
    run.results.into_iter().enumerate().map(result).collect()
}

struct Run<'p, P: Plan> {
    plan: &'p P,
    calls: &'p Arc<SingleFlight<P::Value>>,
    at_once: Option<usize>,
    context: Context,
    sender: Sender<Completion<P::Value>>,
    waiting: Vec<usize>,
    running: Vec<Running>,
    results: Vec<Option<P::Result>>,
}

impl<P: Plan> Run<'_, P> {
    fn drive(&mut self, completions: &Receiver<Completion<P::Value>>) {
        loop {
            // A result without a call may let another check start.
            while self.start_waiting() {}
            let Some(wait) = self.next_wake() else { return };
            if let Ok(Completion { index, call, outcome }) = completions.recv_timeout(wait)
                && let Some(at) = self.running.iter().position(|run| run.index == index && run.call == call)
            {
                let running = self.running.swap_remove(at);
                self.finish(&running, outcome);
            }
            let now = Instant::now();
            while let Some(at) = self.running.iter().position(|run| run.deadline() <= now) {
                let late = self.running.swap_remove(at);
                if late.started {
                    self.calls.abandon(&late.key, late.call);
                }
                self.finish(&late, CheckOutcome::TimedOut);
            }
        }
    }

    /// Starts every waiting check that may start. Returns whether any got a result without a call.
    fn start_waiting(&mut self) -> bool {
        let mut finished = false;
        for index in std::mem::take(&mut self.waiting) {
            if !self.has_slot() {
                self.waiting.push(index);
                continue;
            }
            match self.plan.admit(index, &self.results) {
                Admission::Wait => self.waiting.push(index),
                Admission::Finished(result) => {
                    self.results[index] = Some(result);
                    finished = true;
                }
                Admission::Start(job) => finished |= self.start(index, job),
            }
        }
        finished && !self.waiting.is_empty()
    }

    fn has_slot(&self) -> bool {
        if let Some(at_once) = self.at_once {
            return self.running.len() < at_once.max(1);
        }
        let now = Instant::now();
        self.running.iter().filter(|run| run.slot_released_at() > now).count() < DEFAULT_CONCURRENCY
    }

    /// Starts or joins a call. Returns whether the check was refused and has its result.
    fn start(&mut self, index: usize, job: Job<P::Value>) -> bool {
        let (key, timeout, start) = (job.key.clone(), job.timeout, Instant::now());
        let span = DetachedSpan::begin();
        let active = span.as_ref().map_or_else(active_span::current, |span| Active::Span(span.active.clone()));
        let (call, started) = match self.calls.join(index, job, &self.context, &active, &self.sender) {
            Join::Started(call) => (call, true),
            Join::Joined(call) => (call, false),
            Join::Refused(outcome) => {
                let finished = FinishedCall { outcome, duration: Duration::ZERO, timeout, call: 0, span: None };
                self.results[index] = Some(self.plan.judge(index, finished));
                return true;
            }
        };
        let span = span.filter(|_| started);
        self.running.push(Running { index, call, key, started, start, timeout, span });
        false
    }

    /// How long to wait for a completion before a deadline passes or a slot is released; none when no check runs.
    fn next_wake(&self) -> Option<Duration> {
        let now = Instant::now();
        let deadlines = self.running.iter().map(Running::deadline);
        let releases = self.running.iter().map(Running::slot_released_at).filter(|at| *at > now);
        let wants_slot = self.at_once.is_none() && !self.waiting.is_empty();
        let first = if wants_slot { deadlines.chain(releases).min() } else { deadlines.min() };
        first.map(|first| first.saturating_duration_since(now))
    }

    fn finish(&mut self, run: &Running, outcome: CheckOutcome<P::Value>) {
        let &Running { index, call, timeout, start, ref span, .. } = run;
        let finished = FinishedCall { outcome, duration: start.elapsed(), timeout, call, span: span.clone() };
        self.results[index] = Some(self.plan.judge(index, finished));
    }
}

#[cfg(test)]
mod tests;
