//! Data-quality checks of tables: what they spend, and what becomes of their jobs.

use std::time::Duration;

use obs_runtime::tables::{BigQueryTable, row_count};
use obs_runtime::{QualityCheck, QualityStatus, run_dq_checks};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use obs_tests::wait;

use crate::support::{TIB, config, run, server_with_bytes};

fn check(name: &'static str, table: BigQueryTable) -> QualityCheck {
    let check = QualityCheck::new_async(name, move || {
        let table = table.clone();
        async move { row_count(&table).measure().await }
    });
    check.dataset(name).fail_below(1.0)
}

#[test]
fn a_query_of_a_check_counts_for_the_check_at_the_place_where_it_was_made() {
    let server = server_with_bytes(TIB);
    let captured = run(config(&server), async |client| {
        let registered = check("priced_rows", BigQueryTable::new(&client, "d.t").unwrap()).register();
        let report = run_dq_checks().dataset("priced_rows").await;
        registered.unregister();
        report
    });
    let spent = captured.metrics.value("bigquery.total_cost.usd", &[("operation", "priced_rows")]);
    assert_eq!(spent, Some(6.25), "{:?}", captured.value);
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "unknown")]), None);
    let jobs = server.requests(Call::Insert);
    assert!(!jobs.is_empty());
    for job in jobs {
        assert_eq!(job.body["configuration"]["labels"]["operation"], "priced_rows", "{job:?}");
    }
}

#[test]
fn a_check_that_exceeds_its_time_limit_cancels_its_job() {
    // On a busy machine the limit may pass before there is a job.
    for limit in [300, 3_000, 30_000].map(Duration::from_millis) {
        let behaviour = Behaviour { polls: None, estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() };
        let server = ScriptedBigQuery::start(behaviour);
        let captured = run(config(&server), async |client| {
            let check = check("endless_rows", BigQueryTable::new(&client, "d.t").unwrap());
            let registered = check.timeout(limit).register();
            let report = run_dq_checks().dataset("endless_rows").await;
            registered.unregister();
            report
        });
        assert_eq!(captured.value.results[0].status, QualityStatus::Errored);
        if server.jobs() > 0 {
            return wait::until_true("the job is cancelled", || server.stopped() == server.jobs());
        }
    }
    panic!("no job was started");
}
