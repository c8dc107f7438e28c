//! All errors that are on their way, and the last ones whose way is over.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::base::call_scope::Frame;
use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::Source;
use crate::events::event_id::EventId;
use crate::events::fingerprint::Sighting;
use crate::events::report::{Cause, Layer, Report};
use crate::exporters::error_event::Incident;
use crate::instrument::error_dedup::pending_error::{Captures, Ended, Step};
use crate::instrument::error_dedup::task_id::Lineage;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// Most errors that are known at a time; the oldest are told, and then forgotten.
const MOST: usize = 256;

/// Most layers of one error: a recursive function may be passed any number of times.
const LAYERS: usize = 32;

/// Most causes of one error.
const CAUSES: usize = 32;

/// How long an error that was told is known again by its words.
const REMEMBERED: Duration = Duration::from_secs(10);

/// How many errors wait for a call. Asked by every call that ends well.
static WAITING: AtomicUsize = AtomicUsize::new(0);

static STORE: Mutex<Store> =
    Mutex::new(Store { passing: Vec::new(), over: VecDeque::new(), last_of_over: Stamp::ZERO, last_key: 0 });

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether any error waits for a call.
#[inline]
pub fn anything_waits() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// All errors that are known.
#[derive(Debug)]
pub(super) struct Store {
    /// Those that wait for a call, and the one that is at hand.
    passing: Vec<Journey>,
    /// The captured ones that wait for none, the last one at the end. Many, where errors are frequent.
    over: VecDeque<Journey>,
    /// When the last one of them began.
    last_of_over: Stamp,
    last_key: u64,
}

/// An error on its way.
pub(super) struct Journey {
    /// Tells it from all others.
    pub key: u64,
    pipeline: Arc<dyn Pipeline>,
    context: Context,
    level: Level,
    source: Source<'static>,
    time: SystemTime,
    state: State,
    /// How it was seen last; none of a panic.
    sighting: Option<Sighting>,
    next: Next,
    /// Whether the call that it waits for has gone on since, so that its words alone say nothing.
    passed_over: bool,
    by_hand: bool,
    /// Whether it went through the outermost call.
    ended_at_top: bool,
    lineage: Lineage,
    since: Stamp,
    began: Stamp,
}

/// Which call it will pass next, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// This one.
    Call(u64),
    /// Whoever has it at hand says so next.
    Unsaid,
    /// None.
    Nothing,
}

/// What is to become of it.
#[derive(Debug)]
pub(super) enum State {
    /// Nobody has captured it. What is known of it is kept, should the call around do so.
    Kept(Vec<Layer<'static>>),
    /// It was captured, and is only counted.
    LeftOut,
    /// It was captured, and will be told.
    Open(Box<Report<'static>>),
    /// It was told.
    Told(EventId),
}

/// What is found of an error.
pub(super) enum Met<'s> {
    /// It was captured.
    Captured(&'s mut Journey),
    /// It was not, but this is known of it.
    Kept(Vec<Layer<'static>>),
    /// Nothing.
    Nothing,
}

/// Where an error was found.
#[derive(Clone, Copy, Debug)]
enum Found {
    Passing(usize),
    Over(usize),
}

impl Journey {
    pub(super) fn new(
        pipeline: Arc<dyn Pipeline>,
        context: Context,
        step: &Step,
        state: State,
        sighting: Option<Sighting>,
        waits_for: u64,
    ) -> Self {
        let now = Stamp::now();
        Self {
            key: 0,
            pipeline,
            context,
            level: step.level,
            source: step.source.clone(),
            time: SystemTime::now(),
            state,
            sighting,
            next: if waits_for == 0 { Next::Unsaid } else { Next::Call(waits_for) },
            passed_over: false,
            by_hand: step.captures == Captures::ByHand,
            ended_at_top: false,
            lineage: Lineage::here(),
            since: now,
            began: now,
        }
    }

    /// The id of its report, if there is one.
    pub(super) fn event(&self) -> Option<EventId> {
        match &self.state {
            State::Open(report) => Some(report.id),
            State::Told(id) => Some(*id),
            State::Kept(_) | State::LeftOut => None,
        }
    }

    /// Adds what a call says of it that it passes.
    pub(super) fn add(&mut self, layer: Option<Layer<'static>>, sighting: Option<&Sighting>, step: &Step) {
        self.by_hand |= step.captures == Captures::ByHand;
        if let State::Open(report) = &mut self.state {
            if report.layers.is_empty() && step.frame.is_some() {
                // A panic is seen before any call that it passes.
                report.operation = step.name.clone();
            }
            report.layers.extend(layer.filter(|_| report.layers.len() < LAYERS));
            self.level = self.level.max(step.level);
            if let Some(sighting) = sighting {
                add_causes(&mut report.causes, &sighting.causes);
            }
        }
        if let Some(sighting) = sighting {
            self.sighting = Some(sighting.clone());
        }
    }

    fn is_told(&self) -> bool {
        matches!(self.state, State::Told(_) | State::LeftOut)
    }

    /// Ends its way.
    fn end(&mut self) -> Option<Ended> {
        self.next = Next::Nothing;
        let State::Open(report) = &self.state else { return None };
        let told = State::Told(report.id);
        let State::Open(report) = std::mem::replace(&mut self.state, told) else { return None };
        let (context, source) = (self.context.clone(), self.source.clone());
        let incident = Incident { context, level: self.level, source, time: self.time, report };
        Some(Ended { pipeline: Arc::clone(&self.pipeline), incident })
    }
}

/// The causes of an error that was converted on its way: what it became stands before what it was.
fn add_causes(causes: &mut Vec<Cause<'static>>, later: &[Cause<'static>]) {
    let known = |cause: &Cause<'_>| causes.iter().any(|known| known.message == cause.message);
    let new: Vec<_> = later.iter().take_while(|cause| !known(cause)).cloned().collect();
    let room = CAUSES.saturating_sub(causes.len());
    causes.splice(0..0, new.into_iter().take(room));
}

impl Store {
    /// Does something with all errors; nothing if this is inside of that already, as when a panic is seen there.
    pub(super) fn with<R>(run: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(false) {
            return None;
        }
        let result = {
            let mut store = STORE.lock().unwrap_or_else(PoisonError::into_inner);
            let result = run(&mut store);
            WAITING.store(store.passing.len(), Ordering::Relaxed);
            result
        };
        let _ = INSIDE.try_with(|inside| inside.set(false));
        Some(result)
    }

    /// What is known of an error that ends the call `here`, or of the panic that unwinds through it.
    pub(super) fn meet(&mut self, step: &Step, here: u64, sighting: Option<&Sighting>) -> Met<'_> {
        let found = match sighting {
            Some(sighting) => self.find(step, here, sighting),
            None => self.find_panic(step, here),
        };
        let index = match found {
            Some(Found::Passing(index)) => index,
            Some(Found::Over(index)) => {
                let found = self.over.remove(index);
                self.passing.extend(found.map(|journey| Journey { next: Next::Unsaid, ..journey }));
                self.passing.len() - 1
            }
            None => return Met::Nothing,
        };
        if matches!(self.passing[index].state, State::Kept(_)) {
            let State::Kept(layers) = self.passing.remove(index).state else { return Met::Nothing };
            return Met::Kept(layers);
        }
        Met::Captured(&mut self.passing[index])
    }

    fn find(&self, step: &Step, here: u64, sighting: &Sighting) -> Option<Found> {
        let lineage = Lineage::here();
        let by_hand = step.captures == Captures::ByHand;
        // Two captures by hand are of two errors, as nothing tells that they are of one.
        let fits = |journey: &Journey| !by_hand || journey.is_captured() && !journey.by_hand;
        let same_place =
            |journey: &Journey| journey.sighting.as_ref().is_some_and(|before| before.shares_a_place(sighting));
        let same_words =
            |journey: &Journey| journey.sighting.as_ref().is_some_and(|before| before.shares_words(sighting));
        let waits_here = |journey: &Journey| journey.next == Next::Call(here);
        let just_told_here = |journey: &Journey| {
            journey.ended_at_top && journey.lineage == lineage && journey.since.elapsed() < REMEMBERED
        };
        // The last one that is likeliest.
        let waiting = |likely: &dyn Fn(&Journey) -> bool| {
            self.last_passing(|journey| waits_here(journey) && fits(journey) && likely(journey))
        };
        waiting(&|journey| same_place(journey))
            .or_else(|| waiting(&|journey| !journey.passed_over && same_words(journey)))
            .or_else(|| {
                let same = |journey: &Journey| same_place(journey) || same_words(journey);
                let is_told = |journey: &Journey| just_told_here(journey) && fits(journey) && same(journey);
                if by_hand && here == 0 { self.last_over(is_told) } else { None }
            })
            .or_else(|| self.last_since(step, |journey| !by_hand && fits(journey) && same_place(journey)))
    }

    /// A panic that unwinds to here; or one that was seen elsewhere while the call ran, and goes on here.
    fn find_panic(&self, step: &Step, here: u64) -> Option<Found> {
        let is_panic = |journey: &Journey| journey.sighting.is_none();
        self.last_passing(|journey| is_panic(journey) && journey.next == Next::Call(here))
            .or_else(|| self.last_since(step, is_panic))
    }

    fn last_passing(&self, likely: impl Fn(&Journey) -> bool) -> Option<Found> {
        self.passing.iter().rposition(likely).map(Found::Passing)
    }

    fn last_over(&self, likely: impl Fn(&Journey) -> bool) -> Option<Found> {
        self.over.iter().rposition(likely).map(Found::Over)
    }

    /// The last one whose way is over and that began after the call did, as in a task of which the call knew nothing.
    fn last_since(&self, step: &Step, likely: impl Fn(&Journey) -> bool) -> Option<Found> {
        let later = |began: Stamp| !began.is_before(step.start);
        if !later(self.last_of_over) {
            return None;
        }
        // What was told elsewhere to others is news here.
        let pipeline = global::pipeline()?;
        let is_told_here = |journey: &Journey| Arc::ptr_eq(&journey.pipeline, &pipeline);
        self.last_over(|journey| later(journey.began) && is_told_here(journey) && likely(journey))
    }

    /// A call has ended. What waited for it goes on to the call around it if it is that by which it ended; the rest was
    /// handled there, and is given to be told.
    pub(super) fn leave(&mut self, frame: Frame, ended_by: Option<u64>, well: bool) -> Vec<Ended> {
        let mut ended = Vec::new();
        let lineage = Lineage::here();
        for journey in &mut self.passing {
            let goes_on = ended_by == Some(journey.key);
            if goes_on && frame.parent != 0 {
                (journey.next, journey.passed_over) = (Next::Call(frame.parent), false);
                journey.lineage = lineage;
                journey.since = Stamp::now();
            } else if goes_on || journey.next == Next::Call(frame.number) {
                if goes_on {
                    (journey.ended_at_top, journey.lineage, journey.since) = (true, lineage, Stamp::now());
                }
                ended.extend(journey.end());
            } else if well && journey.next == Next::Call(frame.parent) && journey.lineage == lineage {
                journey.passed_over = true;
            }
        }
        self.forget(&mut ended);
        ended
    }

    /// An error goes no further.
    pub(super) fn end(&mut self, key: u64) -> Vec<Ended> {
        let journey = self.passing.iter_mut().find(|journey| journey.key == key);
        let mut ended: Vec<_> = journey
            .and_then(|journey| {
                journey.ended_at_top = true;
                journey.end()
            })
            .into_iter()
            .collect();
        self.forget(&mut ended);
        ended
    }

    /// Ends the way of each error of which that is true.
    pub(super) fn end_all(&mut self, which: impl Fn(&Arc<dyn Pipeline>, Stamp) -> bool) -> Vec<Ended> {
        let chosen = self.passing.iter_mut().filter(|journey| which(&journey.pipeline, journey.since));
        // It waits on: the call around is to know that it was told.
        let end = |journey: &mut Journey| {
            let next = journey.next;
            let ended = journey.end();
            journey.next = next;
            ended
        };
        chosen.filter_map(end).collect()
    }

    /// How long the one has waited that waits longest to be told.
    pub(super) fn longest_wait(&self) -> Option<Duration> {
        let open = self.passing.iter().filter(|journey| matches!(journey.state, State::Open(_)));
        open.map(|journey| journey.since.elapsed()).max()
    }

    /// Notes an error.
    pub(super) fn begin(&mut self, mut journey: Journey) -> u64 {
        self.last_key += 1;
        journey.key = self.last_key;
        self.passing.push(journey);
        self.last_key
    }

    /// Puts aside those that wait for no call. Forgets what nobody can ask for any more, and the oldest of the rest when
    /// there are too many.
    fn forget(&mut self, ended: &mut Vec<Ended>) {
        for journey in self.passing.extract_if(.., |journey| journey.next == Next::Nothing) {
            if journey.is_captured() {
                if self.last_of_over.is_before(journey.began) {
                    self.last_of_over = journey.began;
                }
                self.over.push_back(journey);
            }
        }
        while self.over.len() + self.passing.len() > MOST {
            if self.over.pop_front().is_none() {
                let told = self.passing.iter().position(Journey::is_told).unwrap_or_default();
                ended.extend(self.passing.remove(told).end());
            }
        }
    }
}

impl Journey {
    fn is_captured(&self) -> bool {
        !matches!(self.state, State::Kept(_))
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journey").field("state", &self.state).field("next", &self.next).finish_non_exhaustive()
    }
}
