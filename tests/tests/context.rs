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
