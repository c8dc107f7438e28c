//! Checks of rows, values, orders and aggregates: what they measure and show.

use std::time::Duration;

use obs_runtime::tables::{
    Comparison, Order, SqliteTable, TableCheck, TableError, accepted_pairs, accepted_values, aggregate, aggregate_of,
    avg, column_count, column_order, column_type, distinct_count, distinct_ratio, distribution, does_not_match, expr,
    failing_rows, has_columns, length, matches, max, median, min, monotonic, no_gaps, null_ratio, pair, quantile,
    query, range, rejected_values, required_values, row_count, rows_where, schema_equality, stddev, sum, sum_equals,
    uniqueness,
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
    let letters = matches(&parcels, "code", r"^\p{Lu}+$").only("code <> ''", []);
    assert_eq!(now(letters.measure()).unwrap(), Measured::ratio(0, 3));
    let error = now(matches(&parcels, "code", "(").measure()).unwrap_err();
    assert!(error.to_string().contains("unclosed group"), "{error}");
    // A character, not a byte.
    let short = length(&parcels, "code", 2..=3).sampled();
    assert_eq!(now(short.measure()).unwrap(), Measured::ratio(2, 4).with_sample(["", "Ä"]));
    assert_eq!(now(length(&parcels, "code", ..).measure()).unwrap(), Measured::ratio(0, 4));
    assert_eq!(now(rejected_values(&parcels, "country", ["US"]).measure()).unwrap(), Measured::ratio(2, 4));
    assert_eq!(now(rejected_values(&parcels, "country", []).measure()).unwrap(), Measured::ratio(0, 4));
    assert_eq!(now(required_values(&parcels, "country", []).measure()).unwrap(), Measured::ratio(0, 0));
}

#[test]
fn required_values_that_no_row_has_are_named() {
    let parcels = parcels();
    let of = |check: TableCheck<'_, SqliteTable>| {
        let measured = now(check.measure()).unwrap();
        (measured.value, measured.of, measured.message.unwrap_or_default())
    };
    assert_eq!(of(required_values(&parcels, "country", ["US", "FR"])), (1.0, Some(2), "missing: FR".to_owned()));
    // A value that is repeated is one value.
    assert_eq!(of(required_values(&parcels, "country", ["US", "US", "DE"])), (0.0, Some(2), String::new()));
    let restricted = required_values(&parcels, "country", ["US", "DE"]).only("id < ?", [3]);
    assert_eq!(of(restricted), (1.0, Some(2), "missing: US".to_owned()));
    let many = required_values(&parcels, "id", (4..=20).collect::<Vec<i32>>());
    let named = "missing: 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 5 more".to_owned();
    assert_eq!(of(many), (15.0, Some(17), named));
    let secret = query(&parcels, "SELECT code AS password FROM parcels", []);
    let secret = now(required_values(&secret, "password", ["hunter2"]).measure()).unwrap();
    assert_eq!(secret.message.as_deref(), Some("missing: [REDACTED]"));
    let texts = database("texts", "CREATE TABLE texts (n TEXT); INSERT INTO texts VALUES ('5.0'), (' 6 '), ('x');");
    let numbers = required_values(&texts, "n", [5, 6, 7]).as_number();
    assert_eq!(of(numbers), (1.0, Some(3), "missing: 7".to_owned()));
}

#[test]
fn what_no_table_could_fulfil_is_refused_before_it_is_asked() {
    let parcels = parcels();
    let none: [&str; 0] = [];
    for (check, why) in [
        (no_gaps(&parcels, "number", 0), "must be above 0, not 0"),
        (no_gaps(&parcels, "number", -1), "must be above 0, not -1"),
        (no_gaps(&parcels, "number", f64::NAN), "must be above 0, not NaN"),
        (no_gaps(&parcels, "sent", Duration::ZERO), "must be above 0, not 0"),
        (aggregate(&parcels, quantile("net", 95.0)), "a share from 0 to 1, not 95"),
        (aggregate(&parcels, quantile("net", f64::NAN)), "a share from 0 to 1, not NaN"),
        (uniqueness(&parcels, none), "needs a column"),
        (distinct_count(&parcels, none), "needs a column"),
        (sum_equals(&parcels, none, "gross"), "needs a column to add"),
    ] {
        let error = now(check.measure()).unwrap_err();
        assert!(matches!(error, TableError::Unusable { .. }) && error.to_string().contains(why), "{why}: {error}");
    }
    let percent = now(distribution(&parcels, "net").quantile(95.0, ..1.0).measure()).unwrap_err();
    assert!(percent.to_string().contains("not 95: 0.95 is that of 95 %"), "{percent}");
}

#[test]
fn sql_may_end_in_a_comment_or_a_semicolon() {
    let parcels = parcels();
    let of = |check: TableCheck<'_, SqliteTable>| now(check.measure()).unwrap().value;
    assert_eq!(of(row_count(&parcels).only("id = 1 -- the first", []).only("net > 0", [])), 1.0);
    assert_eq!(of(rows_where(&parcels, "id > 1 -- not the first\n")), 1.0);
    assert_eq!(of(failing_rows(&parcels, "SELECT id FROM parcels;\n")), 5.0);
    assert_eq!(of(failing_rows(&parcels, "SELECT id FROM parcels -- all").only("id > 1", [])), 4.0);
    let most = query(&parcels, "SELECT id FROM parcels WHERE id > ? -- most\n ;", [2]);
    assert_eq!(now(row_count(&most).measure()).unwrap().value, 3.0);
    assert_eq!(of(null_ratio(&parcels, expr("email -- of the customer"))), 1.0);
}

#[test]
fn infinite_numbers_are_values_and_mixed_lists_are_compared_as_they_are() {
    let odd = database(
        "odd",
        "CREATE TABLE odd (id INTEGER, n REAL, x); INSERT INTO odd VALUES (1, 9e999, 'a'), (2, 1, 7), (3, 2, 'b');",
    );
    let of = |check: TableCheck<'_, SqliteTable>| now(check.measure()).unwrap().value;
    assert_eq!([max("n"), sum("n"), avg("n")].map(|what| of(aggregate(&odd, what))), [f64::INFINITY; 3]);
    let high = now(distribution(&odd, "n").max(..10.0).measure()).unwrap();
    assert!(format!("{high:?}").contains("largest n inf"), "{high:?}");
    // The sum of both infinities is no number, which is no reason to pass.
    let both = aggregate(&odd, sum(expr("CASE id WHEN 1 THEN 9e999 ELSE -9e999 END")));
    assert!(of(both).is_nan());
    assert_eq!(of(accepted_values(&odd, "x", ("a", 7))), 1.0);
    let texts = now(accepted_values(&odd, "x", ["a", "b"]).measure()).unwrap_err();
    assert!(matches!(texts, TableError::Mismatch { count: 1, .. }), "{texts}");
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
    let none = now(no_gaps(&parcels, "number", 1).only("id > ?", [9]).measure()).unwrap();
    assert_eq!((none.of, none.message.as_deref()), (Some(0), Some("no row has a value in number")));
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
    let none = now(aggregate(&parcels, avg("net")).only("id > ?", [9]).measure()).unwrap();
    assert_eq!((none.of, none.message.as_deref()), (Some(0), Some("no row has a value in net")));
    let one = now(aggregate(&parcels, stddev("net")).only("id = ?", [1]).measure()).unwrap();
    assert_eq!((one.of, one.message.as_deref()), (Some(0), Some("the standard deviation of net is unknown")));
    let error = now(aggregate(&parcels, avg("code")).measure()).unwrap_err();
    assert!(error.to_string().contains("values in mean of code are not numbers"), "{error}");
    assert!(now(aggregate(&parcels, median("code")).measure()).is_err());
    assert_eq!(now(aggregate(&parcels, avg("code")).as_number().measure()).unwrap().of, Some(0));
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
    let view = database("view", "CREATE TABLE t (n REAL); CREATE VIEW view AS SELECT n, n + 1 AS more FROM t;");
    let untyped = now(column_type(&view, "more", ["REAL"])).unwrap();
    assert_eq!(untyped, Verdict::failed("more has no type").expected("REAL").seen(""));
    let untyped = now(schema_equality(&view, [("n", "REAL"), ("more", "REAL")])).unwrap();
    let expected = Verdict::failed("more has no type, not REAL").expected("n REAL, more REAL").seen("n REAL, more");
    assert_eq!(untyped, expected);
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
