//! A health check, as an attribute declares it or a program makes it.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::health::verdict::{Health, IntoHealth};
use crate::checks::runner::check::{Callable, Check, Describe, setters};
use crate::checks::runner::job::Answer;
use crate::checks::runner::listed::{ByHand, Registration};
use crate::metrics::callsite::Place;

/// Those that were registered by hand.
pub static BY_HAND: ByHand<HealthCheck> = ByHand::new();

/// How long a check may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The group of a check that names none.
const READY: &[&str] = &["ready"];

/// A health check: by `#[health_check]` on a function, or made of a closure and registered by hand.
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
}

impl HealthCheck {
    const fn of(name: Cow<'static, str>, place: Place, run: Callable<Health>) -> Self {
        let check = Check::new(name, place, run, TIMEOUT);
        Self { check, critical: true, groups: READY, cache: Duration::ZERO, after: &[], failures: 1 }
    }

    /// The check of a function under `#[health_check]`.
    #[doc(hidden)]
    pub const fn declared(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: fn() -> Answer<Health>,
    ) -> Self {
        Self::of(Cow::Borrowed(name), Place { module, file, line }, Callable::Function(run))
    }

    /// The check of a value whose method stands under `#[health_check]`.
    #[doc(hidden)]
    pub fn of_value(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: impl Fn() -> Answer<Health> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Cow::Borrowed(name), Place { module, file, line }, Callable::Closure(Box::new(run)))
    }

    /// A critical check of the group `ready`, of a closure that gives `()`, `bool`, [`Health`] or a `Result` of these.
    #[track_caller]
    pub fn new<H: IntoHealth>(name: impl Into<Cow<'static, str>>, run: impl Fn() -> H + Send + Sync + 'static) -> Self {
        Self::of(name.into(), here(Location::caller()), Callable::Closure(Box::new(move || Self::ready(run()))))
    }

    /// The same of a closure that gives a future. It runs on a thread of its own, so it need not be `Send`.
    #[track_caller]
    pub fn new_async<F: Future<Output: IntoHealth> + 'static>(
        name: impl Into<Cow<'static, str>>,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self::of(name.into(), here(Location::caller()), Callable::Closure(Box::new(move || Self::pending(run()))))
    }

    setters! {
        /// How long it may take: 5 s unless told otherwise.
        timeout: Duration => check.timeout = timeout;
        /// The same in milliseconds.
        #[doc(hidden)]
        timeout_millis: u64 => check.timeout = Duration::from_millis(timeout_millis);
        /// Whether its failure makes the whole unhealthy, or degraded only; true unless told otherwise.
        critical: bool => critical = critical;
        /// Who asks for it: `ready` unless told otherwise.
        groups: &'static [&'static str] => groups = groups;
        /// How long its result holds before it runs again; it runs each time unless told otherwise.
        cache: Duration => cache = cache;
        /// The same in milliseconds.
        #[doc(hidden)]
        cache_millis: u64 => cache = Duration::from_millis(cache_millis);
        /// The checks that have to be well first: it is skipped when one of them is unhealthy.
        after: &'static [&'static str] => after = after;
        /// How many failures in a row make what was well unhealthy; until then it is degraded. One unless told otherwise.
        failures: u32 => failures = failures;
        /// Level of its line when it is healthy: debug unless told otherwise.
        level: Level => check.level = level;
        /// What else its line says.
        #[doc(hidden)]
        describe: Describe => check.describe = describe;
    }

    /// Has it run with all others from now on.
    pub fn register(self) -> Registration {
        BY_HAND.register(self)
    }

    /// The answer of a plain function.
    #[doc(hidden)]
    pub fn ready(value: impl IntoHealth) -> Answer<Health> {
        Answer::Ready(value.into_health())
    }

    /// The answer of an async function.
    #[doc(hidden)]
    pub fn pending<F: Future<Output: IntoHealth> + 'static>(future: F) -> Answer<Health> {
        Answer::Pending(Box::pin(async { future.await.into_health() }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.check.name
    }

    /// Where the function stands, or where it was made.
    pub(crate) const fn place(&self) -> Place {
        self.check.place
    }
}

fn here(caller: &'static Location<'static>) -> Place {
    Place { module: "", file: caller.file(), line: caller.line() }
}

/// Registers a closure as a health check, critical and of the group `ready`; [`HealthCheck::new`] gives one more to choose.
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
