//! The current context. It is entered on a thread until its guard is dropped, and for a future whenever that is polled.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::context::on_enter::Entered;
use crate::context::remote_parent::RemoteParent;
use crate::context::scope_state;
use crate::events::active_span::{self, Active, Roots, SpanGuard};
use crate::events::command_run::CommandRun;
use crate::events::event::EventContext;
use crate::events::field::{Field, Value};
use crate::events::log_span::{self, EventSpans};
use crate::events::user::User;

/// The context that this process was started in. It applies wherever no other context is entered.
static ROOT: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// Stands for the span of a field that was set in a context that is not entered yet.
const NOT_ENTERED: u64 = u64::MAX;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context(None)) };
    static SCOPES: RefCell<ScopeStack> = const { RefCell::new(ScopeStack { open: Vec::new(), last: 0 }) };
}

/// Ids of the scopes that are entered on this thread, innermost last.
struct ScopeStack {
    open: Vec<u64>,
    last: u64,
}

/// The scopes that a future keeps entered across an `.await`. Boxed, as most futures have none and a vector would take three
/// words in each.
pub(super) type OpenScopes = Option<Box<Vec<u64>>>;

impl ScopeStack {
    /// Enters the scopes of a future again.
    fn append(&mut self, mut open: Vec<u64>) {
        self.open.append(&mut open);
        scope_state::set_open(self.open.len());
    }

    fn take_all(&mut self) -> Vec<u64> {
        scope_state::set_open(0);
        std::mem::take(&mut self.open)
    }

    fn enter(&mut self) -> u64 {
        self.last += 1;
        self.open.push(self.last);
        scope_state::set_open(self.open.len());
        self.last
    }

    /// Exits a scope and all scopes entered within it, whose ids are returned. Returns `None` if the scope was already exited
    /// with an outer one.
    fn exit(&mut self, id: u64) -> Option<Vec<u64>> {
        let at = self.open.iter().rposition(|open| *open == id)?;
        let within = self.open.split_off(at + 1);
        self.open.pop();
        scope_state::set_open(self.open.len());
        Some(within)
    }
}

/// What a command has changed in its own context, for its end on another thread. Contexts that are entered inside of the command
/// do not have it.
#[derive(Debug, Default)]
pub struct CommandChanges(Mutex<Option<EndIdentity>>);

#[derive(Clone, Debug)]
struct EndIdentity {
    correlation_id: Option<Arc<str>>,
    user: Option<User>,
}

impl CommandChanges {
    fn record(&self, context: &Context) {
        let identity = context
            .0
            .as_deref()
            .map(|inner| EndIdentity { correlation_id: inner.correlation_id.clone(), user: inner.user.clone() });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// The context of a command with its changes.
    pub fn applied_to(&self, context: &Context) -> Context {
        let mut context = context.clone();
        // The end of the process does not wait for a thread that was stopped.
        let identity = self.0.try_lock().ok().and_then(|identity| identity.clone());
        if let Some(EndIdentity { correlation_id, user }) = identity {
            context.change(|inner| (inner.correlation_id, inner.user) = (correlation_id, user));
        }
        context
    }
}

/// The context of a call. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Context(pub(super) Option<Arc<Inner>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    correlation_id: Option<Arc<str>>,
    user: Option<User>,
    operation: Option<Cow<'static, str>>,
    trace: Option<TraceContext>,
    fields: Vec<Field<'static>>,
    /// For each field, the span in which it was set: the one that is current when the context is entered.
    field_serials: Vec<u64>,
    tags: Vec<Field<'static>>,
    level: Option<Level>,
    extensions: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Context {
    /// The current context of this thread.
    #[must_use]
    pub fn current() -> Self {
        Self::entered().unwrap_or_else(|| Self(ROOT.load_full()))
    }

    /// The context that is entered on this thread.
    pub(super) fn entered() -> Option<Self> {
        let entered = CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default();
        entered.0.is_some().then_some(entered)
    }

    /// Whether a context is entered on this thread.
    pub fn is_entered() -> bool {
        CURRENT.try_with(|current| current.borrow().0.is_some()).unwrap_or(false)
    }

    /// Sets the context that applies wherever no other is entered.
    pub fn set_root(context: Option<Self>) {
        ROOT.store(context.and_then(|context| context.0));
    }

    /// Calls `read` with the current context.
    pub fn with_current<R>(read: impl FnOnce(&Self) -> R) -> R {
        // A clone, not a borrow, as `read` may enter a context.
        read(&Self::current())
    }

    /// Makes this the current context until the guard is dropped.
    #[must_use = "the context is exited when the guard is dropped"]
    pub fn enter(self) -> ContextGuard {
        let boundary = self.boundary().map(active_span::enter);
        let mut guard = self.within_command().enter_unchanged();
        guard.span = boundary;
        guard
    }

    /// What is active in a scope of the program with this context, if it is not what is active around it.
    pub(super) fn boundary(&self) -> Option<Active> {
        let roots = active_span::roots();
        let remote = || self.extension::<RemoteParent>().filter(|_| roots != Roots::Never);
        match active_span::current() {
            Active::Span(span) => {
                let other = remote().filter(|remote| !remote.trace.is_of_same_trace(&span.buffer.trace()));
                other.map(|_| Active::boundary())
            }
            Active::NotRecorded(_) => remote().map(|_| Active::boundary()),
            Active::Boundary { .. } => None,
            Active::Nothing => match self.extension::<CommandRun>() {
                // The context of a command, on another thread.
                Some(run) => Some(run.active()),
                None if roots == Roots::Always => Some(Active::boundary()),
                None => remote().map(|_| Active::boundary()),
            },
        }
    }

    /// What the caller's tracing systems have said of that trace, if it is the caller's.
    pub fn trace_state(&self, trace: &TraceContext) -> Option<TraceState> {
        let parent = self.extension::<RemoteParent>()?;
        parent.state.clone().filter(|_| parent.trace.is_of_same_trace(trace))
    }

    /// The same for the context of a command: [`CommandChanges`] records what is changed in it.
    #[must_use = "the context is exited when the guard is dropped"]
    pub fn enter_unchanged(self) -> ContextGuard {
        let id = SCOPES.try_with(|scopes| scopes.borrow_mut().enter()).unwrap_or_default();
        let entered = Entered::of(|| self.extension());
        let previous = Self::replace(self.in_current_span());
        ContextGuard { id, previous, span: None, entered, not_send: PhantomData }
    }

    /// Notes the current span for the fields that were set since the context was entered last.
    fn in_current_span(mut self) -> Self {
        if self.0.as_ref().is_some_and(|inner| inner.field_serials.contains(&NOT_ENTERED)) {
            let serial = log_span::current_serial();
            let entered = |set_in: &mut u64| *set_in = if *set_in == NOT_ENTERED { serial } else { *set_in };
            self.change(|inner| inner.field_serials.iter_mut().for_each(entered));
        }
        self
    }

    /// Enters the context of a future again, with the scopes that the future keeps entered.
    pub(super) fn resume(&self, open: &mut OpenScopes) -> ContextGuard {
        let guard = self.clone().enter_unchanged();
        if let Some(open) = open.take() {
            let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().append(*open));
        }
        guard
    }

    /// Enters what a future has kept of the scope of its own, where nothing is entered.
    pub(super) fn enter_kept(self, open: OpenScopes) {
        Self::replace(self);
        if let Some(open) = open {
            let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().append(*open));
        }
        scope_state::set_changed();
    }

    /// Leaves everything that is entered, for a future to keep.
    pub(super) fn leave_kept() -> (Self, OpenScopes) {
        let open = SCOPES.try_with(|scopes| scopes.borrow_mut().take_all()).unwrap_or_default();
        (Self::replace(Self::default()), (!open.is_empty()).then(|| Box::new(open)))
    }

    /// Changes the current context until its scope ends. Does nothing outside of any scope, and returns false.
    pub(super) fn change_current(change: impl FnOnce(&mut Self)) -> bool {
        if scope_state::is_outside() {
            return false;
        }
        let mut context = Self::current();
        change(&mut context);
        if let Some(changes) = context.extension::<CommandChanges>() {
            changes.record(&context);
        }
        Self::replace(context);
        scope_state::set_changed();
        true
    }

    pub(super) fn replace(context: Self) -> Self {
        CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
    }

    /// A context inside of a command, whose changes are not those of the command.
    pub(super) fn within_command(mut self) -> Self {
        if self.extension::<CommandChanges>().is_some() {
            self.change(|inner| inner.extensions.retain(|other| !other.is::<CommandChanges>()));
        }
        self
    }

    fn change(&mut self, change: impl FnOnce(&mut Inner)) {
        change(Arc::make_mut(self.0.get_or_insert_default()));
    }

    /// Attaches an extension, in place of one of the same type.
    pub fn set_extension<T: Any + Send + Sync>(&mut self, extension: Arc<T>) {
        self.change(|inner| {
            inner.extensions.retain(|other| !other.is::<T>());
            inner.extensions.push(extension);
        });
    }

    /// The extension of type `T`.
    #[must_use]
    pub fn extension<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let inner = self.0.as_ref()?;
        inner.extensions.iter().find_map(|extension| Arc::clone(extension).downcast().ok())
    }

    /// The correlation id.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.as_ref()?.correlation_id.as_deref()
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.as_ref()?.operation.as_deref()
    }

    /// Sets the correlation id.
    pub fn set_correlation_id(&mut self, id: &str) {
        self.change(|inner| inner.correlation_id = Some(id.into()));
    }

    /// Sets the user.
    pub fn set_user(&mut self, user: User) {
        self.change(|inner| inner.user = Some(user));
    }

    /// Sets the operation.
    pub fn set_operation(&mut self, operation: Cow<'static, str>) {
        self.change(|inner| inner.operation = Some(operation));
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.0.as_ref()?.trace
    }

    /// Sets the trace.
    pub fn set_trace(&mut self, trace: TraceContext) {
        self.change(|inner| inner.trace = Some(trace));
    }

    /// Sets a field, in place of one of the same name.
    pub fn set_field(&mut self, name: Cow<'static, str>, value: Value<'static>) {
        self.change(|inner| {
            let known = inner.fields.iter().position(|field| field.name == name);
            let index = known.unwrap_or(inner.fields.len());
            if known.is_none() {
                inner.fields.push(Field { name, value });
                inner.field_serials.push(NOT_ENTERED);
            } else {
                inner.fields[index].value = value;
                inner.field_serials[index] = NOT_ENTERED;
            }
        });
    }

    /// Sets a tag of error events, in place of one of the same name.
    pub fn set_tag(&mut self, name: Cow<'static, str>, value: Value<'static>) {
        self.change(|inner| {
            inner.tags.retain(|tag| tag.name != name);
            inner.tags.push(Field { name, value });
        });
    }

    /// Sets the level of error events.
    pub fn set_level(&mut self, level: Level) {
        self.change(|inner| inner.level = Some(level));
    }

    /// The context of an event.
    #[must_use]
    pub fn event_context(&self) -> EventContext<'_> {
        self.0.as_ref().map_or_else(EventContext::default, |inner| EventContext {
            correlation_id: inner.correlation_id.as_deref().map(Cow::Borrowed),
            user: inner.user.as_ref().map(|user| Cow::Borrowed(user.id())),
            contact: inner.user.as_ref().and_then(User::contact).cloned(),
            operation: inner.operation.as_deref().map(Cow::Borrowed),
            trace: inner.trace,
            fields: Cow::Borrowed(&inner.fields),
            field_serials: &inner.field_serials,
            spans: EventSpans::None,
            tags: Cow::Borrowed(&inner.tags),
            level: inner.level,
        })
    }
}

/// Exits a context when it is dropped, also during a panic. It cannot be sent to another thread.
///
/// Guards should be dropped in the reverse order of their creation. A guard that is dropped before a guard of an inner scope
/// exits that scope too.
#[derive(Debug)]
pub struct ContextGuard {
    id: u64,
    previous: Context,
    span: Option<SpanGuard>,
    entered: Option<Box<Entered>>,
    not_send: PhantomData<*const ()>,
}

impl ContextGuard {
    /// Exits the context, and returns the ids of the scopes that were still entered within it.
    pub(super) fn exit(&mut self) -> Vec<u64> {
        drop(self.entered.take());
        let inner = SCOPES.try_with(|scopes| scopes.borrow_mut().exit(self.id)).ok().flatten();
        let Some(inner) = inner else {
            self.span.take().into_iter().for_each(SpanGuard::dismiss);
            return Vec::new();
        };
        drop(self.span.take());
        let previous = std::mem::take(&mut self.previous);
        // A guard may outlive the scope that it was made in, which must not come back.
        drop(Context::replace(if scope_state::is_outside() { Context::default() } else { previous }));
        inner
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        self.exit();
    }
}
