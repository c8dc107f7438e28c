//! Unit tests of rules, as `promtool test rules` reads them.

use std::time::Duration;

use serde::Serialize;

use crate::program::generate::prometheus::promql::seconds;

/// The longest time that a test goes through minute by minute. Longer ones take larger steps.
const BY_MINUTES: Duration = Duration::from_hours(26);

/// About how many larger steps a test takes.
const STEPS: u64 = 1440;

/// A file of tests.
#[derive(Clone, Debug, Serialize)]
pub struct TestFile {
    pub rule_files: Vec<String>,
    pub evaluation_interval: String,
    pub tests: Vec<UnitTest>,
}

/// A test: series over simulated time, and what is asked of them.
#[derive(Clone, Debug, Serialize)]
pub struct UnitTest {
    pub name: String,
    pub interval: String,
    pub input_series: Vec<InputSeries>,
    pub promql_expr_test: Vec<Question>,
}

/// The values of a series, one for each interval from 1970 on.
#[derive(Clone, Debug, Serialize)]
pub struct InputSeries {
    pub series: String,
    pub values: String,
}

/// An expression at a point in simulated time.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    pub expr: String,
    pub eval_time: String,
    pub exp_samples: Vec<Sample>,
}

/// A sample of a result.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub labels: String,
    pub value: f64,
}

impl UnitTest {
    /// A test without series, whose samples are a minute apart.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), interval: "1m".to_owned(), input_series: Vec::new(), promql_expr_test: Vec::new() }
    }

    /// Sets how many minutes lie between two samples, and between two evaluations of the rules.
    #[must_use]
    pub fn every(mut self, minutes: u64) -> Self {
        self.interval = format!("{minutes}m");
        self
    }

    /// Adds a series.
    #[must_use]
    pub fn series(mut self, series: impl Into<String>, values: impl Into<String>) -> Self {
        self.input_series.push(InputSeries { series: series.into(), values: values.into() });
        self
    }

    /// Expects that an alert fires at these minutes, and rests at those.
    #[must_use]
    pub fn expect(mut self, alert: &str, selector: &str, fires: &[u64], rests: &[u64]) -> Self {
        let labels = selector.trim_matches(['{', '}']);
        let expr = format!("count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\",{labels}}})");
        let mut asked: Vec<(u64, bool)> =
            fires.iter().map(|at| (*at, true)).chain(rests.iter().map(|at| (*at, false))).collect();
        asked.sort_unstable();
        for (minute, fires) in asked {
            let sample = Sample { labels: "{}".to_owned(), value: 1.0 };
            let exp_samples = if fires { vec![sample] } else { Vec::new() };
            self.promql_expr_test.push(Question { expr: expr.clone(), eval_time: format!("{minute}m"), exp_samples });
        }
        self
    }
}

/// A limit in simulated time: the steps in which a test goes through it.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Minutes between two samples.
    pub minutes: u64,
    /// How many steps end within the limit.
    pub within: u64,
}

impl Steps {
    /// The steps through a limit.
    pub fn through(limit: Duration) -> Self {
        let minutes = if limit <= BY_MINUTES { 1 } else { seconds(limit).div_ceil(60 * STEPS) };
        Self { minutes, within: limit.as_secs() / 60 / minutes }
    }

    /// The minute at which a step ends, counted from the last one within the limit.
    pub const fn minute(self, after: u64) -> u64 {
        (self.within + after) * self.minutes
    }
}
