//! `#[track_performance]`: its keys, and functions of every shape.

use obs_runtime::testing::capture;
use obs_runtime::{Outcome, track_performance};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the path gets a reference")]
fn is_small(value: &u32) -> bool {
    *value < 10
}

#[allow(clippy::ptr_arg, reason = "the path gets a reference to the return type")]
fn is_empty(value: &Vec<u8>) -> bool {
    value.is_empty()
}

#[track_performance(ok_if = is_small)]
fn double(value: u32) -> u32 {
    value * 2
}

#[track_performance(error_if = is_empty, name = "read-all")]
fn read(length: usize) -> Vec<u8> {
    vec![0; length]
}

#[track_performance(tags(table = table, shard = 1 + 1), args(rows, password = redact, user = hash, names = len))]
fn load(table: &str, rows: usize, password: &str, user: &str, names: &[&str]) -> usize {
    rows + password.len() + user.len() + names.len() + table.len()
}

struct Reader<T> {
    inner: T,
}

trait Source {
    #[track_performance]
    fn size(&self) -> usize {
        5
    }

    fn name(&self) -> String;
}

impl<T: Into<u64> + Copy> Source for Reader<T> {
    #[track_performance]
    fn name(&self) -> String {
        let value: u64 = self.inner.into();
        format!("reader {value}")
    }
}

impl<T> Reader<T> {
    #[track_performance]
    fn map<U>(self, map: impl FnOnce(T) -> U) -> Reader<U> {
        Reader { inner: map(self.inner) }
    }

    #[track_performance]
    fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

#[track_performance]
fn numbers(limit: u32) -> impl Iterator<Item = u32> {
    (0..limit).filter(|number| number % 2 == 0)
}

#[track_performance]
fn early(values: &[i32]) -> Result<i32, Box<dyn std::error::Error>> {
    for value in values {
        if *value < 0 {
            return Err("negative".into());
        }
    }
    let first: i32 = "4".parse()?;
    Ok(first + i32::try_from(values.len())?)
}

#[track_performance]
fn pair((left, right): (u8, u8), mut sum: u8, _: u8) -> u8 {
    sum += left + right;
    sum
}

#[track_performance]
async fn first_word<'a>(text: &'a str, unused: Vec<u8>) -> Result<&'a str, std::fmt::Error> {
    let _ = unused;
    let first = text.split(' ').next().ok_or(std::fmt::Error)?;
    Ok(first)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn ok_if_and_error_if_decide_the_outcome() {
    let captured = capture(|| (double(2), double(20), read(0), read(1)));
    assert_eq!(captured.value, (4, 40, vec![], vec![0]));
    let calls: Vec<_> = captured.records.calls.iter().map(|call| (&*call.name, call.outcome)).collect();
    let expected =
        [("double", Outcome::Ok), ("double", Outcome::Error), ("read-all", Outcome::Error), ("read-all", Outcome::Ok)];
    assert_eq!(calls, expected);
}

#[test]
fn named_arguments_are_recorded_with_their_mode() {
    let captured = capture(|| load("users", 3, "hunter2", "ada", &["x", "y"]));
    let fields = &captured.records.calls[0].fields;
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!(field("rows"), Some("3"));
    assert_eq!(field("password"), Some("[REDACTED]"));
    assert_eq!(field("names"), Some("2"));
    assert_eq!((field("table"), field("shard")), (Some("users"), Some("2")));
    let hash = field("user").unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    assert!(!format!("{captured:?}").contains("hunter2"));
}

#[test]
fn tags_become_labels() {
    let captured = capture(|| load("users", 3, "", "", &[]));
    let labels = [("operation", "load"), ("table", "users"), ("shard", "2")];
    assert_eq!(captured.metrics.value("operation.success", &labels), Some(1.0));
}

#[test]
fn functions_of_every_shape_behave_as_without_the_attribute() {
    let captured = capture(|| {
        let mut reader = Reader { inner: 3_u32 };
        *reader.inner_mut() += 1;
        assert_eq!(reader.name(), "reader 4");
        assert_eq!(reader.size(), 5);
        assert_eq!(reader.map(|value| value + 1).inner, 5);
        assert_eq!(numbers(5).collect::<Vec<_>>(), [0, 2, 4]);
        assert_eq!(early(&[1]).unwrap(), 5);
        assert_eq!(early(&[-1]).unwrap_err().to_string(), "negative");
        assert_eq!(pair((1, 2), 3, 4), 6);
        assert_eq!(block_on(first_word("a b", vec![])), Ok("a"));
    });
    let names: Vec<_> = captured.records.calls.iter().map(|call| &*call.name).collect();
    let expected = ["inner_mut", "name", "size", "map", "numbers", "early", "early", "pair", "first_word"];
    assert_eq!(names, expected);
}

#[test]
fn arguments_are_dropped_when_the_function_ends() {
    struct Noisy<'a>(&'a std::cell::RefCell<Vec<&'static str>>, &'static str);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }

    #[track_performance]
    fn take(first: Noisy<'_>, second: Noisy<'_>) {
        let _local = Noisy(first.0, "local");
        let _used = &second;
    }

    let dropped = std::cell::RefCell::new(Vec::new());
    take(Noisy(&dropped, "first"), Noisy(&dropped, "second"));
    dropped.borrow_mut().push("after");
    assert_eq!(dropped.into_inner(), ["local", "second", "first", "after"]);
}
