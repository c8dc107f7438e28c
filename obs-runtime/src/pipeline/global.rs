//! Which pipeline a call uses: the one scoped to its context (for a test), else the installed one, else none.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Event, Fact, Source};
use crate::exporters::interface::Topic;
use crate::metrics::callsite::{Place, Tags};
use crate::pipeline::flush::FlushMode;
use crate::pipeline::interface::Pipeline;
use crate::pipeline::log_bridge;
use crate::redact::redactor::Redactor;

/// Behind one more pointer, as what is swapped has to be a thin one.
static INSTALLED: ArcSwapOption<Arc<dyn Pipeline>> = ArcSwapOption::const_empty();

/// How many scoped pipelines there are.
static SCOPED: AtomicUsize = AtomicUsize::new(0);

/// What a call asks before it does anything.
static INTEREST: AtomicU8 = AtomicU8::new(Interest::OFF.0);

/// Who wants to know of calls: nobody, counters only, or also somebody who takes single calls from some level on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    const OFF: Self = Self(u8::MAX);
    const COUNTS_ONLY: Self = Self(u8::MAX - 1);

    /// Nobody wants anything, not even counts.
    #[inline]
    pub const fn is_off(self) -> bool {
        self.0 == Self::OFF.0
    }

    /// Whether somebody may want single calls of that level.
    #[inline]
    pub const fn may_want(self, level: Level) -> bool {
        level as u8 >= self.0
    }

    /// The least level at which anybody may want anything.
    pub fn least(self) -> Option<Level> {
        Level::ALL.get(usize::from(self.0)).copied()
    }
}

/// Who wants to know of calls at this moment.
#[inline]
pub fn interest() -> Interest {
    Interest(INTEREST.load(Ordering::Relaxed))
}

/// Looks again who wants what, as that has changed.
pub fn refresh_interest() {
    /// Held from looking to telling, so that what is told last is what was seen last.
    static REFRESHING: Mutex<()> = Mutex::new(());
    let refreshing = REFRESHING.lock().unwrap_or_else(PoisonError::into_inner);
    let interest = if SCOPED.load(Ordering::SeqCst) > 0 {
        Interest(Level::Trace as u8)
    } else {
        INSTALLED.load().as_ref().map_or(Interest::OFF, |pipeline| {
            pipeline.least_level().map_or(Interest::COUNTS_ONLY, |level| Interest(level as u8))
        })
    };
    INTEREST.store(interest.0, Ordering::SeqCst);
    drop(refreshing);
    // `tracing` remembers for each of its call sites who wanted what.
    tracing_core::callsite::rebuild_interest_cache();
    log_bridge::follow();
}

/// Installs a pipeline for the whole program; gives it back when there is one already.
pub fn install(pipeline: Arc<dyn Pipeline>) -> Result<(), Arc<dyn Pipeline>> {
    let previous = INSTALLED.compare_and_swap(&None::<Arc<_>>, Some(Arc::new(Arc::clone(&pipeline))));
    if previous.is_some() {
        return Err(pipeline);
    }
    refresh_interest();
    Ok(())
}

/// Whether a pipeline is installed.
pub fn is_installed() -> bool {
    INSTALLED.load().is_some()
}

/// Takes the installed pipeline out.
pub fn uninstall() {
    INSTALLED.store(None);
    refresh_interest();
}

/// A pipeline that is used in one context only, until it is dropped.
#[cfg(feature = "testing")]
pub struct ScopedPipeline(Arc<dyn Pipeline>);

#[cfg(feature = "testing")]
impl ScopedPipeline {
    /// Makes a pipeline known.
    pub fn new(pipeline: Arc<dyn Pipeline>) -> Self {
        SCOPED.fetch_add(1, Ordering::SeqCst);
        refresh_interest();
        Self(pipeline)
    }

    /// The pipeline.
    pub const fn pipeline(&self) -> &Arc<dyn Pipeline> {
        &self.0
    }

    /// The current context with this pipeline in it.
    pub fn context(&self) -> Context {
        let mut context = Context::current();
        context.carry(Arc::new(Carried(Arc::clone(&self.0))));
        context
    }
}

#[cfg(feature = "testing")]
impl Drop for ScopedPipeline {
    fn drop(&mut self) {
        SCOPED.fetch_sub(1, Ordering::SeqCst);
        refresh_interest();
    }
}

/// How a context holds the pipeline that is scoped to it.
struct Carried(Arc<dyn Pipeline>);

/// The pipeline that is scoped to this context.
fn scoped() -> Option<Arc<Carried>> {
    if SCOPED.load(Ordering::Relaxed) > 0 { Context::current().carried::<Carried>() } else { None }
}

/// The pipeline of this moment.
pub fn pipeline() -> Option<Arc<dyn Pipeline>> {
    if interest().is_off() {
        return None;
    }
    match scoped() {
        Some(scoped) => Some(Arc::clone(&scoped.0)),
        None => INSTALLED.load().as_deref().map(Arc::clone),
    }
}

/// The same, without a count that all threads share: for what happens often.
fn with_pipeline<R>(with: impl FnOnce(&dyn Pipeline) -> R) -> Option<R> {
    if interest().is_off() {
        return None;
    }
    match scoped() {
        Some(scoped) => Some(with(&*scoped.0)),
        None => INSTALLED.load().as_deref().map(|pipeline| with(&**pipeline)),
    }
}

/// Whether all code has the same pipeline: no test has one of its own.
pub fn has_no_scoped_pipeline() -> bool {
    SCOPED.load(Ordering::SeqCst) == 0
}

/// Whether any sink wants such an event.
pub fn wants(topic: Topic, level: Level, logger: &str) -> bool {
    with_pipeline(|pipeline| pipeline.wants(topic, level, logger)).unwrap_or(false)
}

/// Emits an event of the current context, if there is a pipeline and a sink that wants it. `make` runs only then.
pub fn emit<'a>(
    topic: Topic,
    level: Level,
    source: Source<'a>,
    make: impl FnOnce(&dyn Pipeline) -> (Fact<'a>, Details<'a>),
) {
    with_pipeline(|pipeline| {
        if !pipeline.wants(topic, level, &source.logger) {
            return;
        }
        let (fact, Details { fields, tags }) = make(pipeline);
        Context::with_current(|context| {
            let event = Event { time: SystemTime::now(), level, source, context: context.scope(), fact, fields, tags };
            pipeline.emit(topic, event);
        });
    });
}

/// Emits an event that was made elsewhere, on behalf of the current context.
pub fn forward(topic: Topic, event: Event<'_>) {
    with_pipeline(|pipeline| {
        Context::with_current(|context| pipeline.emit(topic, Event { context: context.scope(), ..event }));
    });
}

/// Emits a fact without fields and tags of its own.
pub fn emit_fact<'a>(level: Level, source: Source<'a>, fact: Fact<'a>) {
    emit(Topic::Fact, level, source, |_| (fact, Details::default()));
}

/// Emits a fact on whose metrics a program's tags stand.
pub fn emit_tagged<'a>(level: Level, source: Source<'a>, fact: Fact<'a>, tags: &Tags) {
    emit(Topic::Fact, level, source, |_| (fact, Details { fields: Vec::new(), tags: tags.clone() }));
}

/// The source of an event about annotated code, or about code that was named by hand, of which no module is known.
pub fn source(place: Place) -> Source<'static> {
    let module = Some(place.module).filter(|module| !module.is_empty());
    Source {
        logger: Cow::Borrowed(module.unwrap_or("obs_runtime")),
        module: module.map(Cow::Borrowed),
        file: Some(Cow::Borrowed(place.file)),
        line: Some(place.line),
    }
}

/// The source of an event about code that called a function of ours.
pub fn caller(location: &'static std::panic::Location<'static>) -> Source<'static> {
    Source {
        logger: Cow::Borrowed("obs_runtime"),
        module: None,
        file: Some(Cow::Borrowed(location.file())),
        line: Some(location.line()),
    }
}

/// Flushes every sink of this moment's pipeline.
pub fn flush(mode: FlushMode) {
    if let Some(pipeline) = pipeline() {
        flush_all(&*pipeline, mode);
    }
}

/// Flushes every sink of a pipeline under its deadline, and warns of what could not be flushed, once for each reason.
pub fn flush_all(pipeline: &dyn Pipeline, mode: FlushMode) {
    for failure in pipeline.flush(mode) {
        warn(format!("could not flush {failure}"));
    }
}

/// Logs a warning of our own.
pub fn warn(message: String) {
    let source = Source { logger: Cow::Borrowed("obs_runtime"), ..Source::default() };
    emit(Topic::Log, Level::Warning, source, |_| (Fact::Log { message: message.into() }, Details::default()));
}

/// A text as it may leave, also when obs is not initialised.
pub fn redact(text: String) -> String {
    redact_named("", text)
}

/// The value of that name as it may leave, also when obs is not initialised.
pub fn redact_named(name: &str, text: String) -> String {
    static WITHOUT_PIPELINE: OnceLock<Redactor> = OnceLock::new();
    let text = text.into();
    let redacted = match pipeline() {
        Some(pipeline) => pipeline.named(name, text),
        None => WITHOUT_PIPELINE.get_or_init(|| Redactor::new(&[], None)).named(name, text),
    };
    redacted.into_owned()
}
