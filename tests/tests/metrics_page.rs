//! `METRICS.md` agrees with the catalogue.

use std::fmt::Write;
use std::path::Path;

use obs_runtime::catalogue::{BYTES, FAMILIES, Family, Kind, ROWS, SECONDS, USD, Unit};

const BEGINNING: &str = "\
# Metrics

<!-- Generated: UPDATE_PAGES=1 cargo test -p obs-tests --test metrics_page -->
All metric families of obs. Datadog uses the names of the first column, Prometheus those of the second. Every series has
the labels `service`, `environment` and `version` (in Datadog `service`, `env` and `version`), then those of the family,
then the tags of the function.

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
