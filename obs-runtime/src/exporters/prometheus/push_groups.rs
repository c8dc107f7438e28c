//! Splits metrics into the groups of a Pushgateway.
//!
//! A Pushgateway keeps what was pushed last for each group, and puts the group's key on every series of it as labels. So that
//! two commands, environments or hosts do not replace each other, the key is job, environment, command and, if configured,
//! instance. The series of a nested command are pushed into the group of that command.

use std::collections::{BTreeMap, BTreeSet};

use crate::exporters::prometheus::exposition::{Exposition, Metric, Sample, pairs};

/// The metrics of one group.
#[derive(Debug)]
pub struct Group {
    /// The command in the group's key.
    pub command: Option<String>,
    pub exposition: Exposition,
    /// Whether the metrics are all that the group shall have. Before a command succeeds that is not so: the time of its last
    /// success stays.
    pub is_whole: bool,
}

/// The groups of metrics: first the one of the outermost command, which has everything but the series of other commands.
pub fn split(metrics: &Exposition, outermost: Option<&str>) -> Vec<Group> {
    let started = started(metrics);
    let mut groups: BTreeMap<Option<String>, Exposition> = BTreeMap::new();
    let main = outermost.map(str::to_owned);
    groups.entry(main.clone()).or_default();
    for (name, metric) in &metrics.metrics {
        for (labels, sample) in &metric.series {
            let is_of_command = name.starts_with("cli_command_");
            let (group, labels) = match command(labels) {
                Some(command) if is_of_command => {
                    if main.as_deref() != Some(&command) && !started.contains(&command) {
                        continue;
                    }
                    (Some(command), labels.clone())
                }
                // The label of the group would replace it.
                Some(_) if main.is_some() => (main.clone(), renamed(labels)),
                _ => (main.clone(), labels.clone()),
            };
            let group = groups.entry(group).or_default();
            let known = group.metrics.entry(name.clone());
            let known = known.or_insert_with(|| Metric::new(metric.kind, metric.help.clone(), BTreeMap::new()));
            known.put(labels, sample.clone());
        }
    }
    let main_group = groups.remove(&main).map(|exposition| {
        let is_whole = exposition.metrics.contains_key("cli_command_last_success_timestamp_seconds");
        Group { command: main, exposition, is_whole }
    });
    let others = groups.into_iter().map(|(command, exposition)| Group { command, exposition, is_whole: false });
    main_group.into_iter().chain(others).collect()
}

/// The commands that have started.
fn started(metrics: &Exposition) -> BTreeSet<String> {
    let series = metrics.metrics.get("cli_command_started_total").into_iter().flat_map(|metric| &metric.series);
    let started = series.filter(|(_, sample)| matches!(sample, Sample::Number(number) if *number > 0.0));
    started.filter_map(|(labels, _)| command(labels)).collect()
}

/// The value of the label `command`.
fn command(labels: &str) -> Option<String> {
    let pairs = pairs(labels)?;
    let value = pairs.iter().find_map(|pair| pair.strip_prefix("command=\"")?.strip_suffix('"'))?;
    let mut command = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        command.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                escaped => escaped,
            },
            plain => plain,
        });
    }
    Some(command)
}

/// The labels with `tag_command` in place of `command`.
fn renamed(labels: &str) -> String {
    let pairs = pairs(labels).unwrap_or_default();
    let renamed = pairs.into_iter().map(|pair| match pair.strip_prefix("command=") {
        Some(value) => format!("tag_command={value}"),
        None => pair.to_owned(),
    });
    renamed.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporters::prometheus::{parse, text};

    const METRICS: &str = "\
# TYPE cli_command_started_total counter
cli_command_started_total{command=\"a\\\"b\"} 1
cli_command_started_total{command=\"idle\"} 0
cli_command_started_total{command=\"inner\"} 2
# TYPE rows_total counter
rows_total{command=\"x\",table=\"t\"} 7
";

    fn groups(metrics: &str, outermost: Option<&str>) -> Vec<(Option<String>, bool, Vec<String>)> {
        let lines = |exposition: &Exposition| {
            let text = text::write_without_help(exposition);
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        let groups = split(&parse::parse(metrics).unwrap(), outermost);
        groups.into_iter().map(|group| (group.command, group.is_whole, lines(&group.exposition))).collect()
    }

    #[test]
    fn each_command_has_its_group_and_the_outermost_has_the_rest() {
        let expected = [
            (
                Some("a\"b".to_owned()),
                false,
                vec![
                    r#"cli_command_started_total{command="a\"b"} 1"#.to_owned(),
                    r#"rows_total{tag_command="x",table="t"} 7"#.to_owned(),
                ],
            ),
            (Some("inner".to_owned()), false, vec![r#"cli_command_started_total{command="inner"} 2"#.to_owned()]),
        ];
        assert_eq!(groups(METRICS, Some("a\"b")), expected);
    }

    #[test]
    fn a_program_without_a_command_has_one_group() {
        let rows = "# TYPE rows_total counter\nrows_total{command=\"x\",table=\"t\"} 7\n";
        assert_eq!(groups(rows, None), [(None, false, vec![r#"rows_total{command="x",table="t"} 7"#.to_owned()])]);
    }

    #[test]
    fn a_group_is_whole_once_its_command_has_succeeded() {
        let succeeded = "# TYPE cli_command_last_success_timestamp_seconds gauge\n\
                         cli_command_last_success_timestamp_seconds{command=\"load\"} 5\n";
        assert!(groups(succeeded, Some("load"))[0].1);
    }
}
