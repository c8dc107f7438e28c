//! Groups of rows, and which of them is told.

use obs_runtime::tables::{
    Order, SqliteTable, TableError, accepted_values, aggregate, distinct_count, expr, freshness, median, monotonic,
    no_gaps, null_ratio, row_count, uniqueness,
};
use obs_runtime::testing::capture;
use obs_runtime::{Measured, QualityStatus, dq_check, run_dq_checks};

use super::{database, now};

/// 25 regions with ten rows each; the region `r7` has four rows without a value, `r8` one. A region has no name.
const SALES: &str = "
CREATE TABLE sales AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 249)
    SELECT i AS id, 'r' || (i % 25) AS region, i / 25 AS step, i * 1.0 AS amount, 'ann' || (i % 25) || '@x.de' AS email FROM n;
UPDATE sales SET amount = NULL WHERE region = 'r7' AND step < 4 OR region = 'r8' AND step = 0;
UPDATE sales SET region = NULL WHERE region = 'r9';";

fn sales() -> SqliteTable {
    database("sales", SALES)
}

#[dq_check(dataset = "groups", fail_above = 0.2, warn_above = 0.05)]
async fn nulls_by_region() -> Result<Measured, TableError> {
    null_ratio(&sales(), "amount").by(["region"]).measure().await
}

#[dq_check(dataset = "groups", fail_below = 10)]
async fn rows_by_region() -> Result<Measured, TableError> {
    row_count(&sales()).only("id <> ?", [30]).by(["region"]).measure().await
}

#[dq_check(dataset = "groups", fail_above = 0.5)]
async fn nulls_by_address() -> Result<Measured, TableError> {
    null_ratio(&sales(), "amount").by(["email"]).keys(["id"]).measure().await
}

#[dq_check(dataset = "groups", fail_above = 0.3)]
async fn rows_and_groups() -> Result<Measured, TableError> {
    null_ratio(&sales(), "amount").by(["region"]).keys(["id"]).measure().await
}

#[test]
fn the_worst_group_is_judged_and_told() {
    let report = capture(|| run_dq_checks().dataset("groups").wait()).value;
    let found = |name: &str| report.results.iter().find(|result| result.check == name).unwrap();
    let nulls = found("nulls_by_region");
    assert_eq!((nulls.status, nulls.value, nulls.of), (QualityStatus::Failed, Some(0.4), Some(10)), "{nulls:?}");
    assert_eq!(nulls.message.as_deref(), Some("region=r7 is the worst of 25 groups"));
    assert_eq!(nulls.sample, ["region=r7: 0.4 (4 of 10)", "region=r8: 0.1 (1 of 10)"]);
    assert_eq!(nulls.keys[0]["region"], "r7");
    // Only the smallest groups can fail.
    let rows = found("rows_by_region");
    assert_eq!(
        (rows.status, rows.value, &*rows.sample),
        (QualityStatus::Failed, Some(9.0), &["region=r5: 9".to_owned()][..])
    );
    let addresses = found("nulls_by_address");
    assert_eq!((addresses.status, addresses.sample.len()), (QualityStatus::Passed, 0));
    assert_eq!(addresses.message.as_deref(), Some("email=[REDACTED] is the worst of 25 groups"));
    let both = found("rows_and_groups");
    let expected = ["region=r7: 0.4 (4 of 10)", "id=32, region=r7", "id=57, region=r7", "id=7, region=r7"];
    assert_eq!(both.sample[..4], expected, "{both:?}");
    let keys: Vec<_> = both.keys.iter().map(|keys| keys.keys().map(String::as_str).collect::<Vec<_>>()).collect();
    assert_eq!(keys, vec![["id"]; 5], "{both:?}");
}

#[test]
fn every_kind_of_check_has_groups() {
    let sales = sales();
    let of = |check: obs_runtime::tables::TableCheck<'_, _>| {
        let measured = now(check.measure()).unwrap();
        (measured.value, measured.of)
    };
    assert_eq!(of(accepted_values(&sales, "step", [0, 1, 2, 3, 4, 5, 6, 7, 8]).by(["region"])), (1.0, Some(10)));
    assert_eq!(of(uniqueness(&sales, ["step"]).by(["region"])), (0.0, Some(10)));
    assert_eq!(of(distinct_count(&sales, ["id"]).by(["region", "step"])), (1.0, None));
    assert_eq!(of(monotonic(&sales, "amount", "id", Order::Decreasing).by(["region"])), (9.0, Some(10)));
    assert_eq!(of(no_gaps(&sales, "id", 25).by(["email"])), (0.0, None));
    assert_eq!(of(no_gaps(&sales, "id", 5).by(["email"])), (36.0, None));
    assert_eq!(of(aggregate(&sales, median("amount")).by(["region"])).1, None);
    let error = now(freshness(&sales, "region").by(["region"]).only("region IS NOT NULL", []).measure()).unwrap_err();
    assert!(matches!(error, TableError::NoTime { .. }), "{error}");
    // A group without a time has no data; the others are measured.
    let times = expr("CASE WHEN region IS NOT NULL THEN unixepoch() - 60 END");
    let ages = now(freshness(&sales, times).by(["region"]).measure()).unwrap();
    assert!((60.0..600.0).contains(&ages.value), "{ages:?}");
    // NULL is a group; a group of nothing is none.
    assert_eq!(of(row_count(&sales).by(["region"]).only("region IS NULL", [])), (10.0, None));
    assert_eq!(of(row_count(&sales).by(["region"]).only("FALSE", [])), (0.0, Some(0)));
    let error = now(accepted_values(&sales, "region", [1]).by(["step"]).measure()).unwrap_err();
    assert!(error.to_string().contains("are not numbers"), "{error}");
}
