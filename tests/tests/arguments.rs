//! Arguments are moved and dropped as in the bare function.

use std::cell::RefCell;

use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{bq_cost, track_performance, tracked_command, with_error_tracking};

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Recorded(&'static str);

impl Recorded {
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

impl Drop for Recorded {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

macro_rules! four_variants {
    ($bare:ident, $tracked:ident, $tracked_async:ident, $bare_async:ident, ($($arguments:tt)*) $body:block) => {
        fn $bare($($arguments)*) -> usize $body

        async fn $bare_async($($arguments)*) -> usize $body

        #[track_performance]
        #[with_error_tracking]
        fn $tracked($($arguments)*) -> usize $body

        #[with_error_tracking]
        #[track_performance]
        async fn $tracked_async($($arguments)*) -> usize $body
    };
}

four_variants!(bare_first, first, async_first, bare_async_first, (a: Recorded, b: Recorded, _guard: Recorded) {
    let local = Recorded("local");
    a.touch() + local.touch() + b.touch()
});
four_variants!(bare_second, second, async_second, bare_async_second, (_guard: Recorded, a: Recorded, b: Recorded) {
    drop(a);
    b.touch()
});

four_variants!(bare_third, third, async_third, bare_async_third, (a: Recorded, _: Recorded, _c: Recorded) {
    a.touch()
});
four_variants!(bare_fourth, fourth, async_fourth, bare_async_fourth, (mut a: Recorded, b: Recorded, c: Recorded) {
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

fn recorded() -> [Recorded; 3] {
    [Recorded("1"), Recorded("2"), Recorded("3")]
}

#[test]
fn arguments_are_dropped_in_the_order_of_the_bare_function() {
    let [a, b, c] = recorded();
    let bare = dropped(|| bare_first(a, b, c));
    assert_eq!(bare.1, ["local", "3", "2", "1"]);
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| first(a, b, c)), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| bare_second(a, b, c));
    assert_eq!(bare.1, ["2", "3", "1"]);
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| second(a, b, c)), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| bare_third(a, b, c));
    assert_eq!(bare.1, ["3", "2", "1"]);
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| third(a, b, c)), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| bare_fourth(a, b, c));
    assert_eq!(bare.1, ["3", "2", "changed"]);
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| fourth(a, b, c)), bare);

    let bare = dropped(|| Recorded("1").bare(Recorded("2")));
    assert_eq!(dropped(|| Recorded("1").tracked(Recorded("2"))), bare);
}

#[test]
fn arguments_of_async_functions_are_dropped_in_the_order_of_the_bare_function() {
    let [a, b, c] = recorded();
    let bare = dropped(|| wait(bare_async_first(a, b, c)));
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| wait(async_first(a, b, c))), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| wait(bare_async_second(a, b, c)));
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| wait(async_second(a, b, c))), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| wait(bare_async_third(a, b, c)));
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| wait(async_third(a, b, c))), bare);

    let [a, b, c] = recorded();
    let bare = dropped(|| wait(bare_async_fourth(a, b, c)));
    let [a, b, c] = recorded();
    assert_eq!(dropped(|| wait(async_fourth(a, b, c))), bare);
}

/// Like a database transaction: rolled back on drop unless it was committed.
struct Transaction {
    committed: bool,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(if self.committed { "committed" } else { "rolled back" }));
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
    async fn commit_async(mut self, rows: &mut [u8]) -> Option<&mut u8> {
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
fn changes_to_an_argument_are_visible_in_its_drop() {
    Transaction::BEGUN.commit();
    Transaction::BEGUN.try_commit().unwrap();
    let mut rows = vec![1];
    *commits(Transaction::BEGUN, &mut rows).unwrap() += 1;
    *wait(Transaction::BEGUN.commit_async(&mut rows)).unwrap() += 1;
    assert_eq!((DROPPED.take(), rows), (vec!["committed"; 4], vec![3]));
}

#[with_error_tracking(fallback = Ok(name + "!"))]
#[track_performance]
fn falls_back(name: String, longest: usize) -> Result<String, usize> {
    if name.len() > longest { Err(name.len()) } else { Ok(name.clone()) }
}

#[track_performance]
#[with_error_tracking(fallback = Ok(append_async(name).await))]
async fn falls_back_async(name: String, longest: usize) -> Result<String, usize> {
    tokio::task::yield_now().await;
    if name.len() > longest { Err(name.len()) } else { Ok(name.clone()) }
}

async fn append_async(name: String) -> String {
    tokio::task::yield_now().await;
    name + "?"
}

#[test]
fn a_fallback_can_use_the_arguments() {
    let captured = capture(|| (falls_back("long".into(), 3), falls_back("fit".into(), 3)));
    assert_eq!(captured.value, (Ok("long!".to_owned()), Ok("fit".to_owned())));
    assert_eq!(captured.records.errors.len(), 1);
    assert_eq!(falls_back("off".into(), 2), Ok("off!".to_owned()), "without a capture");

    let mut rows = Vec::new();
    assert_eq!([Some(3), Some(4), None].map(|row| push(&mut rows, row)), [Some(3), Some(4), Some(3)]);

    let captured = wait(capture_async(falls_back_async("long".into(), 3)));
    assert_eq!(captured.value, Ok("long?".to_owned()));
    assert_eq!(captured.records.errors.len(), 1);
}

#[with_error_tracking(fallback = rows.first().copied())]
#[track_performance]
fn push(rows: &mut Vec<u8>, row: Option<u8>) -> Option<u8> {
    rows.push(row?);
    row
}

mod our_identifiers {
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
fn constants_may_have_the_names_of_generated_locals() {
    assert_eq!(capture(|| our_identifiers::all(64)).value, Some(126));
}
