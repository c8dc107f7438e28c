//! The one vocabulary of what happened. Features make events, sinks take them redacted; nothing else passes between them.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::command_run::Run;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::span_buffer::Recorded;
use crate::base::trace_context::TraceContext;
use crate::events::field::{Field, Text};
use crate::events::report::Crumb;
use crate::events::report::EventId;
use crate::events::report::Report;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};

/// Something that happened, once.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// When.
    pub time: SystemTime,
    /// How much it matters.
    pub level: Level,
    /// Where in the user's code it stands; for a library's log line, where the library says.
    pub source: Source<'a>,
    /// On whose behalf.
    pub context: Scope<'a>,
    /// What.
    pub fact: Fact<'a>,
    /// The event's own fields: arguments, tags, context of an error, fields of a log line.
    pub fields: Vec<Field<'a>>,
    /// Labels that the program puts on the metrics of what happened.
    pub tags: Tags,
}

/// What an event says beside its fact.
#[derive(Clone, Debug, Default)]
pub struct Details<'a> {
    /// Fields, tags among them.
    pub fields: Vec<Field<'a>>,
    /// Metric labels.
    pub tags: Tags,
}

/// Where an event comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source<'a> {
    /// The logger's name: a module path, or the target that a log line names.
    pub logger: Text<'a>,
    /// Path of the module.
    pub module: Option<Text<'a>>,
    /// Source file.
    pub file: Option<Text<'a>>,
    /// Line, from 1.
    pub line: Option<u32>,
}

/// On whose behalf an event happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope<'a> {
    /// What ties together all that one run or request did.
    pub correlation_id: Option<Text<'a>>,
    /// Who asked for it.
    pub user: Option<Text<'a>>,
    /// The operation that was running.
    pub operation: Option<Text<'a>>,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
    /// What else the program says of all that happens in this scope.
    pub fields: Cow<'a, [Field<'static>]>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// A line that the program or a library logged.
    Log {
        /// Its message.
        message: Text<'a>,
    },
    /// A call of an annotated function began.
    Started {
        /// Which function.
        call: CallInfo,
        /// Names of the recorded arguments that were given.
        arguments: Vec<&'static str>,
    },
    /// A call of an annotated function ended.
    Finished {
        /// Which function.
        call: CallInfo,
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        duration: Duration,
        /// What went wrong, unless it ended well.
        failure: Option<FailureFacts<'a>>,
        /// What the program would exit with if this were its main function; commands only.
        exit_code: Option<u8>,
    },
    /// An error or panic was captured by a function that it passed. One that passes several is told once at the level of its
    /// severity and then at debug.
    Captured {
        /// The operation that failed.
        operation: Text<'a>,
        /// What went wrong.
        failure: FailureFacts<'a>,
        /// Whether it was a panic.
        panic: bool,
    },
    /// An error, a panic or a message, told once and whole when its way is over: for who tracks errors.
    Reported(Box<Report<'a>>),
    /// A run that was sampled has ended: what ran in it, and when.
    Traced(Box<Recorded>),
    /// A step on the way to an error, told by hand.
    Breadcrumb(Crumb<'a>),
    /// A feature of the program was used.
    FeatureUsed {
        /// Its name.
        feature: Text<'a>,
    },
    /// A query or a scope of queries was priced, before it ran or after.
    Priced(Price<'a>),
    /// A price was over a threshold.
    CostAlert {
        /// The operation.
        operation: Text<'a>,
        /// The price in US dollars.
        usd: f64,
        /// The threshold in US dollars.
        threshold_usd: f64,
        /// Why: `threshold`, `limit` or `budget`.
        reason: &'static str,
    },
    /// A query ran.
    Queried {
        /// What kind of query.
        query_type: Text<'a>,
        /// How long it took.
        duration: Option<Duration>,
        /// Bytes read.
        bytes_processed: u64,
        /// Rows returned.
        rows: Option<u64>,
        /// Slot time used.
        slot_time: Option<Duration>,
        /// Whether the answer came from the cache.
        cache_hit: bool,
    },
    /// An operation on a data set, of a kind that the program names.
    DatasetOperation {
        /// The kind: `load`, `export`, …
        operation_type: Text<'a>,
        /// The data set.
        dataset: Text<'a>,
    },
    /// A health check ran.
    HealthChecked {
        /// Its name.
        check: Text<'a>,
        /// `healthy`, `degraded`, `unhealthy` or `skipped`.
        status: &'static str,
        /// 1, 0.5 or 0; none when it was skipped.
        score: Option<f64>,
        /// How long it took; none when it was skipped.
        duration: Option<Duration>,
        /// What it says for itself.
        message: Option<Text<'a>>,
    },
    /// A data-quality check ran.
    QualityChecked {
        /// Its name.
        check: Text<'a>,
        /// The data set it looks at, or nothing.
        dataset: Text<'a>,
        /// `passed`, `warned`, `failed` or `errored`.
        status: &'static str,
        /// How bad it is: `info`, `warning` or `critical`.
        severity: &'static str,
        /// What it measured.
        value: Option<f64>,
        /// How long it took; none when it was carried out by hand.
        duration: Option<Duration>,
        /// What it says for itself.
        message: Option<Text<'a>>,
    },
}

/// The call that an event is about: a call site of an attribute, or a name given by hand.
#[derive(Clone, Debug)]
pub struct CallInfo {
    /// Which attribute, or its equivalent by hand.
    pub kind: CallsiteKind,
    /// The operation's or command's name.
    pub name: Cow<'static, str>,
    /// The run that it is; commands only.
    pub run: Option<Arc<Run>>,
    /// The report of the error by which it ended, when there is one.
    pub event: Option<EventId>,
}

impl CallInfo {
    pub(crate) fn of(callsite: &'static Callsite) -> Self {
        Self { kind: callsite.kind(), name: Cow::Borrowed(callsite.name()), run: None, event: None }
    }
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureFacts<'a> {
    /// Stable kind of the error, of low cardinality.
    pub error_type: Text<'a>,
    /// The error's own words.
    pub message: Text<'a>,
    /// Its sources, outermost first.
    pub sources: Vec<Text<'a>>,
}

/// The price of an operation's queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Price<'a> {
    /// The operation.
    pub operation: Text<'a>,
    /// True before the query ran, false after.
    pub estimate: bool,
    /// US dollars.
    pub usd: f64,
    /// Bytes read.
    pub bytes_processed: u64,
    /// Bytes billed.
    pub bytes_billed: u64,
}

impl FailureFacts<'_> {
    /// The same, of owned text.
    #[must_use]
    pub fn to_static(&self) -> FailureFacts<'static> {
        let owned = |text: &Text<'_>| Cow::Owned(text.to_string());
        FailureFacts {
            error_type: owned(&self.error_type),
            message: owned(&self.message),
            sources: self.sources.iter().map(owned).collect(),
        }
    }
}
