//! Jobs outside of the multi-regions.

use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};

use crate::support::{assert_job_is_cancelled, config, drop_at, run};

/// A server whose jobs are only found with their location.
fn in_frankfurt() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour {
        location: "europe-west3".into(),
        polls: Some(3),
        rows: 10,
        ..Behaviour::default()
    })
}

#[test]
fn results_are_requested_in_the_location_of_the_job() {
    for losses in [0, 1] {
        let server = in_frankfurt();
        (0..losses).for_each(|_| server.next(Call::Insert, Reply::Lose));
        let captured = run(config(&server), |client| async move {
            let rows = client.query("SELECT n FROM d.t").page_size(4).rows::<u64>().await.unwrap();
            (rows.job().location.clone(), rows.all().await.unwrap().len())
        });
        assert_eq!(captured.value, (Some("europe-west3".to_owned()), 10));
        assert_eq!(server.jobs(), 1);
        for request in server.requests(Call::Results) {
            assert!(request.path.contains("location=europe-west3"), "{}", request.path);
        }
    }
}

#[test]
fn a_job_is_cancelled_in_its_location() {
    let server = in_frankfurt();
    server.change(|behaviour| behaviour.polls = None);
    run(config(&server), async |client| drop_at(client.query("SELECT 1").run(), &server, Call::Results).await);
    assert_job_is_cancelled(&server);
    for request in server.requests(Call::Cancel) {
        assert!(request.path.contains("location=europe-west3"), "{}", request.path);
    }
}

#[test]
fn an_explicit_location_is_used_and_a_wrong_one_is_an_error() {
    let server = in_frankfurt();
    let captured = run(config(&server), |client| async move {
        let right = client.query("SELECT 1").location("europe-west3").run().await.map(|job| job.location);
        let wrong = client.query("SELECT 1").location("US").run().await.unwrap_err();
        (right.unwrap(), wrong)
    });
    assert_eq!(captured.value.0.as_deref(), Some("europe-west3"));
    assert_eq!(captured.value.1.reason().unwrap(), &"notFound");
    let sent = server.requests(Call::Insert);
    assert_eq!(sent[0].body["jobReference"]["location"], "europe-west3");
}
