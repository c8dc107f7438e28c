//! Arguments are had and dropped as the bare function has and drops them.

use std::cell::RefCell;

use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{bq_cost, track_performance, tracked_command, with_error_tracking};

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Noted(&'static str);

impl Noted {
    fn touch(&self) -> usize {
        self.0.len()
    }

    fn bare(self, other: Self) -> usize {
        other.touch() + self.touch()
    }

    #[track_performance]
    fn tracked(self, other: Self) -> usize {
        other.touch() + self.touch()
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

macro_rules! each_way {
    ($bare:ident, $tracked:ident, $later:ident, $bare_later:ident, ($($arguments:tt)*) $body:block) => {
        fn $bare($($arguments)*) -> usize $body

        async fn $bare_later($($arguments)*) -> usize $body

        #[track_performance]
        #[with_error_tracking]
        fn $tracked($($arguments)*) -> usize $body

        #[with_error_tracking]
        #[track_performance]
        async fn $later($($arguments)*) -> usize $body
    };
}

each_way!(bare_first, first, later_first, bare_later_first, (a: Noted, b: Noted, _guard: Noted) {
    let local = Noted("local");
    a.touch() + local.touch() + b.touch()
});
each_way!(bare_second, second, later_second, bare_later_second, (_guard: Noted, a: Noted, b: Noted) {
    drop(a);
    b.touch()
});

each_way!(bare_third, third, later_third, bare_later_third, (a: Noted, _: Noted, _c: Noted) {
    a.touch()
});
each_way!(bare_fourth, fourth, later_fourth, bare_later_fourth, (mut a: Noted, b: Noted, c: Noted) {
    if a.touch() > 9 {
        a = c;
    } else {
        a.0 = "changed";
    }
    a.touch() + b.touch()
});

fn dropped(run: impl FnOnce() -> usize) -> (usize, Vec<&'static str>) {
    let value = run();
    (value, DROPPED.take())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn noted() -> [Noted; 3] {
    [Noted("1"), Noted("2"), Noted("3")]
}

#[test]
fn arguments_are_dropped_in_the_order_of_the_bare_function() {
    let [a, b, c] = noted();
    let bare = dropped(|| bare_first(a, b, c));
    assert_eq!(bare.1, ["local", "3", "2", "1"]);
    let [a, b, c] = noted();
    assert_eq!(dropped(|| first(a, b, c)), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| bare_second(a, b, c));
    assert_eq!(bare.1, ["2", "3", "1"]);
    let [a, b, c] = noted();
    assert_eq!(dropped(|| second(a, b, c)), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| bare_third(a, b, c));
    assert_eq!(bare.1, ["3", "2", "1"]);
    let [a, b, c] = noted();
    assert_eq!(dropped(|| third(a, b, c)), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| bare_fourth(a, b, c));
    assert_eq!(bare.1, ["3", "2", "changed"]);
    let [a, b, c] = noted();
    assert_eq!(dropped(|| fourth(a, b, c)), bare);

    let bare = dropped(|| Noted("1").bare(Noted("2")));
    assert_eq!(dropped(|| Noted("1").tracked(Noted("2"))), bare);
}

#[test]
fn the_same_holds_for_async_functions() {
    let [a, b, c] = noted();
    let bare = dropped(|| wait(bare_later_first(a, b, c)));
    let [a, b, c] = noted();
    assert_eq!(dropped(|| wait(later_first(a, b, c))), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| wait(bare_later_second(a, b, c)));
    let [a, b, c] = noted();
    assert_eq!(dropped(|| wait(later_second(a, b, c))), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| wait(bare_later_third(a, b, c)));
    let [a, b, c] = noted();
    assert_eq!(dropped(|| wait(later_third(a, b, c))), bare);

    let [a, b, c] = noted();
    let bare = dropped(|| wait(bare_later_fourth(a, b, c)));
    let [a, b, c] = noted();
    assert_eq!(dropped(|| wait(later_fourth(a, b, c))), bare);
}

/// As a transaction is: undone when it is dropped, unless it was committed.
struct Transaction {
    committed: bool,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(if self.committed { "committed" } else { "undone" }));
    }
}

impl Transaction {
    const BEGUN: Self = Self { committed: false };

    #[track_performance]
    fn commit(mut self) {
        self.committed = true;
    }

    #[track_performance]
    #[with_error_tracking]
    fn try_commit(mut self) -> Result<(), String> {
        self.committed = true;
        Ok(())
    }

    #[tracked_command]
    #[bq_cost]
    async fn commit_later(mut self, rows: &mut [u8]) -> Option<&mut u8> {
        tokio::task::yield_now().await;
        self.committed = true;
        rows.first_mut()
    }
}

#[bq_cost]
#[with_error_tracking]
fn commits(mut transaction: Transaction, rows: &mut [u8]) -> Option<&mut u8> {
    transaction.committed = true;
    rows.first_mut()
}

#[test]
fn what_is_set_in_an_argument_is_there_when_it_is_dropped() {
    Transaction::BEGUN.commit();
    Transaction::BEGUN.try_commit().unwrap();
    let mut rows = vec![1];
    *commits(Transaction::BEGUN, &mut rows).unwrap() += 1;
    *wait(Transaction::BEGUN.commit_later(&mut rows)).unwrap() += 1;
    assert_eq!((DROPPED.take(), rows), (vec!["committed"; 4], vec![3]));
}

#[with_error_tracking(fallback = Ok(name + "!"))]
#[track_performance]
fn falls_back_to(name: String, longest: usize) -> Result<String, usize> {
    if name.len() > longest { Err(name.len()) } else { Ok(name.clone()) }
}

#[track_performance]
#[with_error_tracking(fallback = Ok(later(name).await))]
async fn falls_back_later_to(name: String, longest: usize) -> Result<String, usize> {
    tokio::task::yield_now().await;
    if name.len() > longest { Err(name.len()) } else { Ok(name.clone()) }
}

async fn later(name: String) -> String {
    tokio::task::yield_now().await;
    name + "?"
}

#[test]
fn a_fallback_can_have_the_arguments() {
    let captured = capture(|| (falls_back_to("long".into(), 3), falls_back_to("fit".into(), 3)));
    assert_eq!(captured.value, (Ok("long!".to_owned()), Ok("fit".to_owned())));
    assert_eq!(captured.records.errors.len(), 1);
    assert_eq!(falls_back_to("off".into(), 2), Ok("off!".to_owned()), "with obs not initialised");

    let mut rows = Vec::new();
    assert_eq!([Some(3), Some(4), None].map(|row| adds(&mut rows, row)), [Some(3), Some(4), Some(3)]);

    let captured = wait(capture_async(falls_back_later_to("long".into(), 3)));
    assert_eq!(captured.value, Ok("long?".to_owned()));
    assert_eq!(captured.records.errors.len(), 1);
}

#[with_error_tracking(fallback = rows.first().copied())]
#[track_performance]
fn adds(rows: &mut Vec<u8>, row: Option<u8>) -> Option<u8> {
    rows.push(row?);
    row
}

mod words_of_ours {
    #![allow(non_upper_case_globals)]

    const CALLSITE: u8 = 2;
    const CHECK: u8 = 4;
    const value: u8 = 8;
    const entry: u8 = 16;
    const error: u8 = 32;

    #[obs_runtime::track_performance(args(a, all = CALLSITE + entry))]
    #[obs_runtime::with_error_tracking(context(value = value), fallback = Some(value))]
    #[obs_runtime::bq_cost(dataset = entry)]
    #[obs_runtime::tracked_command(user = error)]
    pub(super) fn all(a: u8) -> Option<u8> {
        Some(CALLSITE + CHECK + value + entry + error + a)
    }
}

#[test]
fn constants_of_the_user_may_have_our_names() {
    assert_eq!(capture(|| words_of_ours::all(64)).value, Some(126));
}
