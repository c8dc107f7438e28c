use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::checks::runner::job::Answer;
use crate::metrics::drop_counters;

type Run = Box<dyn Fn() -> Answer<u8> + Send + Sync>;

/// Checks without anything around them: the result is how each ended.
struct Bare {
    jobs: Vec<(Arc<Run>, Duration)>,
    after: Vec<(usize, usize)>,
}

impl Bare {
    fn new(timeout: Duration, runs: impl IntoIterator<Item = Run>) -> Self {
        Self { jobs: runs.into_iter().map(|run| (Arc::new(run), timeout)).collect(), after: Vec::new() }
    }

    fn run(&self, flights: &Arc<Flights<u8>>, at_once: Option<usize>) -> Vec<Ending<u8>> {
        run_all(self, self.jobs.len(), flights, at_once)
    }
}

impl Plan for Bare {
    type Value = u8;
    type Result = Ending<u8>;

    fn admit(&self, index: usize, results: &[Option<Ending<u8>>]) -> Admission<u8, Ending<u8>> {
        if self.after.iter().any(|(late, early)| *late == index && results[*early].is_none()) {
            return Admission::Wait;
        }
        let (run, timeout) = self.jobs[index].clone();
        Admission::Start(Job { key: (index, String::new()), run: Box::new(move || run()), timeout })
    }

    fn judge(&self, _: usize, ended: Ended<u8>) -> Ending<u8> {
        ended.ending
    }

    fn stuck(&self, _: usize) -> Ending<u8> {
        Ending::NotStarted("stuck".to_owned())
    }
}

fn run(run: impl Fn() -> Answer<u8> + Send + Sync + 'static) -> Run {
    Box::new(run)
}

#[test]
fn a_call_that_hangs_is_counted_and_not_begun_again() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let left_behind = || drop_counters::all().into_iter().find(|drop| drop.1 == "left_behind").map_or(0, |drop| drop.2);
    let before = left_behind();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let plan = Bare::new(
        Duration::from_millis(50),
        [run(move || {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
            Answer::Ready(1)
        })],
    );
    let flights = Arc::default();
    assert_eq!(plan.run(&flights, None), [Ending::TimedOut]);
    for _ in 0..3 {
        assert!(matches!(plan.run(&flights, None)[..], [Ending::Hung(_)]));
    }
    assert_eq!(BEGUN.load(Ordering::SeqCst), 1);
    assert!(left_behind() > before);
    drop(release);
    // Once it has ended after all, it may be begun again.
    let deadline = Instant::now() + Duration::from_secs(30);
    while !matches!(plan.run(&flights, None)[..], [Ending::Done(1)]) {
        assert!(Instant::now() < deadline, "it never ends");
    }
}

#[test]
fn runs_at_the_same_time_share_one_call() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    const RUNS: usize = 20;
    let (begun, entered) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let plan = Bare::new(
        Duration::from_mins(1),
        [run(move || {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            begun.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
            Answer::Ready(3)
        })],
    );
    let flights = Arc::<Flights<u8>>::default();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(|| plan.run(&flights, None))).collect();
        entered.recv().unwrap();
        while flights.passengers() < RUNS {
            std::thread::yield_now();
        }
        drop(release);
        for run in runs {
            assert_eq!(run.join().unwrap(), [Ending::Done(3)]);
        }
    });
    assert_eq!(BEGUN.load(Ordering::SeqCst), 1);
}

#[test]
fn no_more_run_at_once_than_the_program_wants() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let counted = || {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        NOW.fetch_sub(1, Ordering::SeqCst);
        Answer::Ready(7)
    };
    let plan = Bare::new(Duration::from_mins(1), (0..100).map(|_| run(counted)));
    let endings = plan.run(&Arc::default(), Some(3));
    assert!(endings.len() == 100 && endings.iter().all(|ending| *ending == Ending::Done(7)));
    assert!(MOST.load(Ordering::SeqCst) <= 3);
}

#[test]
fn a_check_waits_for_others_and_a_circle_is_stuck() {
    static ORDER: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let noted = |number| {
        run(move || {
            ORDER.lock().unwrap().push(number);
            Answer::Ready(number)
        })
    };
    let mut plan = Bare::new(Duration::from_mins(1), (0..5).map(noted));
    plan.after = vec![(0, 1), (1, 2), (3, 4), (4, 3)];
    let endings = plan.run(&Arc::default(), None);
    assert_eq!(endings[..3], [Ending::Done(0), Ending::Done(1), Ending::Done(2)]);
    assert!(matches!(&endings[3..], [Ending::NotStarted(_), Ending::NotStarted(_)]));
    assert_eq!(*ORDER.lock().unwrap(), [2, 1, 0]);
}

#[test]
fn what_a_check_leaves_behind_does_not_keep_its_verdict_back() {
    fn leave_a_task() -> u8 {
        drop(tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_hours(1))));
        1
    }
    let begun = Instant::now();
    let endings = Bare::new(
        Duration::from_mins(1),
        [
            run(|| Answer::Pending(Box::pin(async { leave_a_task() }))),
            run(|| panic!("broken after {}", leave_a_task())),
        ],
    )
    .run(&Arc::default(), None);
    assert_eq!(endings[0], Ending::Done(1));
    assert!(matches!(&endings[1], Ending::Panicked(words) if words.starts_with("broken")));
    assert!(begun.elapsed() < Duration::from_mins(5));
}
