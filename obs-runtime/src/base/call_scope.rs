//! The annotated calls that run on this thread, and what waits for each of them to end: errors that have left the calls
//! inside.
//!
//! A scope is on the thread's stack of scopes while its call runs there; that of a future while it is polled. A call that
//! succeeds looks at the two innermost scopes of its own thread and takes no lock.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::task_id::TaskId;

/// Most items that wait for one call; the oldest are forgotten.
const MAX_WAITING: usize = 1024;

/// Most of them that are kept for the end of the call; the oldest are given back, and still found.
const MAX_KEPT: usize = 64;

thread_local! {
    static SCOPES: RefCell<Vec<CallScope>> = const { RefCell::new(Vec::new()) };
}

/// What waits for a call to end.
pub type Item = Arc<dyn Any + Send + Sync>;

/// The scope of one call.
#[derive(Debug, Default)]
pub struct CallScope {
    /// Made on first use.
    waiting: Option<Arc<WaitingList>>,
    /// How many calls directly inside have succeeded.
    successes: u32,
    /// Whether the call runs elsewhere, and this is what a task or a closure has carried of its scope.
    is_carried: bool,
}

impl CallScope {
    /// What a task or a closure carries of the innermost scope.
    #[must_use]
    pub fn carry() -> Self {
        with_innermost(|scope| {
            let waiting = Arc::clone(scope.waiting.get_or_insert_default());
            Self { waiting: Some(waiting), successes: 0, is_carried: true }
        })
        .unwrap_or_default()
    }

    /// The same that was carried, once more.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { waiting: self.waiting.clone(), successes: 0, is_carried: self.is_carried }
    }

    /// Makes this the innermost scope until the guard is dropped.
    #[inline]
    #[must_use = "the scope is left when the guard is dropped"]
    pub fn enter(self) -> ScopeGuard<'static> {
        ScopeGuard { depth: push(self), left: None }
    }

    /// The same for one poll of a future, which keeps the scope.
    #[inline]
    #[must_use = "the scope is left when the guard is dropped"]
    pub fn enter_for_poll(&mut self) -> ScopeGuard<'_> {
        ScopeGuard { depth: push(std::mem::take(self)), left: Some(self) }
    }

    /// Enters a carried scope where no call runs.
    #[must_use = "the scope is left when the guard is dropped"]
    pub fn inherit(&mut self) -> Option<ScopeGuard<'_>> {
        (self.is_carried && with_innermost(|_| ()).is_none()).then(|| self.enter_for_poll())
    }
}

/// Leaves a scope when it is dropped.
#[derive(Debug)]
pub struct ScopeGuard<'s> {
    /// How many scopes were entered before; `None` when the thread is ending.
    depth: Option<usize>,
    /// Where the scope is kept for the next poll.
    left: Option<&'s mut CallScope>,
}

impl Drop for ScopeGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let scope = self.depth.and_then(pop);
        if let (Some(scope), Some(left)) = (scope, self.left.take()) {
            *left = scope;
        }
    }
}

fn push(scope: CallScope) -> Option<usize> {
    let depth = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        scopes.push(scope);
        scopes.len() - 1
    });
    depth.ok()
}

/// Removes the scope at that depth. Scopes inside it, whose guards were leaked, go too: they are dropped after the borrow
/// has ended, as what waits in them is reported when it is dropped, which can enter scopes.
fn pop(depth: usize) -> Option<CallScope> {
    let popped = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        let inside = if scopes.len() > depth + 1 { scopes.split_off(depth + 1) } else { Vec::new() };
        (if scopes.len() > depth { scopes.pop() } else { None }, inside)
    });
    popped.ok().and_then(|(scope, _inside)| scope)
}

fn with_innermost<R>(run: impl FnOnce(&mut CallScope) -> R) -> Option<R> {
    SCOPES.try_with(|scopes| scopes.borrow_mut().last_mut().map(run)).ok().flatten()
}

/// How many calls run here.
#[must_use]
pub fn depth() -> usize {
    SCOPES.try_with(|scopes| scopes.borrow().len()).unwrap_or_default()
}

/// Counts the success of the innermost call for the call around it. Returns whether anything waits for the innermost one.
#[inline]
#[must_use]
pub fn succeeded() -> bool {
    let waits = SCOPES.try_with(|scopes| match &mut scopes.borrow_mut()[..] {
        [.., around, scope] => {
            around.successes = around.successes.wrapping_add(1);
            scope.waiting.is_some()
        }
        [scope] => scope.waiting.is_some(),
        [] => false,
    });
    waits.unwrap_or(false)
}

/// Whether a call runs here that has not ended.
#[must_use]
pub fn is_inside() -> bool {
    with_innermost(|scope| scope.waiting.clone()).is_some_and(|waiting| waiting.is_none_or(|waiting| waiting.is_open()))
}

/// Whether something may wait for the innermost call.
#[must_use]
pub fn has_waiting() -> bool {
    with_innermost(|scope| scope.waiting.is_some()).unwrap_or(false)
}

/// Takes the last item that waits for the innermost call and matches. `matches` is given the item, and whether it is
/// recent: no call has succeeded in the scope since the item came.
pub fn take_last(mut matches: impl FnMut(&Item, bool) -> bool) -> Option<Item> {
    let (waiting, now) = with_innermost(|scope| (scope.waiting.clone(), Position::of(scope)))?;
    waiting?.with(|entries| {
        let index = entries.iter().rposition(|entry| matches(&entry.item, entry.position.is_recent(now)))?;
        entries.remove(index).map(|entry| entry.item)
    })?
}

/// Has an item wait for the innermost call, or for the call around that one.
///
/// # Errors
/// The item, when there is no such call or it has ended.
pub fn wait(item: Item, for_call_around: bool) -> Result<Evicted, Item> {
    let scope = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        let index = scopes.len().checked_sub(1 + usize::from(for_call_around))?;
        let scope = &mut scopes[index];
        Some((Arc::clone(scope.waiting.get_or_insert_default()), Position::of(scope)))
    });
    let Ok(Some((waiting, position))) = scope else { return Err(item) };
    let mut item = Some(item);
    let evicted = waiting.with(|entries| {
        if entries.len() >= MAX_WAITING {
            entries.pop_front();
        }
        entries.extend(item.take().map(|item| Entry { item, position }));
        let evicted = entries.len().checked_sub(MAX_KEPT + 1)?;
        entries.get(evicted).map(|entry| Arc::clone(&entry.item))
    });
    match item {
        Some(item) => Err(item),
        None => Ok(evicted.flatten()),
    }
}

/// What is no longer kept for the end of the call, as too many came after it.
pub type Evicted = Option<Item>;

/// Ends the waiting for the innermost call: it has ended. Returns what still waited.
pub fn end() -> impl Iterator<Item = Item> {
    let waiting = with_innermost(|scope| scope.waiting.clone()).flatten();
    waiting.and_then(|waiting| waiting.close()).into_iter().flatten().map(|entry| entry.item)
}

/// What waits for a call; nothing once it has ended.
#[derive(Debug)]
struct WaitingList(Mutex<Option<VecDeque<Entry>>>);

#[derive(Debug)]
struct Entry {
    item: Item,
    position: Position,
}

impl Default for WaitingList {
    fn default() -> Self {
        Self(Mutex::new(Some(VecDeque::new())))
    }
}

impl WaitingList {
    fn with<R>(&self, run: impl FnOnce(&mut VecDeque<Entry>) -> R) -> Option<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(run)
    }

    fn is_open(&self) -> bool {
        self.with(|_| ()).is_some()
    }

    fn close(&self) -> Option<VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A point in the run of a call.
#[derive(Clone, Copy, Debug)]
struct Position {
    successes: u32,
    /// The task that has carried the scope; `None` in the call's own.
    task: Option<TaskId>,
}

impl Position {
    fn of(scope: &CallScope) -> Self {
        Self { successes: scope.successes, task: scope.is_carried.then(TaskId::current) }
    }

    /// Whether no call has succeeded between this point and a later one. The call knows nothing of successes in other
    /// tasks; a task is not concerned with what happened in others.
    fn is_recent(self, now: Self) -> bool {
        if self.task == now.task { self.successes == now.successes } else { now.task.is_none() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(item: &Item) -> u32 {
        *item.downcast_ref().unwrap()
    }

    fn wait_as(number: u32, for_call_around: bool) -> Result<Evicted, Item> {
        wait(Arc::new(number), for_call_around)
    }

    #[test]
    fn an_item_waits_for_the_call_around_until_that_ends() {
        assert!(!is_inside() && wait_as(0, false).is_err());
        let outer = CallScope::default().enter();
        let inner = CallScope::default().enter();
        assert!(is_inside() && !has_waiting());
        assert!(wait_as(1, true).is_ok() && wait_as(2, false).is_ok());
        assert_eq!(end().map(|item| number(&item)).collect::<Vec<_>>(), [2]);
        drop(inner);
        assert!(has_waiting());
        assert!(take_last(|item, is_recent| is_recent && number(item) == 1).is_some());
        assert!(wait_as(3, true).is_err(), "no call is around");
        assert_eq!(end().count(), 0);
        assert!(wait_as(4, false).is_err(), "the call has ended");
        drop(outer);
        assert!(!is_inside());
    }

    #[test]
    fn an_item_is_recent_until_a_call_succeeds() {
        let _outer = CallScope::default().enter();
        assert!(wait_as(1, false).is_ok());
        let inner = CallScope::default().enter();
        assert!(!succeeded());
        drop(inner);
        assert!(take_last(|_, is_recent| is_recent).is_none());
        assert!(wait_as(2, false).is_ok());
        assert_eq!(take_last(|_, is_recent| is_recent).map(|item| number(&item)), Some(2));
        assert!(succeeded(), "the first one still waits");
    }

    #[test]
    fn what_waits_in_a_leaked_scope_can_enter_scopes_when_it_is_dropped() {
        struct EntersScope;
        impl Drop for EntersScope {
            fn drop(&mut self) {
                drop(CallScope::default().enter());
            }
        }
        let outer = CallScope::default().enter();
        std::mem::forget(CallScope::default().enter());
        assert!(wait(Arc::new(EntersScope), false).is_ok());
        drop(outer);
        assert!(!is_inside());
    }

    #[test]
    fn the_oldest_of_too_many_is_given_back_and_still_found() {
        let _scope = CallScope::default().enter();
        let evicted: Vec<_> = (0..70).filter_map(|number| wait_as(number, false).ok().flatten()).collect();
        assert_eq!(evicted.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert!(take_last(|item, _| number(item) == 0).is_some());
        (70..1100).for_each(|number| drop(wait_as(number, false)));
        assert!(take_last(|item, _| number(item) == 1).is_none() && end().count() == 1024);
    }

    #[test]
    fn a_carried_scope_is_entered_only_where_no_call_runs() {
        let _scope = CallScope::default().enter();
        let mut carried = CallScope::carry();
        assert!(carried.inherit().is_none());
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let inherited = carried.inherit();
                assert!(inherited.is_some() && is_inside());
                assert!(wait_as(7, false).is_ok());
                drop(inherited);
                assert!(!is_inside());
            });
        });
        // A success here says nothing of an error of another thread.
        let inner = CallScope::default().enter();
        assert!(!succeeded());
        drop(inner);
        assert_eq!(take_last(|_, is_recent| is_recent).map(|item| number(&item)), Some(7));
    }

    #[test]
    fn a_scope_is_kept_from_poll_to_poll() {
        let mut scope = CallScope::default();
        let poll = scope.enter_for_poll();
        assert!(wait_as(1, false).is_ok());
        drop(poll);
        assert!(!is_inside());
        let _poll = scope.enter_for_poll();
        assert_eq!(end().count(), 1);
    }
}
