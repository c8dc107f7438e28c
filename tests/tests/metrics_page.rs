//! `METRICS.md` agrees with the catalogue.

use std::fmt::Write;
use std::path::Path;

use obs_runtime::catalogue::{BYTES, FAMILIES, Family, Kind, ROWS, SECONDS, USD, Unit};

const BEGINNING: &str = "\
# Metrics

<!-- Generated: UPDATE_PAGES=1 cargo test -p obs-tests --test metrics_page -->
All metric families of obs. Datadog uses the names of the first column, Prometheus those of the second. Every series has
the labels `service` and `environment` (in Datadog `service`, `env` and `version`), then those of the family, then the tags
of the function. In Prometheus the version is a label of `obs_build_info` alone, so that a deploy ends no series:

```promql
rate(operation_failure_total[5m]) * on (service, environment, instance) group_left (version) obs_build_info
```

The counters of a function are there as 0 once it has run, those of a command as soon as the program has: `increase` and
`rate` see the first failure. A label value that only a failure brings, such as `error_type`, has no 0 before it. OpenMetrics
has the time of creation of every counter and histogram, and `target_info`.

| family | in Prometheus | kind | unit | labels | help |
| --- | --- | --- | --- | --- | --- |
";

fn prometheus_name(family: &Family) -> String {
    let name = family.name.replace(['.', '-'], "_");
    if family.kind == Kind::Counter { name + "_total" } else { name }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "",
        Unit::Seconds => "seconds",
        Unit::UnixSeconds => "seconds since 1970",
        Unit::Bytes => "bytes",
        Unit::Rows => "rows",
        Unit::Usd => "US dollars",
        unit => panic!("no words for {unit:?}"),
    }
}

fn bounds(bounds: &[f64]) -> String {
    bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for family in FAMILIES {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = format!("{:?}", family.kind).to_lowercase();
        writeln!(
            page,
            "| `{}` | `{}` | {kind} | {} | {} | {} |",
            family.name,
            prometheus_name(family),
            unit(family.unit),
            labels.join(", "),
            family.help
        )
        .unwrap();
    }
    page.push_str("\nUpper bounds of the buckets of histograms; each histogram also has a bucket without a bound:\n\n| unit | bounds |\n| --- | --- |\n");
    for (unit, of) in [("seconds", &SECONDS[..]), ("bytes", &BYTES), ("rows", &ROWS), ("US dollars", &USD)] {
        writeln!(page, "| {unit} | {} |", bounds(of)).unwrap();
    }
    page.push_str(
        "\nPrometheus gets fewer buckets of these, so that a function and a command have at most 40 series with two outcomes. One with `slo_latency` has one bound more: the first of those above that is not below the objective.\n\n",
    );
    page.push_str("| family | bounds in Prometheus |\n| --- | --- |\n");
    for family in FAMILIES.iter().filter(|family| family.prometheus_buckets() != family.buckets()) {
        writeln!(page, "| `{}` | {} |", family.name, bounds(family.prometheus_buckets())).unwrap();
    }
    page
}

#[test]
fn the_page_is_generated_from_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../obs-runtime/METRICS.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "run UPDATE_PAGES=1 cargo test -p obs-tests --test metrics_page");
}
