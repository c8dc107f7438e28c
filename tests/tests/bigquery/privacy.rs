//! No literal of a query is in a log line, a metric, a captured error or the error itself.

use obs_runtime::bigquery::{BigQueryError, Client, Query};
use obs_runtime::{bq_cost, with_error_tracking};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};

use crate::support::{TIB, config, run};

const SECRETS: [&str; 6] = ["Ada Lovelace", "4242424", "1815-12-10", "1852-11-27", "hunter", "xyzzy"];

const SQL: &str = "SELECT n, \"\"\"hunter\n2\"\"\" FROM d.t -- of xyzzy
    WHERE name = 'Ada Lovelace' AND id IN (4242424, 7) AND born = DATE '1815-12-10' AND note = r\"xyzzy\"";

#[bq_cost(max_usd = 1.0)]
#[with_error_tracking]
async fn report(client: &Client) -> Result<Vec<u64>, BigQueryError> {
    client.query(SQL).rows::<u64>().await?.all().await
}

#[with_error_tracking]
async fn with_its_context(query: Query) -> Result<Vec<u64>, BigQueryError> {
    query.rows::<u64>().await?.all().await
}

fn assert_no_literal(everything: &str) {
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[test]
fn literals_do_not_leave_whether_a_query_runs_fails_or_is_refused() {
    let server = ScriptedBigQuery::start(Behaviour::default());
    let captured = run(config(&server), |client| async move {
        let succeeded = report(&client).await;
        let message = "Syntax error: Unexpected string literal 'Ada Lovelace' at [1:8]";
        server.next(Call::DryRun, Reply::error(400, "invalidQuery", message));
        let syntax = report(&client).await;
        let message = "Could not cast literal \"1815-12-10\" to type INT64";
        server.next(Call::Insert, Reply::error(400, "invalidQuery", message));
        let cast = report(&client).await;
        server.change(|behaviour| {
            behaviour.failures.push_back(("invalidQuery".into(), "Bad int64 value: 4242424x".into()));
        });
        let value = report(&client).await;
        let message =
            "Ada Lovelace of 1815-12-10, number 4242424, has xyzzy; in the partition of 1852-11-27 she has not";
        server.next(Call::Insert, Reply::error(400, "invalid", message));
        let bound =
            client.query("SELECT @day, 'Ada Lovelace', 4242424, '1815-12-10', 'xyzzy'").bind("day", "1852-11-27");
        let with_parameters = with_its_context(bound).await;
        server.change(|behaviour| behaviour.estimated_bytes = TIB);
        let refused = report(&client).await;
        assert!(succeeded.is_ok() && refused.as_ref().unwrap_err().refused().is_some());
        [syntax, cast, value, with_parameters, refused].map(Result::unwrap_err)
    });
    for error in &captured.value {
        assert_no_literal(&format!("{error} {error:?}"));
    }
    assert_eq!(captured.records.errors.len(), 5);
    assert_no_literal(&format!("{:?} {:?}", captured.records, captured.metrics));
}
