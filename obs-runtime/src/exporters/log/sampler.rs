//! Sampling of lines about successful calls of hot functions. The number of lines that were left out is a field of the next
//! line about that function, or a line of its own at a flush.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::config::sampling::LogSampling;
use crate::events::event::{CallInfo, Event, EventContext, Fact, Source};
use crate::events::field::Field;
use crate::metrics::callsite::CallsiteKind;

/// Functions that are sampled at most. All lines of further functions are written.
const MAX_FUNCTIONS: usize = 10_000;

/// Decides which lines are left out.
pub struct Sampler {
    sampling: LogSampling,
    hasher: RandomState,
    functions: ArcSwap<HashMap<u64, Arc<Function>>>,
}

/// The sampling state of one function.
#[derive(Debug)]
struct Function {
    name: Cow<'static, str>,
    level: Level,
    source: Source<'static>,
    starts: LineCounter,
    ends: LineCounter,
}

#[derive(Debug, Default)]
struct LineCounter {
    /// The current second, since 1970.
    second: AtomicU64,
    /// Lines in this second.
    seen: AtomicU64,
    /// Lines that were left out since the last line that was written.
    left_out: AtomicU64,
}

impl Sampler {
    pub fn new(sampling: LogSampling) -> Self {
        Self { sampling, hasher: RandomState::new(), functions: ArcSwap::default() }
    }

    /// The number of lines left out before this one, or `None` if this one is left out too.
    pub fn sample(&self, event: &Event<'_>) -> Option<u64> {
        match &event.fact {
            Fact::Started { call, .. } if is_sampled(call) => {
                self.function(call, event).map_or(Some(0), |function| self.sample_success(&function.starts, event))
            }
            Fact::Finished { call, outcome, duration, .. } if is_sampled(call) => {
                let Some(function) = self.function(call, event) else { return Some(0) };
                if *outcome == Outcome::Ok && *duration < self.sampling.slow {
                    return self.sample_success(&function.ends, event);
                }
                Some(function.ends.left_out.swap(0, Ordering::Relaxed))
            }
            _ => Some(0),
        }
    }

    fn function(&self, call: &CallInfo, event: &Event<'_>) -> Option<Arc<Function>> {
        let key = self.hasher.hash_one((&call.name, &event.source.file, event.source.line));
        let functions = self.functions.load();
        if let Some(function) = functions.get(&key) {
            return Some(Arc::clone(function));
        }
        if functions.len() >= MAX_FUNCTIONS {
            return None;
        }
        // Copies the map, but only once for each function.
        let added = Arc::new(Function::new(call, event));
        self.functions.rcu(|functions| {
            let mut functions = HashMap::clone(functions);
            functions.entry(key).or_insert_with(|| Arc::clone(&added));
            functions
        });
        self.functions.load().get(&key).map(Arc::clone)
    }

    /// Resets the counts that no line has reported yet, and calls `write` with a line for each.
    pub fn take_left_out(&self, mut write: impl FnMut(&Event<'_>, u64)) {
        for function in self.functions.load().values() {
            for (counter, outcome) in [(&function.starts, None), (&function.ends, Some(Outcome::Ok))] {
                let left_out = counter.left_out.swap(0, Ordering::Relaxed);
                if left_out > 0 {
                    write(&function.summary(outcome), left_out);
                }
            }
        }
    }

    fn sample_success(&self, counter: &LineCounter, event: &Event<'_>) -> Option<u64> {
        let LogSampling { first, every, slow: _ } = self.sampling;
        let second = event.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let before = counter.second.load(Ordering::Relaxed);
        let is_new = before != second;
        if is_new && counter.second.compare_exchange(before, second, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            counter.seen.store(0, Ordering::Relaxed);
        }
        let seen = counter.seen.fetch_add(1, Ordering::Relaxed);
        if seen < first || every > 0 && (seen - first + 1).is_multiple_of(every) {
            return Some(counter.left_out.swap(0, Ordering::Relaxed));
        }
        counter.left_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Function {
    fn new(call: &CallInfo, event: &Event<'_>) -> Self {
        let Source { logger, module, file, line } = &event.source;
        let owned = |text: &Cow<'_, str>| Cow::Owned(text.to_string());
        let source = Source {
            logger: owned(logger),
            module: module.as_ref().map(owned),
            file: file.as_ref().map(owned),
            line: *line,
        };
        let (starts, ends) = Default::default();
        Self { name: call.name.clone(), level: event.level, source, starts, ends }
    }

    fn summary(&self, outcome: Option<Outcome>) -> Event<'_> {
        let lines = if outcome.is_some() { "success lines" } else { "start lines" };
        let outcome = outcome.map(|outcome| Field::new("outcome", outcome.as_str()));
        Event {
            time: SystemTime::now(),
            level: self.level,
            source: self.source.clone(),
            context: EventContext::default(),
            fact: Fact::Log { message: format!("{}: {lines} left out by sampling", self.name).into() },
            fields: std::iter::once(Field::new("call", &*self.name)).chain(outcome).collect(),
            tags: Vec::new(),
        }
    }
}

fn is_sampled(call: &CallInfo) -> bool {
    call.kind == CallsiteKind::Operation
}
