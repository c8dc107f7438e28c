//! The pipeline of a call: the one scoped to its context (in a test), else the installed one, else none.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "sentry"))]
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::base::clock;
use crate::base::level::Level;
use crate::context::current::Context;
#[cfg(feature = "testing")]
use crate::context::on_enter::OnEnter;
use crate::events::active_span;
use crate::events::event::{Details, Event, EventContext, Fact, HELP, Source};
use crate::events::field::Field;
use crate::events::log_span::{self, EventSpans};
use crate::events::program_trace::{self, ProgramTrace};
use crate::exporters::interface::Topic;
use crate::metrics::callsite::{SourceLocation, Tags};
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "sentry"))]
use crate::metrics::delivery_stats;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::interface::Pipeline;
use crate::pipeline::log_bridge;
use crate::redact::redactor::Redactor;

/// `ArcSwapOption` needs a thin pointer, therefore the second `Arc`.
static INSTALLED: ArcSwapOption<Arc<dyn Pipeline>> = ArcSwapOption::const_empty();

/// How many scoped pipelines exist.
static SCOPED: AtomicUsize = AtomicUsize::new(0);

/// The cached [`Interest`] of the pipeline, which every call reads first.
static INTEREST: AtomicU8 = AtomicU8::new(Interest::OFF.0);

/// What the pipeline wants of calls: nothing, counts only, or also events of single calls from some level on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    const OFF: Self = Self(u8::MAX);
    const COUNTS_ONLY: Self = Self(u8::MAX - 1);

    /// Whether nothing is wanted, not even counts.
    #[inline]
    pub const fn is_off(self) -> bool {
        self.0 == Self::OFF.0
    }

    /// Whether an exporter may want single calls of that level.
    #[inline]
    pub const fn may_want(self, level: Level) -> bool {
        level as u8 >= self.0
    }

    /// The lowest level at which an exporter may want calls or log lines.
    pub fn least(self) -> Option<Level> {
        Level::ALL.get(usize::from(self.0)).copied()
    }
}

/// The current interest.
#[inline]
pub fn interest() -> Interest {
    Interest(INTEREST.load(Ordering::Relaxed))
}

/// Computes the interest again after pipelines or filters have changed.
pub fn refresh_interest() {
    /// Held while computing and storing, so that the value stored last is the one computed last.
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
    // `tracing` caches the interest of each of its call sites.
    tracing_core::callsite::rebuild_interest_cache();
    log_bridge::update_max_level();
}

/// Installs a pipeline for the whole program.
///
/// # Errors
/// Returns the pipeline when one is installed already.
pub fn install(pipeline: Arc<dyn Pipeline>) -> Result<(), Arc<dyn Pipeline>> {
    let previous = INSTALLED.compare_and_swap(&None::<Arc<_>>, Some(Arc::new(Arc::clone(&pipeline))));
    if previous.is_some() {
        return Err(pipeline);
    }
    program_trace::set(pipeline.config().program_trace.clone());
    log_span::set_tells_closes(pipeline.config().log_span_close);
    refresh_interest();
    Ok(())
}

/// Whether a pipeline is installed.
pub fn is_installed() -> bool {
    INSTALLED.load().is_some()
}

/// Removes the installed pipeline.
pub fn uninstall() {
    INSTALLED.store(None);
    program_trace::set(ProgramTrace::default());
    refresh_interest();
}

/// A pipeline that is used only in contexts made by [`context`](Self::context), until it is dropped.
#[cfg(feature = "testing")]
pub struct ScopedPipeline {
    pipeline: Arc<dyn Pipeline>,
    on_enter: Arc<OnEnter>,
}

#[cfg(feature = "testing")]
impl ScopedPipeline {
    /// Scopes a pipeline, and what is entered with its contexts.
    pub fn new(pipeline: Arc<dyn Pipeline>, on_enter: OnEnter) -> Self {
        SCOPED.fetch_add(1, Ordering::SeqCst);
        refresh_interest();
        Self { pipeline, on_enter: Arc::new(on_enter) }
    }

    /// The pipeline.
    pub const fn pipeline(&self) -> &Arc<dyn Pipeline> {
        &self.pipeline
    }

    /// The current context with this pipeline in it.
    pub fn context(&self) -> Context {
        let mut context = Context::current();
        context.set_extension(Arc::new(Carried(Arc::clone(&self.pipeline))));
        context.set_extension(Arc::clone(&self.on_enter));
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

/// A context's scoped pipeline.
struct Carried(Arc<dyn Pipeline>);

/// The pipeline that is scoped to the current context.
fn scoped() -> Option<Arc<Carried>> {
    if SCOPED.load(Ordering::Relaxed) > 0 { Context::current().extension::<Carried>() } else { None }
}

/// Whether the current context has a pipeline of its own.
#[cfg(feature = "_user-metrics")]
pub fn is_scoped() -> bool {
    scoped().is_some()
}

/// The pipeline of the current context.
pub fn pipeline() -> Option<Arc<dyn Pipeline>> {
    if interest().is_off() {
        return None;
    }
    match scoped() {
        Some(scoped) => Some(Arc::clone(&scoped.0)),
        None => INSTALLED.load().as_deref().map(Arc::clone),
    }
}

/// Like [`pipeline`], without touching a reference count that all threads share.
fn with_pipeline<R>(with: impl FnOnce(&dyn Pipeline) -> R) -> Option<R> {
    if interest().is_off() {
        return None;
    }
    match scoped() {
        Some(scoped) => Some(with(&*scoped.0)),
        None => INSTALLED.load().as_deref().map(|pipeline| with(&**pipeline)),
    }
}

/// Whether all code uses the same pipeline.
pub fn has_no_scoped_pipeline() -> bool {
    SCOPED.load(Ordering::SeqCst) == 0
}

/// Whether an exporter wants such an event.
pub fn wants(topic: Topic, level: Level, logger: &str) -> bool {
    with_pipeline(|pipeline| pipeline.wants(topic, level, logger)).unwrap_or(false)
}

/// Emits an event of the current context. `make` runs only if an exporter wants the event.
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
        let spans = EventSpans::current();
        let context = Context::of_event(&spans);
        // A span of a trace has fields of its own. Those of all spans around would cost more the deeper it is nested.
        let spans = if matches!(fact, Fact::Traced(_)) { EventSpans::None } else { spans };
        let context = event_context(&context, spans);
        pipeline.emit(topic, Event { time: clock::wall(), level, source, context, fact, fields, tags });
    });
}

/// The context of an event, with the active span.
fn event_context(context: &Context, spans: EventSpans) -> EventContext<'_> {
    let of_context = context.event_context();
    EventContext { trace: active_span::trace().or(of_context.trace), spans, ..of_context }
}

/// Emits an event with the current context and its own spans.
pub fn forward(topic: Topic, event: Event<'_>) {
    with_pipeline(|pipeline| {
        let spans = event.context.spans.clone();
        let context = Context::of_event(&spans);
        pipeline.emit(topic, Event { context: event_context(&context, spans), ..event });
    });
}

/// Emits a fact without fields and tags of its own.
pub fn emit_fact<'a>(level: Level, source: Source<'a>, fact: Fact<'a>) {
    emit(Topic::Fact, level, source, |_| (fact, Details::default()));
}

/// Emits a fact whose metrics carry the program's tags.
pub fn emit_tagged<'a>(level: Level, source: Source<'a>, fact: Fact<'a>, tags: &Tags) {
    emit(Topic::Fact, level, source, |_| (fact, Details { fields: Vec::new(), tags: tags.clone() }));
}

/// The source of an event about a call site. The module is empty for an operation named at run time.
pub fn source(place: SourceLocation) -> Source<'static> {
    let module = Some(place.module).filter(|module| !module.is_empty());
    Source {
        logger: Cow::Borrowed(module.unwrap_or("obs_runtime")),
        module: module.map(Cow::Borrowed),
        file: Some(Cow::Borrowed(place.file)),
        line: Some(place.line),
    }
}

/// The source of an event about a call of a function of obs.
pub fn caller(location: &'static std::panic::Location<'static>) -> Source<'static> {
    Source {
        logger: Cow::Borrowed("obs_runtime"),
        module: None,
        file: Some(Cow::Borrowed(location.file())),
        line: Some(location.line()),
    }
}

/// Flushes every exporter of the current pipeline.
pub fn flush(mode: FlushMode) {
    if let Some(pipeline) = pipeline() {
        flush_all(&*pipeline, mode);
    }
}

/// Flushes every exporter of a pipeline under its deadline, and warns once of each failure. Waits for flushes in the background
/// first, whose data may still be on its way.
pub fn flush_all(pipeline: &dyn Pipeline, mode: FlushMode) {
    if let Some(begun) = mode.begun() {
        pipeline.background_flush().wait(clock::deadline(begun, pipeline.config().flush_timeout));
    }
    deliver(pipeline, mode);
}

/// Like [`flush_all`], without waiting for flushes in the background.
pub fn deliver(pipeline: &dyn Pipeline, mode: FlushMode) {
    for failure in pipeline.flush(mode) {
        warn_with_help(help_of(failure.sink), format!("failed to flush exporter {failure}"));
    }
}

/// Records the result of a delivery at another time than a flush, and warns when it failed for another reason than the one before.
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "sentry"))]
pub fn record_delivery(sink: &'static str, duration: Duration, result: Result<(), String>) {
    let result = result.map_err(redact);
    let failure = result.clone().err();
    if delivery_stats::record(sink, duration, result)
        && let Some(failure) = failure
    {
        warn_with_help(help_of(sink), format!("{sink}: {failure}"));
    }
}

/// The entry about an exporter that does not deliver.
fn help_of(sink: &str) -> &'static str {
    match sink {
        "sentry" => "no-sentry-events",
        "datadog" => "datadog-not-delivered",
        "pushgateway" => "pushgateway-not-delivered",
        "textfile" => "textfile-not-written",
        sink if sink.starts_with("otlp") => "otlp-not-delivered",
        _ => "not-delivered",
    }
}

/// Logs a warning of obs itself.
pub fn warn(message: String) {
    say(Level::Warning, message, None);
}

/// Logs a warning of obs itself with the name of the entry in the chapter on troubleshooting that says more.
pub fn warn_with_help(entry: &'static str, message: String) {
    say(Level::Warning, message, Some(entry));
}

/// Emits a line of obs itself that is no warning.
pub fn inform(message: String) {
    say(Level::Info, message, None);
}

fn say(level: Level, message: String, help: Option<&'static str>) {
    let source = Source { logger: Cow::Borrowed("obs_runtime"), ..Source::default() };
    let fields = help.map(|entry| Field::new(HELP, entry)).into_iter().collect();
    let details = Details { fields, ..Details::default() };
    emit(Topic::Log, level, source, |_| (Fact::Log { message: message.into() }, details));
}

/// Redacts a text, also when obs is not initialised.
pub fn redact(text: String) -> String {
    redact_named("", text)
}

/// Redacts the value of that name, also when obs is not initialised.
pub fn redact_named(name: &str, text: String) -> String {
    static WITHOUT_PIPELINE: OnceLock<Redactor> = OnceLock::new();
    let text = text.into();
    let redacted = match pipeline() {
        Some(pipeline) => pipeline.named(name, text),
        None => WITHOUT_PIPELINE.get_or_init(|| Redactor::new(&[], None)).named(name, text),
    };
    redacted.into_owned()
}
