//! The data-quality checks of a warehouse, with the commands to run them: on the file of SQLite that `WAREHOUSE` names, or the same on
//! BigQuery if `BIGQUERY_EMULATOR_HOST` is set. `data_quality/warehouse.py` makes the file.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use obs_runtime::bigquery::Client;
use obs_runtime::tables::{
    BigQueryTable, Comparison, Order, SqliteTable, Table, TableError, TableValue, accepted_pairs, accepted_values,
    aggregate, avg, distinct_count, distinct_ratio, does_not_match, expr, failing_rows, freshness, has_columns, length,
    matches, max, median, min, monotonic, no_gaps, null_ratio, pair, range, referential_integrity, rejected_values,
    required_values, row_count, rows_where, sum, sum_equals, uniqueness,
};
use obs_runtime::{Bounds, IntoMeasure, Measured, Observability, QualityCheck, Severity, cli};

#[derive(Parser)]
enum Command {
    #[command(flatten)]
    Obs(cli::Command),
}

struct Warehouse<T> {
    customers: T,
    orders: T,
    payments: T,
    products: T,
    events: T,
    /// The orders as SQL names them.
    orders_sql: &'static str,
}

/// A check of a table that has not been registered: `ask` gets the warehouse.
fn check<T, F, M>(
    warehouse: &Arc<Warehouse<T>>,
    name: &'static str,
    ask: impl Fn(Arc<Warehouse<T>>) -> F + Send + Sync + 'static,
) -> QualityCheck
where
    T: Table + Send + Sync + 'static,
    F: Future<Output = M> + 'static,
    M: IntoMeasure,
{
    let warehouse = Arc::clone(warehouse);
    let dataset = name.split('_').next().unwrap_or_default().to_owned();
    QualityCheck::new_async(name, move || ask(Arc::clone(&warehouse))).dataset(dataset).owner("warehouse team")
}

/// Registers a check: its name, how it is made from the warehouse, and its settings.
macro_rules! checks {
    ($warehouse:expr; $($name:ident: |$w:ident| $check:expr $(, $setting:ident($($value:expr),*))*;)*) => {$(
        check($warehouse, stringify!($name), |$w| async move { ($check).measure().await })$(.$setting($($value),*))*.register();
    )*};
}

fn register_customers<T: Table + Send + Sync + 'static>(warehouse: &Arc<Warehouse<T>>) {
    let hours = Duration::from_hours;
    checks! { warehouse;
        customers_rows: |w| row_count(&w.customers), fail_below(1.0);
        customers_email_null: |w| null_ratio(&w.customers, "email").keys(["id"]), fail_share(0.0005), column("email");
        customers_name_null: |w| null_ratio(&w.customers, "name").keys(["id"]), fail_rows(1);
        customers_id_unique: |w| uniqueness(&w.customers, ["id"]).keys(["id"]), fail_rows(1);
        customers_email_unique: |w| uniqueness(&w.customers, ["email"]).sampled(), fail_rows(1), severity(Severity::Warning);
        customers_email_unique_any_case: |w| uniqueness(&w.customers, [expr("lower(email)")]), warn_rows(1);
        customers_country: |w| accepted_values(&w.customers, "country", ["DE", "FR", "US"]).keys(["id"]), fail_rows(1),
            runbook("https://wiki.example.org/countries");
        customers_country_rejected: |w| rejected_values(&w.customers, "country", ["XX"]), fail_rows(1_000_000);
        customers_countries_required: |w| required_values(&w.customers, "country", ["DE", "FR", "US"]), fail_rows(1);
        customers_score: |w| range(&w.customers, "score", 0.0..=125.0).keys(["id"]), fail_share(0.01), warn_share(0.001);
        customers_born: |w| range(&w.customers, "born", ..=TableValue::Date("2026-01-01".to_owned())).keys(["id"]), fail_rows(1);
        customers_email_form: |w| matches(&w.customers, "email", "^[^@ ]+@[^@ ]+$").keys(["id"]), fail_rows(1);
        customers_name_length: |w| length(&w.customers, "name", 1..=40).keys(["id"]), fail_rows(1);
        customers_password_length: |w| length(&w.customers, "password", 8..).keys(["id"]), fail_rows(1);
        customers_password_form: |w| matches(&w.customers, "password", "^hunter2-[0-9]+$").keys(["id"]), fail_rows(1),
            severity(Severity::Info);
        customers_fresh: |w| freshness(&w.customers, "updated"), fail_older_than(hours(6));
        customers_fresh_soon: |w| freshness(&w.customers, "updated"), warn_older_than(hours(6)), fail_older_than(hours(48));
        customers_not_from_the_future: |w| freshness(&w.customers, "updated"), fail_in_future(Duration::ZERO);
        customers_score_mean: |w| aggregate(&w.customers, avg("score")), between(&(0.0..=70.0));
        customers_countries: |w| distinct_count(&w.customers, ["country"]), fail_above(3.0);
        customers_id_distinct: |w| distinct_ratio(&w.customers, ["id"]), fail_below(1.0);
    }
}

fn register_orders<T: Table + Send + Sync + 'static>(warehouse: &Arc<Warehouse<T>>) {
    let no_day = || (TableValue::Date("1999-01-01".to_owned()),);
    checks! { warehouse;
        orders_rows: |w| row_count(&w.orders), fail_below(1.0);
        orders_customer: |w| referential_integrity(&w.orders, "customer_id", &w.customers, "id").keys(["id"]), fail_rows(1);
        orders_product: |w| referential_integrity(&w.orders, "product_id", &w.products, "id").keys(["id"]), fail_rows(1);
        orders_product_null: |w| null_ratio(&w.orders, "product_id").keys(["id"]), warn_share(0.0001);
        orders_amount: |w| range(&w.orders, "amount", 0.0..).keys(["id"]), fail_rows(1);
        orders_amount_most: |w| range(&w.orders, "amount", ..=1000.0), fail_rows(1);
        orders_sum: |w| sum_equals(&w.orders, ["net", "tax"], "amount").keys(["id"]), fail_share(0.005), warn_rows(2);
        orders_status: |w| accepted_values(&w.orders, "status", ["new", "paid", "shipped"]).keys(["id"]), fail_rows(1);
        orders_paid: |w| row_count(&w.orders).only("status = ?", ["paid"]), fail_below(1.0);
        orders_shipped_later: |w| pair(&w.orders, "shipped", Comparison::AtLeast, "ordered").keys(["id"]), fail_rows(1);
        orders_dates: |w| rows_where(&w.orders, "shipped >= ordered").keys(["id"]), fail_rows(1);
        orders_received_later: |w| rows_where(&w.orders, "received >= shipped"), fail_rows(1);
        orders_market_currency: |w| accepted_pairs(&w.orders, "market", "currency", [("DE", "EUR"), ("FR", "EUR"), ("US", "USD")])
            .keys(["id"]), fail_rows(1);
        orders_below_zero: |w| failing_rows(&w.orders, format!("SELECT id FROM {} WHERE amount < 0 AND id > ?", w.orders_sql))
            .with([10]).keys(["id"]), fail_rows(1);
        orders_currency_length: |w| length(&w.orders, "currency", 3..=3), fail_rows(1);
        orders_currency_form: |w| does_not_match(&w.orders, "currency", "[^A-Z]"), fail_rows(1);
        orders_net_sum: |w| aggregate(&w.orders, sum("net")), fail_below(1.0);
        orders_net_least: |w| aggregate(&w.orders, min("net")), fail_below(1.0);
        orders_net_most: |w| aggregate(&w.orders, max("net")), fail_above(400.0);
        orders_net_median: |w| aggregate(&w.orders, median("net")), between(&(200.0..=300.0));
        orders_markets: |w| distinct_count(&w.orders, ["market", "currency"]), fail_above(3.0);
        orders_no_column: |w| null_ratio(&w.orders, "nosuch"), fail_rows(1);
        orders_no_column_info: |w| null_ratio(&w.orders, "nosuch"), fail_rows(1), severity(Severity::Info);
    }
    let of_no_day = move |w: Arc<Warehouse<T>>| async move {
        null_ratio(&w.orders, "amount").only("ordered = ?", no_day()).measure().await
    };
    check(warehouse, "orders_of_no_day", of_no_day).fail_rows(1).register();
    check(warehouse, "orders_of_no_day_allowed", of_no_day).fail_rows(1).allow_no_data(true).register();
    let like_before = |w: Arc<Warehouse<T>>| async move {
        let rows: Measured = row_count(&w.orders).measure().await?;
        let most = rows.value - 1.0;
        Ok::<_, TableError>(rows.within(Bounds::new().fail_above(most)))
    };
    check(warehouse, "orders_like_before", like_before).register();
    check(warehouse, "orders_columns", |w| async move { has_columns(&w.orders, ["id", "amount", "status"]).await })
        .register();
}

fn register_others<T: Table + Send + Sync + 'static>(warehouse: &Arc<Warehouse<T>>) {
    checks! { warehouse;
        payments_rows: |w| row_count(&w.payments), fail_below(1.0);
        payments_order_unique: |w| uniqueness(&w.payments, ["order_id"]).keys(["id"]), warn_rows(1), fail_rows(1_000_000);
        payments_method: |w| accepted_values(&w.payments, "method", ["card", "cash", "wire"]).keys(["id"]), fail_rows(1);
        payments_amount_text: |w| range(&w.payments, "amount_text", 10.0..), fail_rows(1);
        payments_amount_number: |w| range(&w.payments, "amount_text", 10.0..).as_number().keys(["id"]), fail_rows(1);
        payments_order: |w| referential_integrity(&w.payments, "order_id", &w.orders, "id"), fail_rows(1);
        payments_amount: |w| rows_where(&w.payments, "amount > 0"), fail_rows(1);
        products_code: |w| matches(&w.products, "code", "^P[0-9]{5}$").keys(["id"]), fail_rows(1);
        products_price: |w| range(&w.products, "price", 1.0..=100.0), fail_rows(1);
        events_numbers: |w| no_gaps(&w.events, "number", 1), fail_rows(1);
        events_meter: |w| monotonic(&w.events, "meter", "id", Order::Increasing).keys(["id"]), fail_rows(1);
        events_value_null: |w| null_ratio(&w.events, "value").by(["region"]), fail_share(0.05);
        events_days: |w| no_gaps(&w.events, "day", Duration::from_hours(24)), fail_rows(1);
    }
    QualityCheck::new("gate", || false).dataset("gated").blocking(true).register();
    QualityCheck::new("behind_the_gate", || true).dataset("gated").register();
}

fn register<T: Table + Send + Sync + 'static>(table: impl Fn(&str) -> T, orders_sql: &'static str) {
    let [customers, orders, payments, products, events] =
        ["customers", "orders", "payments", "products", "events"].map(table);
    let warehouse = Arc::new(Warehouse { customers, orders, payments, products, events, orders_sql });
    register_customers(&warehouse);
    register_orders(&warehouse);
    register_others(&warehouse);
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Command::Obs(command) = Command::parse();
    let _guard = Observability::builder().prometheus_port(0).init()?;
    if std::env::var_os("BIGQUERY_EMULATOR_HOST").is_some() {
        let runtime = tokio::runtime::Runtime::new()?;
        let client = runtime.block_on(Client::from_env())?;
        register(
            |name| BigQueryTable::new(&client, format!("d.{name}")).unwrap_or_else(|error| panic!("{error}")),
            "d.orders",
        );
    } else {
        let file = std::env::var("WAREHOUSE")?;
        register(|name| SqliteTable::new(&file, name), "orders");
    }
    Ok(command.run())
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(70)
    })
}
