//! OpenMetrics, version 1.0: names of families without `_total`, UNIT lines, created timestamps, `target_info` and an end
//! marker.
//!
//! Bucket bounds are written as in the text format (`1`, although OpenMetrics recommends `1.0`): they are label values, so
//! that a series is the same in both formats and in a textfile.

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::text::{Extras, capacity, push_all, write_series};
use crate::metrics::catalogue::Kind;

/// Units for UNIT lines, if the family's name ends with one.
const UNITS: [&str; 3] = ["seconds", "bytes", "usd"];

/// Renders an exposition.
pub fn write(exposition: &Exposition) -> String {
    let mut text = String::with_capacity(capacity(exposition));
    for (name, metric) in &exposition.metrics {
        // A counter `x_total` has the family name `x` in OpenMetrics, unless another metric has that name.
        let family = match name.strip_suffix("_total") {
            Some(family) if metric.kind == Kind::Counter && !exposition.metrics.contains_key(family) => Some(family),
            _ if metric.kind == Kind::Counter => None,
            _ => Some(&**name),
        };
        let (family, kind) = family.map_or((&**name, "unknown"), |family| (family, metric.kind_name()));
        push_all(&mut text, &["# TYPE ", family, " ", kind, "\n"]);
        let has = |unit: &str| family.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        if let Some(unit) = UNITS.into_iter().find(|unit| has(unit)) {
            push_all(&mut text, &["# UNIT ", family, " ", unit, "\n"]);
        }
        // OpenMetrics escapes quotation marks in HELP lines.
        push_all(&mut text, &["# HELP ", family, " ", &metric.help.replace('"', "\\\""), "\n"]);
        let created = match (kind, exposition.created) {
            ("counter" | "histogram", Some(at)) => Some(([family, "_created"].concat(), at)),
            _ => None,
        };
        let created = created.as_ref().map(|(name, at)| (&**name, *at));
        write_series(&mut text, name, metric, Extras { exemplars: true, created });
    }
    if !exposition.target.is_empty() {
        push_all(
            &mut text,
            &["# TYPE target info\n# HELP target The program.\ntarget_info{", &exposition.target, "} 1\n"],
        );
    }
    text.push_str("# EOF\n");
    text
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::metrics::catalogue;
    use crate::metrics::snapshot::{Labels, SnapshotBuilder};

    fn labels(labels: &[(&'static str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect()
    }

    #[test]
    fn families_of_counters_have_no_total_and_units_are_named() {
        let mut builder = SnapshotBuilder::default();
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "load")]), 3.0);
        builder.number(&catalogue::CLI_COMMAND_LAST_SUCCESS_TIMESTAMP_SECONDS, labels(&[("command", "load")]), 0.5);
        let text = write(&Exposition::new(builder.finish(), &[("service", "etl")]));
        let expected = "\
# TYPE cli_command_last_success_timestamp_seconds gauge
# UNIT cli_command_last_success_timestamp_seconds seconds
# HELP cli_command_last_success_timestamp_seconds Time of the command's last success.
cli_command_last_success_timestamp_seconds{command=\"load\",service=\"etl\"} 0.5
# TYPE operation_success counter
# HELP operation_success Calls of an operation that succeeded.
operation_success_total{operation=\"load\",service=\"etl\"} 3
# EOF
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_counter_whose_family_name_is_taken_has_an_unknown_type() {
        let rendered = "# TYPE x gauge\nx 1\n\n# TYPE x_total counter\nx_total 2\n\n";
        let mut exposition = Exposition::default();
        for (name, metric) in crate::exporters::prometheus::rendered::parse(rendered) {
            assert!(exposition.include(&name, metric));
        }
        let text = write(&exposition);
        assert!(text.contains("# TYPE x gauge\n") && text.contains("# TYPE x_total unknown\n"), "{text}");
    }
}
