//! Unit tests of rules, as `promtool test rules` reads them.

use serde::Serialize;

/// A file of tests.
#[derive(Clone, Debug, Serialize)]
pub struct TestFile {
    pub rule_files: Vec<String>,
    pub evaluation_interval: &'static str,
    pub tests: Vec<UnitTest>,
}

/// A test: series over simulated time, and what is asked of them.
#[derive(Clone, Debug, Serialize)]
pub struct UnitTest {
    pub name: String,
    pub interval: &'static str,
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
        Self { name: name.into(), interval: "1m", input_series: Vec::new(), promql_expr_test: Vec::new() }
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
