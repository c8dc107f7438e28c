//! A health check, declared by the attribute or constructed by the program.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::health::status::{Health, IntoHealth};
use crate::checks::runner::check::{Callable, Check, Describe, caller_place, setters};
use crate::checks::runner::job::Answer;
use crate::checks::runner::registry::{Manual, Registration};
use crate::metrics::callsite::SourceLocation;

/// The checks that were registered at run time.
pub static MANUAL: Manual<HealthCheck> = Manual::new();

/// The default time limit.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The default group.
const READY: &[&str] = &["ready"];

/// A health check: a function with `#[health_check]`, or a closure that the program registers.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use obs_runtime::{HealthCheck, Status, run_health_checks};
///
/// let free = 3;
/// let registered = HealthCheck::new("pool", move || free > 0)
///     .timeout(Duration::from_millis(500))
///     .critical(false)
///     .groups(&["live", "ready"])
///     .register();
/// assert_eq!(run_health_checks().wait().status, Status::Healthy);
/// registered.unregister();
/// ```
#[derive(Debug)]
#[must_use = "a check is run when it is registered"]
pub struct HealthCheck {
    pub(super) check: Check<Callable<Health>>,
    pub(super) critical: bool,
    pub(super) groups: &'static [&'static str],
    pub(super) cache: Duration,
    pub(super) after: &'static [&'static str],
    pub(super) failures: u32,
    pub(crate) owner: &'static str,
    pub(crate) runbook: &'static str,
}

impl HealthCheck {
    const fn of(name: Cow<'static, str>, place: SourceLocation, run: Callable<Health>) -> Self {
        let check = Check::new(name, place, run, TIMEOUT);
        Self {
            check,
            critical: true,
            groups: READY,
            cache: Duration::ZERO,
            after: &[],
            failures: 1,
            owner: "",
            runbook: "",
        }
    }

    /// The check of a function with `#[health_check]`.
    #[doc(hidden)]
    pub const fn declared(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: fn() -> Answer<Health>,
    ) -> Self {
        Self::of(Cow::Borrowed(name), SourceLocation { module, file, line }, Callable::Function(run))
    }

    /// The check of a value with a method under `#[health_check]`.
    #[doc(hidden)]
    pub fn of_value(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: impl Fn() -> Answer<Health> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Cow::Borrowed(name), SourceLocation { module, file, line }, Callable::Closure(Box::new(run)))
    }

    /// A critical check in the group `ready`. The closure returns `()`, `bool`, [`Health`] or a `Result` of these.
    #[track_caller]
    pub fn new<H: IntoHealth>(name: impl Into<Cow<'static, str>>, run: impl Fn() -> H + Send + Sync + 'static) -> Self {
        Self::of(name.into(), caller_place(Location::caller()), Callable::Closure(Box::new(move || Self::ready(run()))))
    }

    /// Like [`new`](Self::new), of an async closure. The future runs on a thread of its own, so it need not be `Send`.
    #[track_caller]
    pub fn new_async<F: Future<Output: IntoHealth> + 'static>(
        name: impl Into<Cow<'static, str>>,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self::of(
            name.into(),
            caller_place(Location::caller()),
            Callable::Closure(Box::new(move || Self::pending(run()))),
        )
    }

    setters! {
        /// The time limit. The default is 5 seconds.
        timeout: Duration => check.timeout = timeout;
        /// The time limit in milliseconds.
        #[doc(hidden)]
        timeout_millis: u64 => check.timeout = Duration::from_millis(timeout_millis);
        /// Whether a failure makes the report unhealthy (the default) or degraded.
        critical: bool => critical = critical;
        /// The groups that the check belongs to. The default is `ready`.
        groups: &'static [&'static str] => groups = groups;
        /// How long a result is reused before the check runs again. The default is zero: it runs each time.
        cache: Duration => cache = cache;
        /// The cache time in milliseconds.
        #[doc(hidden)]
        cache_millis: u64 => cache = Duration::from_millis(cache_millis);
        /// The checks that run first. The check is skipped when one of them is unhealthy.
        after: &'static [&'static str] => after = after;
        /// How many failures in a row make a healthy check unhealthy; until then it is degraded. The default is 1.
        failures: u32 => failures = failures;
        /// The team that is responsible for what is checked.
        owner: &'static str => owner = owner;
        /// The address of the page that says what to do when it fails.
        runbook: &'static str => runbook = runbook;
        /// The level of the log line when the check is healthy. The default is debug.
        level: Level => check.level = level;
        /// The name of the function, if it does not follow from that of the check.
        #[doc(hidden)]
        function: &'static str => check.function = Some(function);
        /// Adds fields to the log line.
        #[doc(hidden)]
        describe: Describe => check.describe = describe;
    }

    /// Registers the check: it runs with all others from now on.
    pub fn register(self) -> Registration {
        MANUAL.register(self)
    }

    /// The return value of a plain function.
    #[doc(hidden)]
    pub fn ready(value: impl IntoHealth) -> Answer<Health> {
        Answer::Ready(value.into_health())
    }

    /// The return value of an async function.
    #[doc(hidden)]
    pub fn pending<F: Future<Output: IntoHealth> + 'static>(future: F) -> Answer<Health> {
        Answer::Pending(Box::pin(async { future.await.into_health() }))
    }

    /// The name of the check.
    pub fn name(&self) -> &str {
        &self.check.name
    }

    /// Whether its failure makes the program unhealthy.
    #[cfg(feature = "cli")]
    pub(crate) const fn is_critical(&self) -> bool {
        self.critical
    }

    /// Where the function is declared, or where the check was constructed.
    pub(crate) const fn place(&self) -> SourceLocation {
        self.check.place
    }
}

/// Registers a closure as a critical health check in the group `ready`. For other settings, use [`HealthCheck::new`].
///
/// ```standalone_crate
/// use obs_runtime::{register_health_check, run_health_checks, Status};
///
/// register_health_check("inbox", || std::fs::read_dir("/no/such/folder").map(drop));
/// assert_eq!(run_health_checks().wait().status, Status::Unhealthy);
/// ```
#[track_caller]
pub fn register_health_check<H: IntoHealth>(
    name: impl Into<Cow<'static, str>>,
    run: impl Fn() -> H + Send + Sync + 'static,
) -> Registration {
    HealthCheck::new(name, run).register()
}
