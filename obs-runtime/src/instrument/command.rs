//! Commands and feature usage.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::base::call_scope::ScopeGuard;
use crate::base::level::Level;
use crate::config::otlp::OtlpSignal;
use crate::context::current::{CommandChanges, Context, ContextGuard};
use crate::context::in_context::InContext;
use crate::context::scope::new_correlation_id;
use crate::events::active_span::{Active, ActiveSpan, SpanGuard};
use crate::events::command_run::{CommandRun, note_outermost};
use crate::events::event::Fact;
use crate::events::failure::Failure;
use crate::events::panics;
use crate::events::span::TraceRoot;
use crate::events::span_beginning::Beginning;
#[cfg(feature = "cli")]
use crate::instrument::argument_usage;
use crate::instrument::call::command_finisher::CommandFinisher;
use crate::instrument::call::end_flush::EndFlush;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::command_future::{AtEnd, CommandFuture, Noted};
use crate::instrument::error_dedup::pending_error::CommandLayer;
use crate::instrument::performance::judge_displayed;
use crate::instrument::spending::CommandSpending;
use crate::metrics::callsite::Callsite;
#[cfg(unix)]
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::registry;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;
use crate::pipeline::traces::{record, root_of};

/// A running command, an extension of the context inside it: nested commands find the outer one, and
/// [`exit`](crate::exit) the commands to finish.
struct RunningCommand {
    finisher: CommandFinisher,
    outer: Option<Arc<RunningCommand>>,
    spending: Arc<CommandSpending>,
    /// The context inside the command, for its end on another thread, and what the command has changed in it.
    context: Context,
    changes: Arc<CommandChanges>,
    /// The pipeline that it reports to. Does not keep it alive.
    pipeline: Option<Weak<dyn Pipeline>>,
}

/// The running commands of all threads. Finished ones are removed when the next command starts.
static RUNNING: Mutex<Vec<Weak<RunningCommand>>> = Mutex::new(Vec::new());

/// The context inside a command, and its span if it begins a trace. The outermost command flushes every exporter when it ends.
fn command_context(call: &mut Call) -> (Context, Active) {
    let mut context = Context::current();
    if !call.is_on() {
        return (context, Active::Nothing);
    }
    let outer = context.extension::<RunningCommand>();
    call.set_flushes(if outer.is_none() { EndFlush::Wait } else { EndFlush::No });
    if outer.is_none() {
        note_outermost(call.callsite().name());
    }
    if context.correlation_id().is_none() {
        context.set_correlation_id(&new_correlation_id());
    }
    context.set_operation(Cow::Borrowed(call.callsite().name()));
    if let Some(user) = call.entry().and_then(|entry| entry.user.as_deref()) {
        context.set_user(user.into());
    }
    let active = if outer.is_none() { begin_trace(&mut context, &call.beginning(false)) } else { Active::Nothing };
    let run = Arc::new(CommandRun::begin(context.extension::<CommandRun>(), call.callsite().cron_schedule(), &active));
    call.set_run(Arc::clone(&run));
    context.set_extension(Arc::new(CommandLayer(call.layer())));
    context.set_extension(run);
    let spending = CommandSpending::begin(call.callsite(), &mut context);
    let changes = Arc::<CommandChanges>::default();
    let command = Arc::new(RunningCommand {
        finisher: call.finisher(),
        outer,
        spending,
        context: context.clone(),
        changes: Arc::clone(&changes),
        pipeline: global::pipeline().map(|pipeline| Arc::downgrade(&pipeline)),
    });
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|command| command.strong_count() > 0);
    running.push(Arc::downgrade(&command));
    drop(running);
    // The context does not outlive its thread's storage, which `std::process::exit` destroys first.
    call.keep(Arc::clone(&command) as _);
    context.set_extension(command);
    context.set_extension(changes);
    (context, active)
}

/// Begins the command's trace, or its span in the trace of its caller. Records spans if the command is sampled and an exporter
/// wants them.
///
/// The caller decides whether the command is sampled; without a caller, the rate of the configuration does. The decision is the
/// flag of `traceparent`, also if no exporter wants spans.
fn begin_trace(context: &mut Context, beginning: &Beginning) -> Active {
    let Some(pipeline) = global::pipeline() else { return Active::Nothing };
    let config = pipeline.config();
    let root = TraceRoot { is_command: true, ..root_of(context) };
    let (root, buffer) = record(&*pipeline, beginning, root, None, context.trace_state(&root.trace));
    let is_sampled = root.decision.unwrap_or_else(|| {
        root.trace.is_sampled()
            || root.caller.and_then(|caller| caller.decision()).unwrap_or_else(|| {
                config.exports_otlp(OtlpSignal::Traces) && config.trace_sampler().samples(&root.trace, None)
            })
    });
    let trace = root.trace.with_sampled(is_sampled);
    context.set_trace(trace);
    match buffer {
        Some(buffer) => Active::Span(ActiveSpan { buffer, id: root.trace.span() }),
        None => Active::NotRecorded(config.exports_otlp(OtlpSignal::Traces).then_some(trace)),
    }
}

impl RunningCommand {
    fn end_context(&self) -> Context {
        self.changes.applied_to(&self.context)
    }

    /// Ends the command in the context that it began in, unless it has ended. Returns whether `end` has ended it.
    fn end(&self, end: impl FnOnce(&CommandFinisher) -> bool) -> bool {
        if self.finisher.has_ended() {
            return false;
        }
        let _context = self.end_context().enter();
        self.spending.report();
        end(&self.finisher)
    }
}

/// Ends all running commands, because the process is about to exit with this code: those around the caller, innermost first,
/// by the exit code, all others as cancelled.
pub fn end_commands(exit_code: u8) {
    let innermost = Context::current().extension::<RunningCommand>();
    for command in std::iter::successors(innermost.as_deref(), |command| command.outer.as_deref()) {
        command.end(|finisher| {
            finisher.end_by_exit(exit_code);
            true
        });
    }
    cancel_commands("exit", "the program exited on another thread", Some(exit_code));
}

/// Ends all running commands, the last started first, because a panic is about to abort the process.
pub fn panic_commands() {
    let Ok(mut running) = RUNNING.try_lock() else { return };
    let running: Vec<_> = std::mem::take(&mut *running).iter().rev().filter_map(Weak::upgrade).collect();
    for command in &running {
        let _context = command.end_context().enter();
        command.finisher.end_by_panic();
    }
}

/// Whether a command is running.
#[cfg(unix)]
pub fn is_any_running() -> bool {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().filter_map(Weak::upgrade).any(|command| !command.finisher.has_ended())
}

/// The commands that were ended from outside.
#[derive(Debug, Default)]
pub struct Cancelled {
    /// Their names, the last started first.
    pub names: Vec<&'static str>,
    /// The context of the one that was started last.
    pub context: Option<Context>,
}

/// Ends all running commands as cancelled, the last started first, because something is about to end the process.
pub fn cancel_commands(error_type: &'static str, reason: &'static str, exit_code: Option<u8>) -> Cancelled {
    cancel_where(error_type, reason, exit_code, |_| true)
}

/// Ends the running commands of a pipeline that is about to be closed, except those around the caller, as cancelled.
pub fn cancel_commands_of(pipeline: &dyn Pipeline) {
    let innermost = Context::current().extension::<RunningCommand>();
    let is_around = |command: &RunningCommand| {
        let around = std::iter::successors(innermost.as_deref(), |around| around.outer.as_deref());
        around.into_iter().any(|around| std::ptr::eq(around, command))
    };
    let is_of = |command: &RunningCommand| {
        command.pipeline.as_ref().is_some_and(|known| std::ptr::addr_eq(known.as_ptr(), &raw const *pipeline))
    };
    cancel_where("shutdown", "obs was shut down", None, |command| is_of(command) && !is_around(command));
}

fn cancel_where(
    error_type: &'static str,
    reason: &'static str,
    exit_code: Option<u8>,
    applies_to: impl Fn(&RunningCommand) -> bool,
) -> Cancelled {
    let running: Vec<_> =
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
    let mut cancelled = Cancelled::default();
    for command in running.iter().rev().filter(|command| applies_to(command)) {
        if command.end(|finisher| finisher.cancel(&Failure::words(error_type, reason), exit_code)) {
            cancelled.names.push(command.finisher.name());
            cancelled.context.get_or_insert_with(|| command.end_context());
        }
    }
    cancelled
}

/// The names of the operations that are running, without duplicates.
#[cfg(unix)]
pub fn running_operations() -> Vec<&'static str> {
    let is_running = |callsite: &&'static Callsite| {
        let mut running = 0;
        callsite.for_each_total(|_, totals, _| running += totals.active());
        running > 0
    };
    let operations = registry::callsites().into_iter().filter(|callsite| callsite.kind() != CallsiteKind::Command);
    let mut names: Vec<_> = operations.filter(is_running).map(Callsite::name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Reports the cost of the current command, before it ends.
fn report_spending() {
    if let Some(spending) = Context::current().extension::<CommandSpending>() {
        spending.report();
    }
}

/// A command that runs while obs is off.
struct Unrecorded(&'static Callsite);

impl Unrecorded {
    fn begin(call: &Call) -> Self {
        call.callsite().unrecorded().fetch_add(1, Ordering::Relaxed);
        Self(call.callsite())
    }
}

impl Drop for Unrecorded {
    fn drop(&mut self) {
        self.0.unrecorded().fetch_sub(1, Ordering::Relaxed);
    }
}

/// The names of running commands that were started while obs was off.
pub fn unrecorded_commands() -> Vec<&'static str> {
    let is_running = |callsite: &&'static Callsite| callsite.unrecorded().load(Ordering::Relaxed) > 0;
    registry::callsites().into_iter().filter(is_running).map(Callsite::name).collect()
}

/// Runs the body of a function with `#[tracked_command]`.
pub fn command<R>(mut call: Call, body: impl FnOnce() -> R, judge: impl FnOnce(&R, &mut Call) -> bool) -> R {
    if !call.is_on() {
        let _unrecorded = Unrecorded::begin(&call);
        return body();
    }
    let (context, active) = command_context(&mut call);
    let (_inside, _span) = (context.enter_unchanged(), active.inherit());
    let _scope = call.enclose();
    // Declared after the context, so that a panic also ends the call inside it.
    let mut call = call;
    call.report_start();
    #[cfg(feature = "cli")]
    argument_usage::begun(call.callsite().name());
    let value = panics::noted(call.start(), body);
    report_spending();
    judge(&value, &mut call);
    value
}

/// A command that ends on drop, without an error.
pub struct CommandInPlace {
    call: Call,
    /// Whether it started while the thread was already panicking, in a destructor.
    in_panic: bool,
    _unrecorded: Option<Unrecorded>,
    _scope: Option<ScopeGuard<'static>>,
    _span: Option<SpanGuard>,
    _inside: Option<ContextGuard>,
}

/// Like [`command`], for a function whose body stays its own. The command ends when the returned value is dropped.
#[must_use]
pub fn command_in_place(mut call: Call) -> CommandInPlace {
    let in_panic = std::thread::panicking();
    if !call.is_on() {
        let unrecorded = Some(Unrecorded::begin(&call));
        return CommandInPlace { call, in_panic, _unrecorded: unrecorded, _scope: None, _span: None, _inside: None };
    }
    let (context, active) = command_context(&mut call);
    let (inside, span) = (Some(context.enter_unchanged()), active.inherit());
    let scope = call.enclose();
    call.report_start();
    #[cfg(feature = "cli")]
    argument_usage::begun(call.callsite().name());
    CommandInPlace { call, in_panic, _unrecorded: None, _scope: scope, _span: span, _inside: inside }
}

impl Drop for CommandInPlace {
    fn drop(&mut self) {
        // Otherwise the drop of the call reports the panic.
        if self.call.is_on() && (!std::thread::panicking() || self.in_panic && !self.call.has_panicked()) {
            report_spending();
            self.call.finish(None);
        }
    }
}

/// Like [`command`], for an async function. The flush at its end does not block the executor: it runs on another thread, and the
/// future waits for it if `A` says so. If the future is dropped before its end, nothing waits.
pub fn command_async<F, J, A>(mut call: Call, future: F, judge: J, _: A) -> impl Future<Output = F::Output>
where
    F: Future,
    A: AtEnd<F::Output>,
    J: FnOnce(&F::Output, &mut Call) -> bool,
{
    let (context, active) = command_context(&mut call);
    let flushes = call.set_flushes_in_background();
    if call.is_on() {
        let (_inside, _span) = (context.clone().enter(), active.inherit());
        call.report_start();
        #[cfg(feature = "cli")]
        argument_usage::begun(call.callsite().name());
    } else {
        let unrecorded = Arc::new(Unrecorded::begin(&call));
        call.keep(unrecorded);
    }
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        if call.is_on() {
            // The future requests the flush, to wait for it.
            call.set_flushes(EndFlush::No);
            report_spending();
            judge(value, call);
        }
    };
    InContext::of_command(
        context,
        active,
        CommandFuture::<_, _, _, A>::new(call, flushes, Noted::new(future), judge, end),
    )
}

/// Runs a closure as a command, like `#[tracked_command]`: it sets the context, logs start and finish and measures
/// `cli.command.*`.
///
/// # Errors
/// The error of the closure, unchanged.
///
/// ```
/// let rows = obs_runtime::track_cli_command("import", || Ok::<_, std::io::Error>(3))?;
/// assert_eq!(rows, 3);
/// # Ok::<_, std::io::Error>(())
/// ```
#[track_caller]
pub fn track_cli_command<T, E: std::fmt::Display>(
    name: impl Into<Cow<'static, str>>,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    match Call::manual(name.into(), true, Location::caller()) {
        Some(call) => command(call, run, judge_displayed),
        None => run(),
    }
}

/// Counts the use of a feature: `cli.feature.usage{feature}`. Use few distinct names; above `OBS_MAX_SERIES` they are counted
/// as `other`.
#[track_caller]
pub fn track_feature(feature: impl Into<Cow<'static, str>>) {
    let source = global::caller(Location::caller());
    global::emit_fact(Level::Debug, source, Fact::FeatureUsed { feature: feature.into() });
}
