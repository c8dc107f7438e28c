//! What travels with a call: correlation id, user, operation, and what features hang onto it.
//!
//! A context belongs to a thread while a scope is entered there, and to a future while that is polled.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::base::trace_context::TraceContext;
use crate::events::event::EventContext;
use crate::events::field::{Field, Value};

/// What this process was started on behalf of: there is no scope outside of it.
static ROOT: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context(None)) };
    static OPEN: RefCell<Scopes> = const { RefCell::new(Scopes { open: Vec::new(), last: 0 }) };
}

/// The scopes that are entered on this thread, by number, innermost last.
struct Scopes {
    open: Vec<u64>,
    last: u64,
}

/// The scopes that a future holds over a pause. Few do, so that no other is larger for it: a vector is three times the
/// size of its box.
pub(super) type OpenScopes = Option<Box<Vec<u64>>>;

impl Scopes {
    fn enter(&mut self) -> u64 {
        self.last += 1;
        self.open.push(self.last);
        self.last
    }

    /// Leaves a scope with all that were entered within it, and says which; none if it has been left with one around it.
    fn leave(&mut self, number: u64) -> Option<Vec<u64>> {
        let at = self.open.iter().rposition(|open| *open == number)?;
        let within = self.open.split_off(at + 1);
        self.open.pop();
        Some(within)
    }
}

/// What travels with a call. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Context(pub(super) Option<Arc<Inner>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    correlation_id: Option<Arc<str>>,
    user: Option<Arc<str>>,
    operation: Option<Cow<'static, str>>,
    trace: Option<TraceContext>,
    fields: Vec<Field<'static>>,
    carried: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Context {
    /// The context of this moment on this thread.
    #[must_use]
    pub fn current() -> Self {
        let here = CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default();
        if here.0.is_some() { here } else { Self(ROOT.load_full()) }
    }

    /// Makes this the context of all code that is in no scope; none, so that such code has no context.
    pub fn set_root(context: Option<Self>) {
        ROOT.store(context.and_then(|context| context.0));
    }

    /// Reads the context of this moment.
    pub fn with_current<R>(read: impl FnOnce(&Self) -> R) -> R {
        // A clone, not a borrow, is what `read` runs under: it may enter scopes of its own.
        read(&Self::current())
    }

    /// Makes this the current context until the guard is dropped.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(self) -> ContextGuard {
        let number = OPEN.try_with(|scopes| scopes.borrow_mut().enter()).unwrap_or_default();
        ContextGuard { number, previous: Self::replace(self), here: PhantomData }
    }

    /// Enters the context of a future, and the scopes that it had not left.
    pub(super) fn enter_again(&self, open: &mut OpenScopes) -> ContextGuard {
        let inside = self.clone().enter();
        if let Some(mut open) = open.take() {
            let _ = OPEN.try_with(|scopes| scopes.borrow_mut().open.append(&mut open));
        }
        inside
    }

    pub(super) fn replace(context: Self) -> Self {
        CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
    }

    fn change(&mut self, change: impl FnOnce(&mut Inner)) {
        change(Arc::make_mut(self.0.get_or_insert_default()));
    }

    /// Hangs something onto the context; what is of the same type is hidden.
    pub fn carry<T: Any + Send + Sync>(&mut self, thing: Arc<T>) {
        self.change(|inner| {
            inner.carried.retain(|other| !other.is::<T>());
            inner.carried.push(thing);
        });
    }

    /// What of that type hangs on the context.
    #[must_use]
    pub fn carried<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let inner = self.0.as_ref()?;
        inner.carried.iter().find_map(|thing| Arc::clone(thing).downcast().ok())
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
    pub fn set_user(&mut self, user: &str) {
        self.change(|inner| inner.user = Some(user.into()));
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

    /// Sets a field of every line; one of the same name is replaced.
    pub fn set_field(&mut self, name: Cow<'static, str>, value: Value<'static>) {
        self.change(|inner| match inner.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.value = value,
            None => inner.fields.push(Field { name, value }),
        });
    }

    /// On whose behalf an event in this context happens.
    #[must_use]
    pub fn scope(&self) -> EventContext<'_> {
        self.0.as_ref().map_or_else(EventContext::default, |inner| EventContext {
            correlation_id: inner.correlation_id.as_deref().map(Cow::Borrowed),
            user: inner.user.as_deref().map(Cow::Borrowed),
            operation: inner.operation.as_deref().map(Cow::Borrowed),
            trace: inner.trace,
            fields: Cow::Borrowed(&inner.fields),
        })
    }
}

/// Leaves a context when it is dropped, also by a panic. It stays on its thread.
///
/// Guards are dropped in the reverse order of their making, as a rule. One that is dropped before a guard that was made
/// within its scope ends that one's scope as well.
#[derive(Debug)]
pub struct ContextGuard {
    number: u64,
    previous: Context,
    here: PhantomData<*const ()>,
}

impl ContextGuard {
    /// Leaves the context, and says which scopes were open within it.
    pub(super) fn leave(&mut self) -> Vec<u64> {
        let left = OPEN.try_with(|scopes| scopes.borrow_mut().leave(self.number)).ok().flatten();
        left.inspect(|_| drop(Context::replace(std::mem::take(&mut self.previous)))).unwrap_or_default()
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        self.leave();
    }
}
