//! Attributes on a whole `impl`, `trait` or `mod`.
#![deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(clippy::missing_const_for_fn, clippy::redundant_pub_crate, reason = "functions that are left as they are")]

use std::fmt;

use async_trait::async_trait;
use obs_runtime::testing::{Captured, capture, capture_async};
use obs_runtime::{track_performance, with_error_tracking};

/// A reader of lines.
#[derive(Clone, Debug, Default)]
pub struct Csv<const N: usize = 2> {
    lines: Vec<String>,
}

#[track_performance(tags(kind = "csv"), level = "info")]
#[with_error_tracking(severity = "warning", context(width = N))]
impl<const N: usize> Csv<N> {
    /// As many as a line holds.
    pub const WIDTH: usize = { N };

    /// Not something that can be observed.
    #[must_use]
    pub const fn width() -> usize {
        Self::WIDTH
    }

    /// The next line.
    ///
    /// # Errors
    /// When there is none.
    pub fn line(&mut self) -> Result<String, fmt::Error> {
        self.lines.pop().ok_or(fmt::Error)
    }

    /// How many lines there are.
    #[must_use]
    #[track_performance(name = "count-lines")]
    pub fn counted(&self) -> usize {
        self.lines.len()
    }

    #[track_performance(skip)]
    #[with_error_tracking(skip)]
    fn left_out(&self) -> usize {
        self.lines.len()
    }

    async fn all(self) -> Vec<String> {
        self.lines
    }
}

#[with_error_tracking]
#[track_performance(name = "Text")]
impl<const N: usize> fmt::Display for Csv<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.lines.first().ok_or(fmt::Error)?)
    }
}

/// What can be read.
#[track_performance]
pub trait Source {
    /// Its name.
    fn name(&self) -> String;

    /// Its title.
    fn title(&self) -> String {
        self.name().to_uppercase()
    }
}

impl Source for &str {
    fn name(&self) -> String {
        (*self).to_owned()
    }
}

#[track_performance(public_only, skip(left_out, inner::Reader::again))]
mod loader {
    #![allow(dead_code, reason = "some of it is there to be left alone")]

    use std::collections::{BTreeMap, BTreeSet};

    pub const LIMIT: usize = 3;

    macro_rules! one {
        ($name:ident) => {
            pub fn $name() -> usize {
                LIMIT
            }
        };
    }
    one!(made_by_a_macro);

    pub fn run(names: &BTreeSet<u8>) -> usize {
        private(names.len()) + inner::read()
    }

    fn private(length: usize) -> usize {
        length.min(LIMIT)
    }

    pub fn left_out() -> BTreeMap<u8, u8> {
        BTreeMap::new()
    }

    pub mod inner {
        pub(in super::super) fn read() -> usize {
            Reader.read() + Reader.again() + Reader.default()
        }

        #[derive(Clone, Copy)]
        struct Reader;

        impl Reader {
            pub fn read(self) -> usize {
                let Self = self;
                1
            }

            pub fn again(self) -> usize {
                let Self = self;
                2
            }
        }

        trait Other {
            fn default(&self) -> usize {
                4
            }
        }

        impl Other for Reader {}
    }
}

#[async_trait]
trait Remote {
    async fn fetch(&self, path: &str) -> Result<String, fmt::Error>;

    async fn twice(&self, path: &str) -> Result<String, fmt::Error> {
        Ok(self.fetch(path).await? + &self.fetch(path).await?)
    }
}

struct Outside;
struct Within;

#[track_performance]
#[async_trait]
impl Remote for Outside {
    async fn fetch(&self, path: &str) -> Result<String, fmt::Error> {
        tokio::task::yield_now().await;
        if path.is_empty() { Err(fmt::Error) } else { Ok(path.to_owned()) }
    }
}

#[async_trait]
#[track_performance]
impl Remote for Within {
    async fn fetch(&self, path: &str) -> Result<String, fmt::Error> {
        Outside.fetch(path).await
    }
}

macro_rules! whole {
    ($name:ident, $kind:ty, $body:block, $method:item) => {
        struct $name;

        #[track_performance]
        impl $name {
            fn given(&self) -> $kind $body

            $method
        }
    };
}
whole!(
    Made,
    usize,
    { 7 },
    fn item(&self) -> usize {
        self.given()
    }
);

/// The operations in the order in which they ended, each with its outcome.
fn operations<R>(captured: &Captured<R>) -> Vec<String> {
    captured.records.calls.iter().map(|call| format!("{} {}", call.name, call.outcome)).collect()
}

#[test]
fn each_method_is_an_operation_named_by_its_type() {
    let captured = capture(|| {
        let mut csv = Csv::<2> { lines: vec!["a".to_owned()] };
        assert_eq!((csv.counted(), csv.left_out(), Csv::<2>::width()), (1, 1, 2));
        assert_eq!((csv.to_string(), csv.line(), csv.line()), ("a".to_owned(), Ok("a".to_owned()), Err(fmt::Error)));
        futures_executor::block_on(csv.all())
    });
    let expected = ["count-lines ok", "Text::fmt ok", "Csv::line ok", "Csv::line error", "Csv::all ok"];
    assert_eq!(operations(&captured), expected);
    let labels = [("operation", "Csv::line"), ("kind", "csv")];
    assert_eq!(captured.metrics.value("operation.success", &labels), Some(1.0));
    let [error] = captured.records.errors.as_slice() else { panic!("{captured:?}") };
    assert_eq!((error.operation.as_str(), error.level), ("Csv::line", obs_runtime::Level::Warning));
    assert_eq!(error.fields, [("kind".to_owned(), "csv".to_owned()), ("width".to_owned(), "2".to_owned())]);
}

#[test]
fn defaults_of_a_trait_are_named_by_the_trait() {
    let captured = capture(|| "users".title());
    assert_eq!((captured.value.as_str(), operations(&captured)), ("USERS", vec!["Source::title ok".to_owned()]));
}

#[test]
fn a_module_takes_its_blocks_along_and_leaves_out_what_it_is_told_to() {
    let captured = capture(|| {
        loader::left_out();
        loader::made_by_a_macro() + loader::run(&[1, 2].into())
    });
    assert_eq!(captured.value, 3 + 2 + 1 + 2 + 4);
    let expected = [
        "loader::inner::Reader::read ok",
        "loader::inner::Other::default ok",
        "loader::inner::read ok",
        "loader::run ok",
    ];
    assert_eq!(operations(&captured), expected);
}

#[tokio::test]
async fn it_stands_with_async_trait_in_either_order() {
    let captured = capture_async(async { (Within.fetch("a").await, Outside.twice("").await) }).await;
    assert_eq!(captured.value, (Ok("a".to_owned()), Err(fmt::Error)));
    assert_eq!(operations(&captured), ["Outside::fetch ok", "Within::fetch ok", "Outside::fetch error"]);
}

#[test]
fn a_block_that_a_macro_made_is_one_like_any_other() {
    let captured = capture(|| Made.item());
    assert_eq!(
        (captured.value, operations(&captured)),
        (7, vec!["Made::given ok".to_owned(), "Made::item ok".to_owned()])
    );
}

#[test]
fn the_functions_of_a_block_are_in_the_catalogue() {
    let catalogue = obs_runtime::catalogue();
    let names: Vec<_> = catalogue.callsites.iter().map(|entry| &*entry.name).collect();
    for name in ["Csv::line", "count-lines", "Text::fmt", "loader::inner::Reader::read"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}
