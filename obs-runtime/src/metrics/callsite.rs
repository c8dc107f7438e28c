//! The static that each attribute creates: the annotated function, its location and its counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::base::declaration::Declaration;
use crate::base::level::Level;
use crate::base::schedule::Schedule;
use crate::metrics::cardinality::OTHER;
use crate::metrics::cells::{Cells, Totals};

/// The attribute of a call site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallsiteKind {
    /// `#[tracked_command]`
    Command,
    /// `#[with_error_tracking]`
    Errors,
    /// `#[bq_cost]`
    Cost,
    /// `#[track_performance]`
    Operation,
}

impl CallsiteKind {
    /// The attribute's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "tracked_command",
            Self::Errors => "with_error_tracking",
            Self::Cost => "bq_cost",
            Self::Operation => "track_performance",
        }
    }

    /// The metric family that stands for all that such a call site has a series in.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::Command => "cli.command.duration.seconds",
            Self::Errors => "operation.error",
            Self::Cost => "bigquery.cost.usd",
            Self::Operation => "operation.duration.seconds",
        }
    }
}

/// A location in the user's source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct SourceLocation {
    /// Module path.
    pub module: &'static str,
    /// Source file, as it was passed to the compiler.
    pub file: &'static str,
    /// Line number, from 1.
    pub line: u32,
}

impl SourceLocation {
    /// The name of the annotated function at this location: its own, or the one that follows from the name of its operation.
    /// `None` outside of annotated functions.
    pub(crate) fn function(&self, own: Option<&'static str>, operation: &'static str) -> Option<Cow<'static, str>> {
        let of_operation =
            || if operation.contains('-') { operation.replace('-', "_").into() } else { Cow::Borrowed(operation) };
        (!self.module.is_empty()).then(|| own.map_or_else(of_operation, Cow::Borrowed))
    }
}

/// An annotated function. Each one is a static that the linker collects into the section [`Callsites`](crate::base::ffi::Callsites).
#[derive(Debug)]
pub struct Callsite {
    kind: CallsiteKind,
    name: &'static str,
    /// The name of the function, if it does not follow from `name`.
    function: Option<&'static str>,
    place: SourceLocation,
    level: Level,
    severity: Level,
    query_type: &'static str,
    alert_over_usd: Option<f64>,
    limits: Limits,
    schedule: Option<Schedule>,
    declaration: Declaration,
    /// Commands that are running and not recorded, because they were started while obs was off.
    unrecorded: AtomicUsize,
    cells: Cells,
    tagged: Mutex<Option<Tagged>>,
}

/// Cost limits of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// US dollars.
    pub usd: Option<f64>,
    /// Billed bytes.
    pub bytes: Option<u64>,
    /// Slot hours.
    pub slot_hours: Option<f64>,
    /// Name of the budget that the call draws on.
    pub budget: Option<&'static str>,
}

/// Implemented by no type: budgets need the feature `bigquery`.
#[cfg(not(feature = "bigquery"))]
#[diagnostic::on_unimplemented(
    message = "`budget` needs the feature `bigquery` of obs-runtime",
    label = "budgets need this feature",
    note = "add it to the features of obs-runtime in Cargo.toml"
)]
pub trait KeptByTheFeatureBigquery: Copy {}

/// Names and values of a call's tags, in the order of the attribute.
pub type Tags = Vec<(&'static str, String)>;

type Tagged = HashMap<Tags, &'static Cells>;

/// Number of label sets created at run time, by kind of call site: all call sites of a kind share their families.
static DYNAMIC_SERIES: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// Reserves one more label set in the families of a kind; false if `limit` is reached. Outcomes are not counted, as there
/// are only four.
pub fn reserve_series(kind: CallsiteKind, limit: usize) -> bool {
    let more = |reserved| if reserved < limit { Some(reserved + 1) } else { None };
    DYNAMIC_SERIES[kind as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

impl Callsite {
    const fn new(
        kind: CallsiteKind,
        level: Level,
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self {
            kind,
            name,
            function: None,
            place: SourceLocation { module, file, line },
            level,
            severity: Level::Error,
            query_type: "query",
            alert_over_usd: None,
            limits: Limits { usd: None, bytes: None, slot_hours: None, budget: None },
            schedule: None,
            declaration: Declaration::NONE,
            unrecorded: AtomicUsize::new(0),
            cells: Cells::new(),
            tagged: Mutex::new(None),
        }
    }

    /// A call site of `#[track_performance]`.
    #[must_use]
    pub const fn operation(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Operation, Level::Debug, name, module, file, line)
    }

    /// A call site of `#[tracked_command]`.
    #[must_use]
    pub const fn command(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Command, Level::Info, name, module, file, line)
    }

    /// A call site of `#[with_error_tracking]`.
    #[must_use]
    pub const fn errors(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Errors, Level::Debug, name, module, file, line)
    }

    /// A call site of `#[bq_cost]`.
    #[must_use]
    pub const fn cost(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Cost, Level::Debug, name, module, file, line)
    }

    /// Sets the name of the function, if it is not the one of the operation or command with underscores.
    #[must_use]
    pub const fn function(mut self, function: &'static str) -> Self {
        self.function = Some(function);
        self
    }

    /// Sets the level of the start and finish lines.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the level of the line about a captured error.
    #[must_use]
    pub const fn severity(mut self, severity: Level) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the schedule of a command.
    #[must_use]
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Sets the responsible team.
    #[must_use]
    pub const fn owner(mut self, owner: &'static str) -> Self {
        self.declaration.owner = Some(owner);
        self
    }

    /// Sets the address of the page that says what to do.
    #[must_use]
    pub const fn runbook(mut self, address: &'static str) -> Self {
        self.declaration.runbook = Some(address);
        self
    }

    /// Sets what may fail of a million calls.
    #[must_use]
    pub const fn slo_parts_per_million(mut self, may_fail: u32) -> Self {
        self.declaration.set_slo(may_fail);
        self
    }

    /// Sets how long a call may take.
    #[must_use]
    pub const fn slo_latency_millis(mut self, milliseconds: u64) -> Self {
        self.declaration.slo_latency = Some(Duration::from_millis(milliseconds));
        self
    }

    /// Sets the `query_type` label of queries within a call.
    #[must_use]
    pub const fn query_type(mut self, query_type: &'static str) -> Self {
        self.query_type = query_type;
        self
    }

    /// Sets the cost of one call, in US dollars, above which an alert is raised.
    #[must_use]
    pub const fn alert_over_usd(mut self, usd: f64) -> Self {
        self.alert_over_usd = Some(usd);
        self
    }

    /// Sets the maximum cost of one call, in US dollars; queries that would exceed it are refused.
    #[must_use]
    pub const fn max_usd(mut self, usd: f64) -> Self {
        self.limits.usd = Some(usd);
        self
    }

    /// Sets the maximum of billed bytes of one call; queries that would exceed it are refused.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// Sets the slot hours of one call, after which further queries are refused.
    #[must_use]
    pub const fn max_slot_hours(mut self, hours: f64) -> Self {
        self.limits.slot_hours = Some(hours);
        self
    }

    /// Sets the budget; queries that would exceed it are refused.
    #[cfg(feature = "bigquery")]
    #[must_use]
    pub const fn budget(mut self, name: &'static str) -> Self {
        self.limits.budget = Some(name);
        self
    }

    /// Fails to compile: budgets need the feature `bigquery`.
    #[cfg(not(feature = "bigquery"))]
    #[must_use]
    pub const fn budget<Name: KeptByTheFeatureBigquery>(self, _name: Name) -> Self {
        self
    }

    /// The attribute.
    pub const fn kind(&self) -> CallsiteKind {
        self.kind
    }

    /// The operation's or command's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name of the function; `None` for an operation that the program names at run time.
    pub fn function_name(&self) -> Option<Cow<'static, str>> {
        self.place.function(self.function, self.name)
    }

    /// The schedule of a command.
    pub const fn cron_schedule(&self) -> Option<Schedule> {
        self.schedule
    }

    /// Owner, runbook and objectives.
    pub const fn declaration(&self) -> Declaration {
        self.declaration
    }

    /// The location of the function.
    pub const fn place(&self) -> SourceLocation {
        self.place
    }

    pub(crate) const fn line_level(&self) -> Level {
        self.level
    }

    pub(crate) const fn error_level(&self) -> Level {
        self.severity
    }

    pub(crate) const fn query_label(&self) -> &'static str {
        self.query_type
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) const fn alert_threshold_usd(&self) -> Option<f64> {
        self.alert_over_usd
    }

    /// The number of running commands that were started while obs was off.
    pub(crate) const fn unrecorded(&self) -> &AtomicUsize {
        &self.unrecorded
    }

    #[inline]
    pub(crate) const fn cells(&'static self) -> &'static Cells {
        &self.cells
    }

    /// The cells of one set of tag values. At most `limit` sets are kept over all call sites of this kind; further ones are
    /// counted together as [`OTHER`], and the second value returned is true.
    pub(crate) fn cells_tagged(&'static self, tags: Tags, limit: usize) -> (&'static Cells, bool) {
        let mut tagged = self.tagged.lock().unwrap_or_else(PoisonError::into_inner);
        let tagged = tagged.get_or_insert_default();
        if let Some(cells) = tagged.get(&tags) {
            return (cells, false);
        }
        let full = !reserve_series(self.kind, limit);
        let tags = if full { tags.into_iter().map(|(name, _)| (name, OTHER.to_owned())).collect() } else { tags };
        // Leaked: call sites live as long as the program, and `limit` bounds their number.
        (tagged.entry(tags).or_insert_with(|| Box::leak(Box::default())), full)
    }

    /// Visits the counts of this call site: those without tags first, then those of each set of tag values. A call site that
    /// was not called yet is visited only if it is a command.
    pub(crate) fn for_each_total(&self, mut visit: impl FnMut(&Tags, &Totals, &Cells)) {
        let tagged: Vec<_> = self
            .tagged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .flatten()
            .map(|(tags, cells)| (tags.clone(), *cells))
            .collect();
        let none = Tags::new();
        let all = std::iter::once((&none, &self.cells)).chain(tagged.iter().map(|(tags, cells)| (tags, *cells)));
        for (tags, cells) in all {
            let totals = cells.totals();
            let is_declared = self.kind == CallsiteKind::Command && tagged.is_empty();
            if totals.started > 0 || is_declared {
                visit(tags, &totals, cells);
            }
        }
    }
}

#[cfg(test)]
mod tests;
