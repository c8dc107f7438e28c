//! The queries of the documentation.

/// The ways to Prometheus, in the order in which tests have them.
pub const WAYS: [&str; 5] = ["textfile", "Pushgateway", "scrape", "statsd", "OTLP"];

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Alert {
    pub name: &'static str,
    pub query: &'static str,
    /// Whether each of [`WAYS`] knows it.
    pub is_known_by: [bool; 5],
}

/// The rows of the table of queries.
pub fn alerts() -> Vec<Alert> {
    let page = include_str!("../../../obs-runtime/docs/metrics.md");
    let (_, table) = page.split_once("| alert | query | ways |\n| --- | --- | --- |\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let alerts = rows.map(|row| {
        let [name, query, ways] = row.split(" | ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        let ways: Vec<_> = ways.split(", ").collect();
        assert!(ways.iter().all(|way| *way == "all" || WAYS.contains(way)), "{ways:?}");
        let is_known_by = WAYS.map(|way| ways.contains(&way) || ways == ["all"]);
        Alert { name, query: query.trim_matches('`'), is_known_by }
    });
    alerts.collect()
}

/// The alert of this name.
#[track_caller]
pub fn alert(name: &str) -> Alert {
    alerts().into_iter().find(|alert| alert.name == name).unwrap_or_else(|| panic!("no alert {name}"))
}
