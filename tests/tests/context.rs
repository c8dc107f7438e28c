//! The context travels with a call: over `.await`, into tasks and threads, and no further than its scope.

use std::time::Duration;

use obs_runtime::{ClosureInContext as _, FutureInContext as _, LogContext, correlation_id, set_correlation_id};

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
fn tasks_on_many_threads_never_see_each_others_context() {
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
fn a_future_keeps_what_it_set_itself_from_poll_to_poll() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let inner = LogContext::new().correlation_id("outer").in_future(async {
        set_correlation_id("inner");
        id_after_pauses(2).await
    });
    assert_eq!(runtime.block_on(inner), "inner");
    assert_eq!(correlation_id(), None);
}

#[test]
fn threads_and_blocking_tasks_take_the_context_along() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    LogContext::new().correlation_id("run-7").scope(|| {
        assert_eq!(std::thread::spawn(id.in_current_context()).join().unwrap(), "run-7");
        assert_eq!(std::thread::spawn(id).join().unwrap(), "", "without, a thread has a context of its own");
        let blocking = runtime.spawn_blocking(id.in_current_context());
        assert_eq!(runtime.block_on(blocking).unwrap(), "run-7");
        let later = async { id() }.in_current_context();
        let elsewhere = LogContext::new().correlation_id("run-8").scope(|| runtime.block_on(later));
        assert_eq!(elsewhere, "run-7");
    });
}

#[test]
fn a_dropped_future_is_dropped_in_its_own_context_and_leaves_none() {
    struct SeesAtDrop<'a>(&'a std::cell::RefCell<String>);
    impl Drop for SeesAtDrop<'_> {
        fn drop(&mut self) {
            *self.0.borrow_mut() = id();
        }
    }
    let seen = std::cell::RefCell::new(String::new());
    let mut future = Box::pin(LogContext::new().correlation_id("run-7").in_future(async {
        let _sees = SeesAtDrop(&seen);
        std::future::pending::<()>().await;
    }));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut task).is_pending());
    drop(future);
    assert_eq!((seen.into_inner().as_str(), id().as_str()), ("run-7", ""));
}

#[test]
fn scopes_left_in_any_order_leave_nothing_behind() {
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
fn a_scope_that_a_future_holds_over_a_pause_waits_with_it() {
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

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Lets others run, as an executor without tokio knows it.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|task| {
        task.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// A task that opens scopes of its own and checks at each step that it sees its own context only.
async fn keeps_to_itself(name: String, steps: usize) {
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

/// The same on one thread, where a guard can be held over a pause.
async fn holds_guards_over_pauses(name: String) {
    for step in 0..3 {
        let inner = format!("{name}.{step}");
        let guard = LogContext::new().correlation_id(&inner).enter();
        pause().await;
        assert_eq!(id(), inner);
        keeps_to_itself(inner, 2).await;
        drop(guard);
        pause().await;
        assert_eq!(id(), name);
    }
}

#[test]
fn no_task_sees_anothers_context_in_a_thousand_interleavings_over_threads() {
    type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    for seed in 0..1000 {
        let mut dice = Dice(seed);
        let mut tasks: Vec<Task> = (0..4)
            .map(|number| {
                let name = format!("{seed}/{number}");
                let task = keeps_to_itself(name.clone(), 1 + dice.below(3));
                Box::pin(LogContext::new().correlation_id(name).in_future(task)) as Task
            })
            .collect();
        while !tasks.is_empty() {
            let next = dice.below(tasks.len());
            let mut task = tasks.swap_remove(next);
            let poll = |task: &mut Task| {
                let poll = task.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
                assert_eq!(id(), "", "a task leaves nothing behind on the thread that polled it");
                poll
            };
            let polled = match dice.below(8) {
                // Not each time: a thread takes longer than all else here.
                0 => std::thread::scope(|scope| scope.spawn(|| poll(&mut task)).join().unwrap()),
                _ => poll(&mut task),
            };
            // A task is now and then given up where it stands.
            if polled.is_pending() && dice.below(16) > 0 {
                tasks.push(task);
            }
        }
        assert_eq!(id(), "");
    }
}

#[test]
fn an_executor_without_tokio_keeps_contexts_apart() {
    let mut pool = futures_executor::LocalPool::new();
    for number in 0..50 {
        let name = format!("task-{number}");
        let task = holds_guards_over_pauses(name.clone());
        let task = LogContext::new().correlation_id(name).in_future(task);
        futures_util::task::LocalSpawnExt::spawn_local(&pool.spawner(), task).unwrap();
    }
    pool.run();
    assert_eq!(id(), "");
    let outer = LogContext::new().correlation_id("outer").enter();
    futures_executor::block_on(holds_guards_over_pauses("outer".to_owned()));
    drop(outer);
}

#[test]
fn a_pool_of_threads_works_in_the_context_it_is_given() {
    use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let context = LogContext::new().correlation_id("run-7");
    let seen: Vec<String> = pool.install(|| (0..1000).into_par_iter().map(|_| context.clone().scope(id)).collect());
    assert!(seen.iter().all(|id| id == "run-7"), "{seen:?}");
    let after: Vec<String> = pool.install(|| (0..1000).into_par_iter().map(|_| id()).collect());
    assert!(after.iter().all(String::is_empty), "{after:?}");
    let (told, seen) = std::sync::mpsc::channel();
    context.scope(|| pool.spawn((move || told.send(id()).unwrap()).in_current_context()));
    assert_eq!(seen.recv().unwrap(), "run-7");
}
