//! Checks of rows, values, orders and aggregates: what they measure and show.

use std::time::Duration;

use obs_runtime::tables::{
    Comparison, Order, SqliteTable, accepted_pairs, aggregate, aggregate_of, avg, column_count, column_order,
    column_type, distinct_count, distinct_ratio, distribution, does_not_match, expr, failing_rows, has_columns, length,
    matches, max, median, min, monotonic, no_gaps, null_ratio, pair, quantile, query, range, rejected_values,
    required_values, row_count, rows_where, stddev, sum, sum_equals, uniqueness,
};
use obs_runtime::{Measured, Verdict};

use super::{database, now, table};

const PARCELS: &str = "
CREATE TABLE parcels (id INTEGER, code TEXT, email TEXT, net REAL, tax REAL, gross REAL, sent TEXT, received TEXT,
    country TEXT, currency TEXT, meter INTEGER, number INTEGER);
INSERT INTO parcels VALUES
    (1, 'AB', 'Ann@x.de', 0.1, 0.2, 0.3, '2026-11-01', '2026-11-02', 'DE', 'EUR', 10, 1),
    (2, 'ABC', 'ann@x.de', 10, 2, 12, '2026-11-02', '2026-11-02', 'DE', 'USD', 12, 2),
    (3, 'Ä', NULL, 10, 2, 13, '2026-11-05', '2026-11-04', 'US', 'USD', 11, 4),
    (4, '', 'ben', 1, NULL, 1, '2026-11-06', NULL, 'US', NULL, 11, 8),
    (5, NULL, 'eve@y.fr', 4, 4, 8, NULL, '2026-11-09', NULL, 'EUR', 20, 9);";

fn parcels() -> SqliteTable {
    database("parcels", PARCELS)
}

#[test]
fn rows_meet_a_condition_and_queries_return_failures() {
    let parcels = parcels();
    let early = rows_where(&parcels, "received >= sent");
    assert_eq!(now(early.measure()).unwrap(), Measured::ratio(1, 3));
    let keyed = now(rows_where(&parcels, "received >= sent").keys(["id"]).measure()).unwrap();
    assert_eq!(keyed.keys[0]["id"], "3");
    let bound = rows_where(&parcels, "net < ? AND id <> ?").with((5, 2)).only("id <= ?", [4]);
    assert_eq!(now(bound.measure()).unwrap(), Measured::ratio(2, 4));
    let failing = failing_rows(&parcels, "SELECT id, email FROM parcels WHERE net + tax > ?").with([11.0]).keys(["id"]);
    let failing = now(failing.measure()).unwrap();
    assert_eq!((failing.value, failing.of, &*failing.sample), (2.0, None, &["id=2".to_owned(), "id=3".to_owned()][..]));
    let none = failing_rows(&parcels, "SELECT id FROM parcels WHERE FALSE").keys(["id"]);
    assert_eq!(now(none.measure()).unwrap(), Measured::number(0.0));
    assert!(now(failing_rows(&parcels, "SELECT nothing FROM parcels").measure()).is_err());
}

#[test]
fn expressions_and_queries_stand_for_columns_and_tables() {
    let parcels = parcels();
    assert_eq!(now(uniqueness(&parcels, ["email"]).measure()).unwrap(), Measured::ratio(0, 4));
    let repeated = now(uniqueness(&parcels, [expr("lower(email)")]).keys(["id"]).measure()).unwrap();
    assert_eq!((repeated.value, repeated.of), (1.0, Some(4)));
    // An expression of a column whose name is secret.
    assert_eq!(repeated.sample[0], "id=1, lower(email)=[REDACTED]");
    let days = query(&parcels, "SELECT country, SUM(net) AS total FROM parcels WHERE id > ? GROUP BY country", [1]);
    let low = range(&days, "total", 10..).only("country IS NOT NULL AND country <> ?", ["FR"]).keys(["country"]);
    assert_eq!(now(low.measure()).unwrap(), Measured::ratio(0, 2));
    let high = now(range(&days, "total", ..10.5).keys(["country"]).measure()).unwrap();
    assert_eq!(high.sample, ["country=US, total=11.0"]);
    assert_eq!(now(row_count(&days).measure()).unwrap(), Measured::number(3.0));
    assert!(now(column_count(&days)).is_err());
}

#[test]
fn texts_match_patterns_and_have_lengths() {
    let parcels = parcels();
    let odd = matches(&parcels, "email", "^[^@ ]+@[^@ ]+$").sampled();
    assert_eq!(now(odd.measure()).unwrap(), Measured::ratio(1, 4).with_sample(["[REDACTED]"]));
    assert_eq!(now(does_not_match(&parcels, "code", "^A").measure()).unwrap(), Measured::ratio(2, 4));
    assert_eq!(now(matches(&parcels, "id", "^[1-4]$").measure()).unwrap(), Measured::ratio(1, 5));
    let error = now(matches(&parcels, "code", "(").measure()).unwrap_err();
    assert!(error.to_string().contains("unclosed group"), "{error}");
    // A character, not a byte.
    let short = length(&parcels, "code", 2..=3).sampled();
    assert_eq!(now(short.measure()).unwrap(), Measured::ratio(2, 4).with_sample(["", "Ä"]));
    assert_eq!(now(length(&parcels, "code", ..).measure()).unwrap(), Measured::ratio(0, 4));
    assert_eq!(now(rejected_values(&parcels, "country", ["US"]).measure()).unwrap(), Measured::ratio(2, 4));
    assert_eq!(now(rejected_values(&parcels, "country", []).measure()).unwrap(), Measured::ratio(0, 4));
    assert_eq!(now(required_values(&parcels, "country", ["US", "FR"]).measure()).unwrap(), Measured::ratio(1, 2));
    assert_eq!(now(required_values(&parcels, "country", []).measure()).unwrap(), Measured::ratio(0, 0));
}

#[test]
fn columns_of_a_row_are_compared_and_added() {
    let parcels = parcels();
    let of = |comparison| now(pair(&parcels, "received", comparison, "sent").measure()).unwrap().value;
    let all = [Comparison::AtLeast, Comparison::Greater, Comparison::Equal, Comparison::Different];
    assert_eq!(all.map(of), [1.0, 2.0, 2.0, 1.0]);
    assert_eq!([Comparison::Less, Comparison::AtMost].map(of), [2.0, 1.0]);
    let money = accepted_pairs(&parcels, "country", "currency", [("DE", "EUR"), ("US", "USD")]).keys(["id"]);
    let money = now(money.measure()).unwrap();
    assert_eq!((money.value, money.of, &*money.sample[0]), (1.0, Some(3), "id=2, country=DE, currency=USD"));
    let sums = sum_equals(&parcels, ["net", "tax"], "gross").keys(["id"]);
    let sums = now(sums.measure()).unwrap();
    assert_eq!((sums.value, sums.of, &*sums.keys[0]["id"]), (1.0, Some(4), "3"));
    assert_eq!(now(sum_equals(&parcels, ["net", "tax"], expr("12")).measure()).unwrap(), Measured::ratio(2, 4));
    assert!(now(sum_equals(&parcels, ["net", "code"], "gross").measure()).is_err(), "a text is no number");
}

#[test]
fn values_are_counted_and_stand_in_order() {
    let parcels = parcels();
    assert_eq!(now(distinct_count(&parcels, ["meter"]).measure()).unwrap(), Measured::number(4.0));
    assert_eq!(now(distinct_count(&parcels, ["country", "currency"]).measure()).unwrap(), Measured::number(3.0));
    assert_eq!(now(distinct_ratio(&parcels, ["meter"]).measure()).unwrap(), Measured::ratio(4, 5));
    let back = monotonic(&parcels, "meter", "id", Order::Increasing).keys(["id"]);
    let back = now(back.measure()).unwrap();
    assert_eq!((back.value, back.of, &*back.keys[0]["id"]), (1.0, Some(5), "3"));
    let of = |order| now(monotonic(&parcels, "meter", "id", order).measure()).unwrap().value;
    assert_eq!([Order::StrictlyIncreasing, Order::Decreasing, Order::StrictlyDecreasing].map(of), [2.0, 2.0, 3.0]);
    let numbers = now(no_gaps(&parcels, "number", 1).sampled().measure()).unwrap();
    assert_eq!((numbers.value, numbers.of), (4.0, None));
    assert_eq!(numbers.sample, ["2, 4", "4, 8"]);
    let days = no_gaps(&parcels, "sent", Duration::from_hours(24)).keys(["id"]);
    let days = now(days.measure()).unwrap();
    assert_eq!((days.value, &*days.sample), (2.0, &["id=2, sent=2026-11-02, sent=2026-11-05".to_owned()][..]));
    let none = no_gaps(&parcels, "number", 1).only("id > ?", [9]);
    assert_eq!(now(none.measure()).unwrap(), Measured::ratio(0, 0), "no data");
}

#[test]
fn columns_are_aggregated() {
    let parcels = parcels();
    let of = |what| now(aggregate(&parcels, what).measure()).unwrap().value;
    let all = [avg("net"), sum("net"), min("net"), max("net"), median("net"), quantile("net", 0.25)].map(of);
    assert!((all[0] - 5.02).abs() < 1e-9 && (all[1] - 25.1).abs() < 1e-9, "{all:?}");
    assert_eq!(all[2..], [0.1, 10.0, 4.0, 1.0]);
    assert!((of(stddev("net")) - 22.752_f64.sqrt()).abs() < 1e-9, "{}", of(stddev("net")));
    assert_eq!([quantile("net", 0.0), quantile("net", 1.0)].map(of), [0.1, 10.0]);
    assert_eq!(of(aggregate_of(expr("SUM(id) / 5.0"))), 3.0);
    assert_eq!(of(sum(expr("net * 2"))), 50.2);
    let none = aggregate(&parcels, avg("net")).only("id > ?", [9]);
    assert_eq!(now(none.measure()).unwrap(), Measured::ratio(0, 0), "no data");
    let error = now(aggregate(&parcels, avg("code")).measure()).unwrap_err();
    assert!(error.to_string().contains("values in mean of code are not numbers"), "{error}");
    assert!(now(aggregate(&parcels, median("code")).measure()).is_err());
    assert_eq!(now(aggregate(&parcels, avg("code")).as_number().measure()).unwrap(), Measured::ratio(0, 0));
}

#[test]
fn a_distribution_names_what_is_outside() {
    let parcels = parcels();
    let fine = distribution(&parcels, "net").mean(5.0..6.0).stddev(4.0..).quantile(0.95, ..=10.0).median(4.0..=4.0);
    let verdict = now(fine.measure()).unwrap();
    assert!(format!("{verdict:?}").contains("status: Passed"), "{verdict:?}");
    let wrong = now(distribution(&parcels, "net").min(1.0..).max(..10.0).mean(..9.0).measure()).unwrap();
    let shown = format!("{wrong:?}");
    for part in ["smallest net, largest net outside", "smallest net from 1", "largest net below 10", "smallest net 0.1"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let none = distribution(&parcels, "net").mean(0.0..).only("id > ?", [9]);
    assert_eq!(now(none.measure()).unwrap(), Verdict::no_data());
    // The deviation of one value is unknown.
    let one = distribution(&parcels, "net").stddev(0.0..).only("id = ?", [1]);
    assert!(format!("{:?}", now(one.measure()).unwrap()).contains("standard deviation of net unknown"));
    assert!(now(distribution(&parcels, "code").mean(0.0..).measure()).is_err());
    assert!(now(distribution(&parcels, "net").measure()).is_err(), "it expects nothing");
}

#[test]
fn numbers_are_compared_over_databases() {
    let (parcels, orders) = (parcels(), table("orders"));
    let differ = now(row_count(&parcels).compared_with(row_count(&orders)).measure()).unwrap();
    assert_eq!((differ.value, differ.of), (2.0, Some(7)));
    assert_eq!(differ.message.as_deref(), Some("parcels has 5, orders has 7"));
    let same = row_count(&parcels).compared_with(row_count(&orders).only("id < ?", [4]));
    assert_eq!(now(same.measure()).unwrap().value, 1.0);
    let sums = aggregate(&parcels, sum("id")).compared_with(aggregate(&orders, sum("id")));
    assert_eq!(now(sums.measure()).unwrap().value, 1.0 / 14.0);
    assert!(now(null_ratio(&parcels, "id").compared_with(row_count(&orders)).measure()).is_err());
}

#[test]
fn columns_have_names_an_order_and_types() {
    let customers = table("customers");
    assert_eq!(now(has_columns(&customers, ["NAME"])).unwrap(), Verdict::passed());
    let missing = now(has_columns(&customers, ["id", "born"])).unwrap();
    assert_eq!(missing, Verdict::failed("born is missing").expected("id, born").seen("id INTEGER, name TEXT"));
    assert_eq!(now(column_order(&customers, ["id", "name"])).unwrap(), Verdict::passed());
    let order = now(column_order(&customers, ["name", "id"])).unwrap();
    assert_eq!(order, Verdict::failed("column 1 is id, not name").expected("name, id").seen("id, name"));
    let shorter = now(column_order(&customers, ["id"])).unwrap();
    assert_eq!(shorter, Verdict::failed("column 2 is name, not none").expected("id").seen("id, name"));
    assert_eq!(now(column_type(&customers, "id", ["BIGINT", "integer"])).unwrap(), Verdict::passed());
    assert_eq!(now(column_type(&customers, "no", ["TEXT"])).unwrap(), Verdict::failed("no is missing"));
    assert_eq!(now(column_count(&customers)).unwrap(), 2);
}

#[test]
fn sqlite_has_the_functions_that_checks_need() {
    let parcels = parcels();
    let of = |sql: &str| now(aggregate(&parcels, aggregate_of(expr(sql))).measure()).unwrap().value;
    assert_eq!(of("SUM(sqrt(16))"), 20.0);
    assert_eq!(of("SUM(code REGEXP 'B')"), 2.0);
    assert_eq!(of("median(meter)"), 11.0);
    assert_eq!(of("quantile(meter, 0.9)"), 20.0);
    assert!((of("variance(id)") - 2.5).abs() < 1e-12 && (of("var_pop(id)") - 2.0).abs() < 1e-12);
    assert!((of("stddev(id)") - 2.5_f64.sqrt()).abs() < 1e-12 && (of("stddev_pop(id)") - 2_f64.sqrt()).abs() < 1e-12);
    assert!(now(aggregate(&parcels, aggregate_of(expr("quantile(id, 9)"))).measure()).is_err());
}
