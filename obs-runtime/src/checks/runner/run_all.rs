//! Runs the checks of a plan concurrently.
//!
//! A check that exceeds its time limit gets its result at that moment; its call cannot be cancelled and stays on its
//! thread. It is counted as dropped, and the check is not called again before that call has ended. Runs that want the
//! same check at the same time share one call. The work of a run grows linearly with its checks: each is admitted once, and
//! once more for each gate that it has waited for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::checks::runner::job::{Job, Key};
use crate::checks::runner::outcome::{CheckOutcome, FinishedCall};
use crate::checks::runner::plan::{Admission, Plan};
use crate::checks::runner::single_flight::{CallEvent, Join, Progress, SingleFlight, Waiter};
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
    /// If the call has not started: since when the call before it has been running, and when that must have ended.
    queued: Option<(Instant, Instant)>,
    start: Instant,
    timeout: Duration,
    span: Option<DetachedSpan>,
}

impl Running {
    fn deadline(&self) -> Instant {
        let grace = (self.timeout / 20).min(GRACE);
        match self.queued {
            Some((_, until)) => clock::deadline(until, grace),
            None => clock::deadline(self.start, self.timeout.saturating_add(grace)),
        }
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
    static NEXT_ID: AtomicU64 = AtomicU64::new(1);
    let (sender, events) = mpsc::channel();
    let mut run = Run {
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        plan,
        calls,
        at_once,
        context: Context::current(),
        sender,
        ready: (0..count).collect(),
        parked: HashMap::new(),
        running: Vec::new(),
        results: (0..count).map(|_| None).collect(),
    };
    run.drive(&events);
    let result = |(index, result): (usize, Option<_>)| result.unwrap_or_else(|| plan.deadlocked(index));
    run.results.into_iter().enumerate().map(result).collect()
}

struct Run<'p, P: Plan> {
    id: u64,
    plan: &'p P,
    calls: &'p Arc<SingleFlight<P::Value>>,
    at_once: Option<usize>,
    context: Context,
    sender: Sender<CallEvent<P::Value>>,
    /// The checks to admit, in order.
    ready: VecDeque<usize>,
    /// The checks that wait for a gate, by gate.
    parked: HashMap<usize, Vec<usize>>,
    running: Vec<Running>,
    results: Vec<Option<P::Result>>,
}

impl<P: Plan> Run<'_, P> {
    fn drive(&mut self, events: &Receiver<CallEvent<P::Value>>) {
        loop {
            self.start_ready();
            let Some(wait) = self.next_wake() else { return };
            if let Ok(CallEvent { index, call, progress }) = events.recv_timeout(wait)
                && let Some(at) = self.running.iter().position(|run| run.index == index && run.call == call)
            {
                match progress {
                    Progress::Started { owned } => {
                        let running = &mut self.running[at];
                        (running.queued, running.started, running.start) = (None, owned, Instant::now());
                    }
                    Progress::Ended(outcome) => {
                        let running = self.running.swap_remove(at);
                        self.finish(&running, outcome);
                    }
                }
            }
            let now = Instant::now();
            while let Some(at) = self.running.iter().position(|run| run.deadline() <= now) {
                let late = self.running.swap_remove(at);
                if let Some((since, _)) = late.queued {
                    self.calls.leave(&late.key, late.call, self.id);
                    self.finish(&late, CheckOutcome::StillRunning(now.saturating_duration_since(since)));
                    continue;
                }
                if late.started {
                    self.calls.abandon(&late.key, late.call);
                }
                self.finish(&late, CheckOutcome::TimedOut);
            }
        }
    }

    /// Starts the checks that are ready, while there are slots.
    fn start_ready(&mut self) {
        while self.has_slot()
            && let Some(index) = self.ready.pop_front()
        {
            match self.plan.admit(index, &self.results) {
                Admission::Wait(gate) => self.parked.entry(gate).or_default().push(index),
                Admission::Finished(result) => self.keep(index, result),
                Admission::Start(job) => self.start(index, job),
            }
        }
    }

    fn has_slot(&self) -> bool {
        if let Some(at_once) = self.at_once {
            return self.running.len() < at_once.max(1);
        }
        let now = Instant::now();
        self.running.iter().filter(|run| run.slot_released_at() > now).count() < DEFAULT_CONCURRENCY
    }

    /// Starts or joins a call, or waits for the next. A check that is refused has its result.
    fn start(&mut self, index: usize, job: Job<P::Value>) {
        let (key, timeout, start) = (job.key.clone(), job.timeout, Instant::now());
        let span = DetachedSpan::begin("check");
        let active = span.as_ref().map_or_else(active_span::current, |span| Active::Span(span.active.clone()));
        let waiter = Waiter { run: self.id, index, sender: self.sender.clone() };
        let (call, started, queued) = match self.calls.join(&waiter, job, &self.context, &active) {
            Join::Started(call) => (call, true, None),
            Join::Joined(call) => (call, false, None),
            Join::Queued { call, since, until } => (call, false, Some((since, until))),
            Join::Refused(outcome) => {
                let finished = FinishedCall { outcome, duration: Duration::ZERO, timeout, call: 0, span: None };
                let result = self.plan.judge(index, finished);
                return self.keep(index, result);
            }
        };
        let span = span.filter(|_| started);
        self.running.push(Running { index, call, key, started, queued, start, timeout, span });
    }

    /// How long to wait for an event before a deadline passes or a slot is released; none when no check runs.
    fn next_wake(&self) -> Option<Duration> {
        let now = Instant::now();
        let deadlines = self.running.iter().map(Running::deadline);
        let releases = self.running.iter().map(Running::slot_released_at).filter(|at| *at > now);
        let wants_slot = self.at_once.is_none() && !self.ready.is_empty();
        let first = if wants_slot { deadlines.chain(releases).min() } else { deadlines.min() };
        first.map(|first| first.saturating_duration_since(now))
    }

    fn finish(&mut self, run: &Running, outcome: CheckOutcome<P::Value>) {
        let &Running { index, call, timeout, start, ref span, .. } = run;
        let finished = FinishedCall { outcome, duration: start.elapsed(), timeout, call, span: span.clone() };
        let result = self.plan.judge(index, finished);
        self.keep(index, result);
    }

    /// Keeps a result, and readies the checks that have waited for it.
    fn keep(&mut self, index: usize, result: P::Result) {
        for gate in self.plan.opened(index, &result) {
            self.ready.extend(self.parked.remove(&gate).unwrap_or_default());
        }
        self.results[index] = Some(result);
    }
}

#[cfg(test)]
mod tests;
