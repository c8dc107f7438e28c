//! A data-quality check, declared by the attribute or constructed by the program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::quality::bounds::{Bounds, IntoBounds};
use crate::checks::quality::current_bounds;
use crate::checks::quality::item::{Item, Parameter, TupleParameter};
use crate::checks::quality::measure::{IntoMeasure, Measure};
use crate::checks::quality::partition::PartitionUnit;
use crate::checks::quality::status::Severity;
use crate::checks::runner::check::{Callable, Check, Describe, caller_place, setters};
use crate::checks::runner::job::Answer;
use crate::checks::runner::registry::{Manual, Registration};
use crate::events::failure::shown;
use crate::instrument::call::entry::Entry;
use crate::metrics::callsite::SourceLocation;

/// The checks that were registered at run time.
pub static MANUAL: Manual<QualityCheck> = Manual::new();

/// The default time limit.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What a declaration calls.
pub enum Runs {
    /// The check.
    Once(Callable<Measure>),
    /// The list of items, each with a check.
    Each(fn() -> Answer<Result<Vec<Item>, String>>),
}

/// A data-quality check: a function with `#[dq_check]`, or a closure that the program registers.
///
/// ```standalone_crate
/// use obs_runtime::{QualityCheck, Severity, run_dq_checks};
///
/// let ids = vec![Some(1), None, Some(3)];
/// QualityCheck::new("null_ids", move || ids.iter().filter(|id| id.is_none()).count())
///     .dataset("users")
///     .severity(Severity::Warning)
///     .fail_above(0.0)
///     .register();
/// let report = run_dq_checks().wait();
/// assert_eq!(report.results[0].value, Some(1.0));
/// ```
#[must_use = "a check is run when it is registered"]
pub struct QualityCheck {
    pub(super) check: Check<Runs>,
    dataset: &'static str,
    /// The data set if it is known at run time only.
    dynamic_dataset: Option<String>,
    pub(crate) column: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) runbook: &'static str,
    pub(crate) description: &'static str,
    pub(crate) severity: Severity,
    pub(super) bounds: Bounds,
    /// The function that gives bounds for each run, or empty.
    pub(super) bounds_of_a_run: &'static str,
    pub(crate) blocking: bool,
    pub(crate) partition: Option<PartitionUnit>,
    pub(super) after: &'static [&'static str],
}

impl fmt::Debug for QualityCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            check,
            dataset: _,
            dynamic_dataset: _,
            column,
            owner,
            runbook,
            description,
            severity,
            bounds,
            bounds_of_a_run,
            blocking,
            partition,
            after,
        } = self;
        let mut shown = formatter.debug_struct("QualityCheck");
        shown
            .field("check", check)
            .field("dataset", &self.dataset_name())
            .field("column", column)
            .field("owner", owner)
            .field("runbook", runbook)
            .field("description", description);
        shown
            .field("severity", severity)
            .field("bounds", bounds)
            .field("bounds_of_a_run", bounds_of_a_run)
            .field("blocking", blocking)
            .field("partition", partition)
            .field("after", after)
            .finish()
    }
}

impl QualityCheck {
    const fn of(name: Cow<'static, str>, place: SourceLocation, run: Runs) -> Self {
        Self {
            check: Check::new(name, place, run, TIMEOUT),
            dataset: "",
            dynamic_dataset: None,
            column: "",
            owner: "",
            runbook: "",
            description: "",
            severity: Severity::Critical,
            bounds: Bounds::NONE,
            bounds_of_a_run: "",
            blocking: false,
            partition: None,
            after: &[],
        }
    }

    /// Whether the declaration stands for a list of checks.
    pub(crate) const fn is_for_each(&self) -> bool {
        matches!(self.check.run, Runs::Each(_))
    }

    /// The check of a function with `#[dq_check]`.
    #[doc(hidden)]
    pub const fn declared(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: fn() -> Answer<Measure>,
    ) -> Self {
        Self::of(Cow::Borrowed(name), SourceLocation { module, file, line }, Runs::Once(Callable::Function(run)))
    }

    /// The checks of a function with `#[dq_check(for_each = …)]`.
    #[doc(hidden)]
    pub const fn declared_each(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        items: fn() -> Answer<Result<Vec<Item>, String>>,
    ) -> Self {
        Self::of(Cow::Borrowed(name), SourceLocation { module, file, line }, Runs::Each(items))
    }

    /// The check of a value with a method under `#[dq_check]`.
    #[doc(hidden)]
    pub fn of_value(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: impl Fn() -> Answer<Measure> + Send + Sync + 'static,
    ) -> Self {
        let run = Callable::Closure(Box::new(run));
        Self::of(Cow::Borrowed(name), SourceLocation { module, file, line }, Runs::Once(run))
    }

    /// A check of severity `critical` without bounds. The closure returns a number, a `bool`, [`Measured`], [`Verdict`] or a
    /// `Result` of these.
    ///
    /// [`Measured`]: crate::Measured
    /// [`Verdict`]: crate::Verdict
    #[track_caller]
    pub fn new<M: IntoMeasure>(
        name: impl Into<Cow<'static, str>>,
        run: impl Fn() -> M + Send + Sync + 'static,
    ) -> Self {
        let run = Callable::Closure(Box::new(move || Self::ready(run())));
        Self::of(name.into(), caller_place(Location::caller()), Runs::Once(run))
    }

    /// Like [`new`](Self::new), of an async closure. The future runs on a thread of its own, so it need not be `Send`.
    #[track_caller]
    pub fn new_async<F: Future<Output: IntoMeasure> + 'static>(
        name: impl Into<Cow<'static, str>>,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        let run = Callable::Closure(Box::new(move || Self::pending(run())));
        Self::of(name.into(), caller_place(Location::caller()), Runs::Once(run))
    }

    setters! {
        /// The time limit. The default is 5 minutes.
        timeout: Duration => check.timeout = timeout;
        /// The time limit in milliseconds.
        #[doc(hidden)]
        timeout_millis: u64 => check.timeout = Duration::from_millis(timeout_millis);
        /// The data set that is checked, of a declaration.
        #[doc(hidden)]
        declared_dataset: &'static str => dataset = declared_dataset;
        /// The column that is checked.
        column: &'static str => column = column;
        /// The owner of the data.
        owner: &'static str => owner = owner;
        /// The address of the page that says what to do when it fails.
        runbook: &'static str => runbook = runbook;
        /// What it checks, for `dq list` and [`catalogue`](crate::catalogue()).
        description: &'static str => description = description;
        /// The severity of a failure. The default is critical.
        severity: Severity => severity = severity;
        /// A value above this is a warning.
        warn_above: f64 => bounds.warn.above = Some(warn_above);
        /// A value above this is a failure.
        fail_above: f64 => bounds.fail.above = Some(fail_above);
        /// A value below this is a warning.
        warn_below: f64 => bounds.warn.below = Some(warn_below);
        /// A value below this is a failure.
        fail_below: f64 => bounds.fail.below = Some(fail_below);
        /// This many failing rows or more are a warning. A number without a total counts failing rows itself.
        warn_rows: u64 => bounds.warn.rows = Some(warn_rows);
        /// This many failing rows or more are a failure. A number without a total counts failing rows itself.
        fail_rows: u64 => bounds.fail.rows = Some(fail_rows);
        /// This part of all rows or more, from 0 to 1, is a warning.
        warn_share: f64 => bounds.warn.share = Some(warn_share);
        /// This part of all rows or more, from 0 to 1, is a failure.
        fail_share: f64 => bounds.fail.share = Some(fail_share);
        /// An age in seconds above this is a warning, as of `tables::freshness`.
        warn_older_than: Duration => bounds.warn.older_than = Some(warn_older_than.as_secs_f64());
        /// An age in seconds above this is a failure, as of `tables::freshness`.
        fail_older_than: Duration => bounds.fail.older_than = Some(fail_older_than.as_secs_f64());
        /// A time that lies further in the future than this, which is a negative age, is a failure.
        fail_in_future: Duration => bounds.fail.in_future = Some(fail_in_future.as_secs_f64());
        /// The function that gives bounds for each run, as its path was written.
        #[doc(hidden)]
        bounds_of_a_run: &'static str => bounds_of_a_run = bounds_of_a_run;
        /// How many rows the check must have looked at, which is the total of a ratio; with fewer it fails. A number without a
        /// total is not affected.
        require_rows: u64 => bounds.require_rows = Some(require_rows);
        /// Whether it passes when there is nothing to check, such as 0 of 0 rows.
        allow_no_data: bool => bounds.allow_no_data = allow_no_data;
        /// Whether it runs before the other checks of its data set (of those without one, if it has none), and skips these,
        /// and those that name it by [`after`](Self::after), if it fails with severity critical.
        blocking: bool => blocking = blocking;
        /// The checks that run before it: `rows[users]`, or all items of `rows`. If one of them rejects the data, or is itself
        /// skipped, this one is skipped. Those that the run does not include are ignored.
        after: &'static [&'static str] => after = after;
        /// Runs it for a part of the data, of this length: see [`Partition`](crate::Partition).
        partition: PartitionUnit => partition = Some(partition);
        /// The level of the log line when the check passes. The default is debug.
        level: Level => check.level = level;
        /// The name of the function, if it does not follow from that of the check.
        #[doc(hidden)]
        function: &'static str => check.function = Some(function);
        /// Adds fields to the log line.
        #[doc(hidden)]
        describe: Describe => check.describe = describe;
    }

    /// A value outside of this range is a failure.
    pub const fn between(self, range: &RangeInclusive<f64>) -> Self {
        self.fail_below(*range.start()).fail_above(*range.end())
    }

    /// The data set that is checked.
    pub fn dataset(mut self, dataset: impl Into<Cow<'static, str>>) -> Self {
        match dataset.into() {
            Cow::Borrowed(dataset) => (self.dataset, self.dynamic_dataset) = (dataset, None),
            Cow::Owned(dataset) => self.dynamic_dataset = Some(dataset),
        }
        self
    }

    /// The data set, or an empty text.
    pub(crate) fn dataset_name(&self) -> &str {
        self.dynamic_dataset.as_deref().unwrap_or(self.dataset)
    }

    /// Each limit as in the attribute: `fail_above = 0.05`.
    pub(crate) fn thresholds(&self) -> Vec<String> {
        let of_a_run = Some(self.bounds_of_a_run).filter(|path| !path.is_empty());
        self.bounds.described().into_iter().chain(of_a_run.map(|path| format!("bounds = {path}"))).collect()
    }

    /// The tags, redacted. Evaluates their expressions.
    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        let mut entry = Entry::default();
        entry.describe(self.check.describe);
        entry.tags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Registers the check: it runs with all others from now on.
    pub fn register(self) -> Registration {
        MANUAL.register(self)
    }

    /// The return value of a plain function.
    #[doc(hidden)]
    pub fn ready(value: impl IntoMeasure) -> Answer<Measure> {
        Answer::Ready(value.into_measure())
    }

    /// The return value of an async function.
    #[doc(hidden)]
    pub fn pending<F: Future<Output: IntoMeasure> + 'static>(future: F) -> Answer<Measure> {
        Answer::Pending(Box::pin(async { future.await.into_measure() }))
    }

    /// A call with bounds of its own.
    #[doc(hidden)]
    pub fn bounded(bounds: impl IntoBounds, call: impl FnOnce() -> Answer<Measure>) -> Answer<Measure> {
        let bounds = match bounds.into_bounds() {
            Ok(bounds) => bounds,
            Err(error) => return Answer::Ready(Measure::error(format!("its bounds could not be told: {error}"))),
        };
        current_bounds::refine(bounds);
        match call() {
            Answer::Ready(measure) => Answer::Ready(measure.within(bounds)),
            Answer::Pending(future) => Answer::Pending(Box::pin(async move { future.await.within(bounds) })),
        }
    }

    /// The checks of all items.
    #[doc(hidden)]
    pub fn each<T: Parameter>(
        items: Result<Vec<T>, String>,
        names: &[&str],
        run: fn(Arc<T>) -> Answer<Measure>,
    ) -> Answer<Result<Vec<Item>, String>> {
        let item = |item: T| Item::new(vec![shown(&item)], names, item, run);
        Answer::Ready(items.map(|items| items.into_iter().map(item).collect()))
    }

    /// The checks of all items, which are tuples.
    #[doc(hidden)]
    pub fn each_tuple<T: TupleParameter>(
        items: Result<Vec<T>, String>,
        names: &[&str],
        run: fn(Arc<T>) -> Answer<Measure>,
    ) -> Answer<Result<Vec<Item>, String>> {
        let item = |item: T| Item::new(item.parts(), names, item, run);
        Answer::Ready(items.map(|items| items.into_iter().map(item).collect()))
    }

    /// The name of the check.
    pub fn name(&self) -> &str {
        &self.check.name
    }

    /// Where the function is declared, or where the check was constructed.
    pub(crate) const fn place(&self) -> SourceLocation {
        self.check.place
    }
}

/// Registers a closure as a data-quality check of severity critical without bounds. For other settings, use
/// [`QualityCheck::new`].
///
/// ```standalone_crate
/// use obs_runtime::{register_dq_check, run_dq_checks};
///
/// register_dq_check("has_rows", || true);
/// assert!(run_dq_checks().wait().passed());
/// ```
#[track_caller]
pub fn register_dq_check<M: IntoMeasure>(
    name: impl Into<Cow<'static, str>>,
    run: impl Fn() -> M + Send + Sync + 'static,
) -> Registration {
    QualityCheck::new(name, run).register()
}
