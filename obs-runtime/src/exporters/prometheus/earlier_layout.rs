//! Converts the content of textfiles that earlier versions of obs wrote. Those files have HELP lines, and the version of the
//! program on every series.

use std::collections::BTreeMap;

use crate::exporters::prometheus::exposition::{Exposition, Metric, pairs};
use crate::metrics::catalogue::Kind;

/// The content in the current layout: the series of all versions of the program are added up.
pub fn convert(earlier: Exposition) -> Exposition {
    let mut converted = Exposition::default();
    for (name, metric) in earlier.metrics {
        // Two gauges in its place.
        if name == "obs_flush_duration_seconds" {
            continue;
        }
        let renames = name == "cli_command_duration_seconds" && metric.kind == Kind::Histogram;
        let mut sum = Metric::new(metric.kind, metric.help, BTreeMap::new());
        for (labels, sample) in metric.series {
            sum.put(current(&labels, renames), sample);
        }
        converted.metrics.insert(name, sum);
    }
    converted
}

/// The labels without `version`. With `renames`, `success` becomes `outcome`; what did not succeed counts as `error`.
fn current(labels: &str, renames: bool) -> String {
    let kept = pairs(labels).unwrap_or_default().into_iter().filter(|pair| !pair.starts_with("version="));
    let converted = kept.map(|pair| match pair {
        r#"success="true""# if renames => r#"outcome="ok""#,
        r#"success="false""# if renames => r#"outcome="error""#,
        other => other,
    });
    converted.collect::<Vec<_>>().join(",")
}
