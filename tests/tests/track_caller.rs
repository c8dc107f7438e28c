//! `#[track_caller]` works under attributes: the body sees the location of its caller.

use std::fmt::Error;
use std::panic::{Location, catch_unwind};

use obs_runtime::testing::capture;
use obs_runtime::{track_performance, with_error_tracking};

type Place = &'static Location<'static>;

#[track_performance]
#[track_caller]
fn plain() -> Place {
    Location::caller()
}

#[with_error_tracking]
#[track_performance]
#[inline]
#[track_caller]
fn tried<T: Clone, const N: usize>(fail: bool, mut more: [T; N], _: String) -> Result<Place, Error> {
    more.reverse();
    if fail { Err(Error) } else { Ok(Location::caller()) }
}

#[cfg_attr(all(), track_caller)]
#[track_performance]
fn panics(at: Option<u8>) -> Option<u8> {
    at.map(|at| at + Some(1).filter(|_| at > 1).unwrap_or_default());
    Some(at.unwrap())
}

struct Row(u8);

impl Row {
    #[track_performance]
    #[with_error_tracking]
    #[track_caller]
    pub fn value(&self) -> Option<(u8, Place)> {
        Some((self.0, Location::caller()))
    }

    #[track_caller]
    #[track_performance(args(row))]
    pub fn new(row: u8) -> Option<(Self, Place)> {
        Some((Self(row), Location::caller()))
    }

    #[track_performance]
    #[track_caller]
    fn place(self) -> (u8, &'static Location<'static>) {
        (self.0, Location::caller())
    }
}

#[test]
fn the_location_is_the_callers() {
    let captured = capture(|| {
        assert_eq!(plain().line(), line!());
        assert_eq!(tried(false, [1, 2], String::new()).unwrap().line(), line!());
        assert!(tried(true, [(); 0], String::new()).is_err());
        let (row, place) = Row::new(3).unwrap();
        assert_eq!(place.line(), line!() - 1);
        let (value, place) = row.value().unwrap();
        assert_eq!((value, place.line()), (3, line!() - 1));
        assert_eq!(row.place().1.line(), line!());
    });
    let outcomes: Vec<_> = captured.records.calls.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(outcomes, ["ok", "ok", "error", "ok", "ok", "ok"]);
    assert_eq!(captured.records.errors.len(), 1);
}

#[test]
fn a_panic_is_reported_at_the_callers_line() {
    let captured = capture(|| (catch_unwind(|| panics(None)).is_err(), line!()));
    let (panicked, line) = captured.value;
    assert!(panicked);
    let [call] = captured.records.calls.as_slice() else { panic!("{captured:?}") };
    let message = call.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
    assert!(message.ends_with(&format!("tests/track_caller.rs:{line}")), "{message}");
}
