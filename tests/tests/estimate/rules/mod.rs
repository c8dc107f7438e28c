//! Queries over made-up tables, with the bytes that BigQuery's documented rules give. The bytes are derived from the rule
//! that each group cites and from `tables.json`, not from what the estimate says.

mod columns;
mod functions;
mod joins;
mod kinds;
mod nested;
mod partitions;
mod pushed;
mod sizes;
mod time;
mod wildcards;

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, Estimator, Figure};

use crate::support::moment;

/// What the rules give for a query.
#[derive(Debug, Clone, Copy)]
pub enum Truth {
    /// These bytes; the estimate says that it is exact.
    Exact(u64),
    /// These bytes; the estimate is a bound.
    Bound(u64),
    /// These bytes; the estimate is a bound that may be far above, because the documentation promises no less.
    Far(u64),
    /// The bytes are not known before the query runs, or what it reads is not in the catalogue.
    Unknown,
}

/// Queries to which one rule applies.
pub struct Group {
    /// The rule, and the page that has it.
    pub rule: &'static str,
    pub queries: &'static [(&'static str, Truth)],
}

fn groups() -> impl Iterator<Item = &'static Group> {
    let all = [
        sizes::GROUPS,
        columns::GROUPS,
        joins::GROUPS,
        nested::GROUPS,
        partitions::GROUPS,
        time::GROUPS,
        pushed::GROUPS,
        wildcards::GROUPS,
        kinds::GROUPS,
        functions::GROUPS,
    ];
    all.into_iter().flatten()
}

/// When the queries run.
const NOW: &str = "2024-01-11T00:00:00Z";

fn estimated(catalogue: &Catalogue, sql: &str) -> Estimate {
    let estimator = Estimator::new(catalogue)
        .now(moment(NOW))
        .project("p")
        .parameter("day", "2024-01-03")
        .parameter("@last", "2024-01-04")
        .parameter("id", "150")
        .parameter("year", "2023");
    estimator.estimate(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// What is wrong with an estimate, if something is.
fn mismatch(estimate: &Estimate, truth: Truth) -> Option<&'static str> {
    let bytes = estimate.processed_bytes;
    match (truth, bytes, &estimate.figure) {
        (Truth::Exact(true_bytes), Some(bytes), Figure::Exact) if bytes == true_bytes => None,
        (Truth::Bound(true_bytes) | Truth::Far(true_bytes), Some(bytes), Figure::UpperBound) if bytes >= true_bytes => {
            None
        }
        (Truth::Unknown, None, _) => None,
        (Truth::Exact(true_bytes) | Truth::Bound(true_bytes) | Truth::Far(true_bytes), Some(bytes), _)
            if bytes < true_bytes =>
        {
            Some("too low")
        }
        _ => Some("not what the rule gives"),
    }
}

/// Whether an estimate is at most a tenth above what the query reads.
fn is_near(estimate: &Estimate, truth: Truth) -> bool {
    match truth {
        Truth::Exact(true_bytes) | Truth::Bound(true_bytes) | Truth::Far(true_bytes) => {
            estimate.processed_bytes.is_some_and(|bytes| bytes.saturating_mul(10) <= true_bytes.saturating_mul(11))
        }
        Truth::Unknown => true,
    }
}

#[test]
fn no_estimate_is_too_low_and_most_are_near() {
    let catalogue = Catalogue::from_json(include_str!("tables.json"), "tables.json").unwrap();
    let (mut wrong, mut far) = (Vec::new(), Vec::new());
    let (mut all, mut knowable) = (0, 0);
    for group in groups() {
        assert!(group.rule.contains("https://cloud.google.com/bigquery/"), "{}", group.rule);
        for (sql, truth) in group.queries {
            let estimate = estimated(&catalogue, sql);
            all += 1;
            knowable += usize::from(!matches!(truth, Truth::Unknown));
            if let Some(why) = mismatch(&estimate, *truth) {
                wrong.push(format!("{sql}\n{}\n{why}: {truth:?}, estimated\n{estimate}", group.rule));
            } else if !is_near(&estimate, *truth) {
                far.push(*sql);
                if !matches!(truth, Truth::Far(_)) {
                    wrong.push(format!("{sql}\n{}\nfar above {truth:?}\n{estimate}", group.rule));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 200, "{all} queries");
    let share = 100 * (knowable - far.len()) / knowable;
    assert!(share >= 85, "{share} % of {knowable} are near; far above are\n{}", far.join("\n"));
}

#[test]
fn each_query_is_in_the_table_once() {
    let mut queries: Vec<&str> = groups().flat_map(|group| group.queries).map(|(sql, _)| *sql).collect();
    queries.sort_unstable();
    let twice = queries.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}
