//! OpenMetrics, version 1.0: the text format with names of families without `_total`, units and an end.
//!
//! Bounds of buckets are written as in the other format (`1`, where OpenMetrics would like `1.0` better), because to
//! Prometheus 2 they are labels: whichever format it asks for, and in a textfile, a series is the same.

use crate::metrics::catalogue::Kind;

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::text::{push_all, room, write_series};

/// Units that may stand in a UNIT line, when the family's name ends in one.
const UNITS: [&str; 3] = ["seconds", "bytes", "usd"];

/// The text of an exposition.
pub fn write(exposition: &Exposition) -> String {
    let mut text = String::with_capacity(room(exposition));
    for (name, metric) in &exposition.metrics {
        // To OpenMetrics a counter `x_total` is the family `x`, which can be there once.
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
        // Here a quotation mark in a HELP line is escaped too.
        push_all(&mut text, &["# HELP ", family, " ", &metric.help.replace('"', "\\\""), "\n"]);
        write_series(&mut text, name, metric, true);
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
    fn families_of_counters_are_without_total_and_units_are_named() {
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
    fn a_counter_whose_family_is_taken_is_of_unknown_kind() {
        let rendered = "# TYPE x gauge\nx 1\n\n# TYPE x_total counter\nx_total 2\n\n";
        let mut exposition = Exposition::default();
        for (name, metric) in crate::exporters::prometheus::rendered::parse(rendered) {
            assert!(exposition.include(&name, metric));
        }
        let text = write(&exposition);
        assert!(text.contains("# TYPE x gauge\n") && text.contains("# TYPE x_total unknown\n"), "{text}");
    }
}
