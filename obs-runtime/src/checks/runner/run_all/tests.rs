use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::checks::runner::job::Answer;
use crate::metrics::drop_counters;

type Run = Box<dyn Fn() -> Answer<u8> + Send + Sync>;

/// Checks whose result is the outcome of their call.
struct OutcomePlan {
    jobs: Vec<(Arc<Run>, Duration)>,
    after: Vec<(usize, usize)>,
    /// How often checks were admitted.
    admitted: AtomicUsize,
}

impl OutcomePlan {
    fn new(timeout: Duration, runs: impl IntoIterator<Item = Run>) -> Self {
        Self {
            jobs: runs.into_iter().map(|run| (Arc::new(run), timeout)).collect(),
            after: Vec::new(),
            admitted: AtomicUsize::new(0),
        }
    }

    fn run(&self, calls: &Arc<SingleFlight<u8>>, at_once: Option<usize>) -> Vec<CheckOutcome<u8>> {
        run_all(self, self.jobs.len(), calls, at_once)
    }
}

impl Plan for OutcomePlan {
    type Value = u8;
    type Result = CheckOutcome<u8>;

    fn admit(&self, index: usize, results: &[Option<CheckOutcome<u8>>]) -> Admission<u8, CheckOutcome<u8>> {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let mut earlier = self.after.iter().filter(|(late, _)| *late == index).map(|(_, early)| *early);
        if let Some(gate) = earlier.find(|early| results[*early].is_none()) {
            return Admission::Wait(gate);
        }
        let (run, timeout) = self.jobs[index].clone();
        Admission::Start(Job {
            key: (index, String::new()),
            run: Box::new(move || run()),
            timeout,
            not_before: None,
            operation: None,
        })
    }

    fn judge(&self, _: usize, finished: FinishedCall<u8>) -> CheckOutcome<u8> {
        finished.outcome
    }

    fn deadlocked(&self, _: usize) -> CheckOutcome<u8> {
        CheckOutcome::NotStarted("deadlocked".to_owned())
    }
}

fn run(run: impl Fn() -> Answer<u8> + Send + Sync + 'static) -> Run {
    Box::new(run)
}

#[test]
fn a_call_that_hangs_is_counted_and_not_repeated() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let abandoned = || drop_counters::all().into_iter().find(|drop| drop.1 == "left_behind").map_or(0, |drop| drop.2);
    let before = abandoned();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let plan = OutcomePlan::new(
        Duration::from_millis(50),
        [run(move || {
            CALLS.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
            Answer::Ready(1)
        })],
    );
    let calls = Arc::default();
    assert_eq!(plan.run(&calls, None), [CheckOutcome::TimedOut]);
    for _ in 0..3 {
        assert!(matches!(plan.run(&calls, None)[..], [CheckOutcome::StillRunning(_)]));
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    assert!(abandoned() > before);
    drop(release);
    // Once that call has ended, the check may be called again.
    let deadline = Instant::now() + Duration::from_secs(30);
    while !matches!(plan.run(&calls, None)[..], [CheckOutcome::Done(1)]) {
        assert!(Instant::now() < deadline, "it never ends");
    }
}

#[test]
fn runs_at_the_same_time_share_one_call() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    const RUNS: usize = 20;
    let (started, entered) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let plan = OutcomePlan::new(
        Duration::from_mins(1),
        [run(move || {
            CALLS.fetch_add(1, Ordering::SeqCst);
            started.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
            Answer::Ready(3)
        })],
    );
    let calls = Arc::<SingleFlight<u8>>::default();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(|| plan.run(&calls, None))).collect();
        entered.recv().unwrap();
        while calls.waiters() < RUNS {
            std::thread::yield_now();
        }
        drop(release);
        for run in runs {
            assert_eq!(run.join().unwrap(), [CheckOutcome::Done(3)]);
        }
    });
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[test]
fn no_more_run_at_once_than_the_limit() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let counted = || {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        NOW.fetch_sub(1, Ordering::SeqCst);
        Answer::Ready(7)
    };
    let plan = OutcomePlan::new(Duration::from_mins(1), (0..100).map(|_| run(counted)));
    let outcomes = plan.run(&Arc::default(), Some(3));
    assert!(outcomes.len() == 100 && outcomes.iter().all(|outcome| *outcome == CheckOutcome::Done(7)));
    assert!(MOST.load(Ordering::SeqCst) <= 3);
}

#[test]
fn a_check_waits_for_others_and_a_cycle_is_deadlocked() {
    static ORDER: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let recorded = |number| {
        run(move || {
            ORDER.lock().unwrap().push(number);
            Answer::Ready(number)
        })
    };
    let mut plan = OutcomePlan::new(Duration::from_mins(1), (0..5).map(recorded));
    plan.after = vec![(0, 1), (1, 2), (3, 4), (4, 3)];
    let outcomes = plan.run(&Arc::default(), None);
    assert_eq!(outcomes[..3], [CheckOutcome::Done(0), CheckOutcome::Done(1), CheckOutcome::Done(2)]);
    assert!(matches!(&outcomes[3..], [CheckOutcome::NotStarted(_), CheckOutcome::NotStarted(_)]));
    assert_eq!(*ORDER.lock().unwrap(), [2, 1, 0]);
}

#[test]
fn a_run_admits_each_check_once_and_once_more_for_each_that_it_waits_for() {
    const CHECKS: usize = 400;
    let mut plan = OutcomePlan::new(Duration::from_mins(1), (0..CHECKS).map(|_| run(|| Answer::Ready(1))));
    // The first half waits for a check of the other half each.
    plan.after = (0..CHECKS / 2).map(|index| (index, CHECKS - 1 - index)).collect();
    plan.run(&Arc::default(), Some(2));
    assert_eq!(plan.admitted.load(Ordering::Relaxed), CHECKS + CHECKS / 2);
}

#[test]
fn a_blocking_task_that_a_check_spawned_does_not_delay_its_result() {
    fn leave_a_task() -> u8 {
        drop(tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_hours(1))));
        1
    }
    let start = Instant::now();
    let outcomes = OutcomePlan::new(
        Duration::from_mins(1),
        [
            run(|| Answer::Pending(Box::pin(async { leave_a_task() }))),
            run(|| panic!("broken after {}", leave_a_task())),
        ],
    )
    .run(&Arc::default(), None);
    assert_eq!(outcomes[0], CheckOutcome::Done(1));
    assert!(matches!(&outcomes[1], CheckOutcome::Panicked(message) if message.starts_with("broken")));
    assert!(start.elapsed() < Duration::from_mins(5));
}
