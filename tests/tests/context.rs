//! Propagation of the context: over `.await`, into tasks and threads, and not beyond its scope.

use std::time::Duration;

use obs_runtime::{ClosureInContext as _, FutureInContext as _, LogContext, correlation_id, set_correlation_id};
use obs_tests::generator::Dice;

fn id() -> String {
    correlation_id().unwrap_or_default()
}

async fn id_after_pauses(pauses: u64) -> String {
    for _ in 0..pauses {
        tokio::time::sleep(Duration::from_micros(50)).await;
        tokio::task::yield_now().await;
    }
    id()
}

#[test]
fn tasks_on_many_threads_keep_their_contexts() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..1000_u64)
            .map(|number| {
                let scope = LogContext::new().correlation_id(number.to_string());
                (number, scope.scope(|| obs_runtime::spawn(id_after_pauses(number % 7))))
            })
            .collect();
        for (number, task) in tasks {
            assert_eq!(task.await.unwrap(), number.to_string());
        }
    });
    assert_eq!(correlation_id(), None);
}

#[test]
fn a_future_keeps_changes_to_its_context_between_polls() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let inner = LogContext::new().correlation_id("outer").in_future(async {
        set_correlation_id("inner");
        id_after_pauses(2).await
    });
    assert_eq!(runtime.block_on(inner), "inner");
    assert_eq!(correlation_id(), None);
}

#[test]
fn threads_and_blocking_tasks_can_take_the_context() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    LogContext::new().correlation_id("run-7").scope(|| {
        assert_eq!(std::thread::spawn(id.in_current_context()).join().unwrap(), "run-7");
        assert_eq!(std::thread::spawn(id).join().unwrap(), "", "a plain thread has an empty context");
        let blocking = runtime.spawn_blocking(id.in_current_context());
        assert_eq!(runtime.block_on(blocking).unwrap(), "run-7");
        let later = async { id() }.in_current_context();
        let elsewhere = LogContext::new().correlation_id("run-8").scope(|| runtime.block_on(later));
        assert_eq!(elsewhere, "run-7");
    });
}

#[test]
fn a_future_is_dropped_in_its_own_context() {
    struct RecordsIdOnDrop<'a>(&'a std::cell::RefCell<String>);
    impl Drop for RecordsIdOnDrop<'_> {
        fn drop(&mut self) {
            *self.0.borrow_mut() = id();
        }
    }
    let seen = std::cell::RefCell::new(String::new());
    let mut future = Box::pin(LogContext::new().correlation_id("run-7").in_future(async {
        let _records = RecordsIdOnDrop(&seen);
        std::future::pending::<()>().await;
    }));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut task).is_pending());
    drop(future);
    assert_eq!((seen.into_inner().as_str(), id().as_str()), ("run-7", ""));
}

#[test]
fn scopes_may_end_in_any_order() {
    let scope = |id: &str| LogContext::new().correlation_id(id).enter();
    let (outer, inner) = (scope("outer"), scope("inner"));
    drop(outer);
    assert_eq!(id(), "", "the inner scope ends with the one around it");
    let (next, within) = (scope("next"), scope("within"));
    drop(inner);
    assert_eq!(id(), "within");
    drop(within);
    assert_eq!(id(), "next");
    drop(next);
    assert_eq!(id(), "");
}

#[test]
fn a_scope_held_across_an_await_is_suspended_with_its_future() {
    let mut future = Box::pin(LogContext::new().correlation_id("outer").in_future(async {
        let inner = LogContext::new().correlation_id("inner").enter();
        tokio::task::yield_now().await;
        assert_eq!(id(), "inner");
        drop(inner);
        id()
    }));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut task).is_pending());
    assert_eq!(id(), "");
    let elsewhere = LogContext::new().correlation_id("elsewhere").enter();
    assert_eq!(future.as_mut().poll(&mut task), std::task::Poll::Ready("outer".to_owned()));
    assert_eq!(id(), "elsewhere");
    drop(elsewhere);
}

/// Yields once, in any executor.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|task| {
        task.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Opens scopes and checks at each step that it sees its own context.
async fn checks_its_context(name: String, steps: usize) {
    for step in 0..steps {
        assert_eq!(id(), name);
        let inner = format!("{name}.{step}");
        let within = async {
            assert_eq!(id(), inner);
            pause().await;
            set_correlation_id(format!("{inner}.set"));
            pause().await;
            assert_eq!(id(), format!("{inner}.set"));
        };
        LogContext::new().correlation_id(&inner).in_future(within).await;
        assert_eq!(id(), name);
        pause().await;
    }
}

/// The same on one thread, where a guard can be held across an await.
async fn holds_guards_across_awaits(name: String) {
    for step in 0..3 {
        let inner = format!("{name}.{step}");
        let guard = LogContext::new().correlation_id(&inner).enter();
        pause().await;
        assert_eq!(id(), inner);
        checks_its_context(inner, 2).await;
        drop(guard);
        pause().await;
        assert_eq!(id(), name);
    }
}

#[test]
fn tasks_keep_their_contexts_in_a_thousand_interleavings_over_threads() {
    type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    for seed in 0..1000 {
        let mut dice = Dice::new(seed);
        let mut tasks: Vec<Task> = (0..4)
            .map(|number| {
                let name = format!("{seed}/{number}");
                let task = checks_its_context(name.clone(), 1 + dice.below(3));
                Box::pin(LogContext::new().correlation_id(name).in_future(task)) as Task
            })
            .collect();
        while !tasks.is_empty() {
            let next = dice.below(tasks.len());
            let mut task = tasks.swap_remove(next);
            let poll = |task: &mut Task| {
                let poll = task.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
                assert_eq!(id(), "", "a task does not change the context of the thread that polls it");
                poll
            };
            let polled = match dice.below(8) {
                // Not at every poll, because starting a thread is slow.
                0 => std::thread::scope(|scope| scope.spawn(|| poll(&mut task)).join().unwrap()),
                _ => poll(&mut task),
            };
            // Some tasks are dropped before they end.
            if polled.is_pending() && dice.below(16) > 0 {
                tasks.push(task);
            }
        }
        assert_eq!(id(), "");
    }
}

#[test]
fn contexts_stay_separate_in_an_executor_other_than_tokio() {
    let mut pool = futures_executor::LocalPool::new();
    for number in 0..50 {
        let name = format!("task-{number}");
        let task = holds_guards_across_awaits(name.clone());
        let task = LogContext::new().correlation_id(name).in_future(task);
        futures_util::task::LocalSpawnExt::spawn_local(&pool.spawner(), task).unwrap();
    }
    pool.run();
    assert_eq!(id(), "");
    let outer = LogContext::new().correlation_id("outer").enter();
    futures_executor::block_on(holds_guards_across_awaits("outer".to_owned()));
    drop(outer);
}

#[test]
fn a_thread_pool_works_in_the_given_context() {
    use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let context = LogContext::new().correlation_id("run-7");
    let seen: Vec<String> = pool.install(|| (0..1000).into_par_iter().map(|_| context.clone().scope(id)).collect());
    assert!(seen.iter().all(|id| id == "run-7"), "{seen:?}");
    let after: Vec<String> = pool.install(|| (0..1000).into_par_iter().map(|_| id()).collect());
    assert!(after.iter().all(String::is_empty), "{after:?}");
    let (sender, receiver) = std::sync::mpsc::channel();
    context.scope(|| pool.spawn((move || sender.send(id()).unwrap()).in_current_context()));
    assert_eq!(receiver.recv().unwrap(), "run-7");
}
