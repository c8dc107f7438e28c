use std::sync::mpsc::{self, Receiver, Sender};

use super::*;
use crate::base::secret::Secret;
use crate::exporters::datadog::agentless::queue::tests::{dropped, ending};
use crate::exporters::datadog::agentless::queue::{NO_ANSWER, NOT_SENT};
use crate::exporters::datadog::events_and_service_checks::ServiceCheck;
use crate::exporters::http::tests::serve;

fn exporter(url: String) -> ApiExporter {
    let settings = Settings {
        client: ApiClient::new(url, Secret::new("0123456789abcdef".to_owned())),
        common: Common { tags: Vec::new(), host: None, interval: 10 },
        interval: MIN_INTERVAL,
        service_checks: true,
        command_events: false,
        metrics: false,
    };
    ApiExporter::new(settings, Box::new(Snapshot::default), Box::new(|_, _| {}), Box::new(|_| {}))
}

fn check() -> Message {
    Message::Check(ServiceCheck { status: 0, time: 1, tags: Vec::new(), message: None })
}

fn lost() -> u64 {
    dropped(NO_ANSWER) + dropped(NOT_SENT)
}

/// An exporter, what its server says when it has read a request, and what the server is to answer.
fn waiting() -> (ApiExporter, Receiver<()>, Sender<(u16, &'static str)>) {
    let (begun, has_begun) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let url = serve(std::iter::from_fn(move || {
        begun.send(()).ok()?;
        answers.recv().ok()
    }));
    (exporter(url), has_begun, answer)
}

#[test]
fn the_end_waits_for_the_answer_of_a_server_that_answers() {
    let _ending = ending();
    let before = lost();
    let (exporter, has_begun, answer) = waiting();
    // The thread sends each of them.
    exporter.0.enqueue(check());
    has_begun.recv().unwrap();
    answer.send((202, "{}")).unwrap();
    while exporter.queued() > 0 {
        thread::yield_now();
    }
    exporter.0.enqueue(check());
    has_begun.recv().unwrap();
    let (given_up, has_given_up) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            exporter.give_up(Instant::now() + Duration::from_mins(1));
            given_up.send(()).unwrap();
        });
        assert!(has_given_up.recv_timeout(Duration::from_millis(100)).is_err(), "it waits");
        answer.send((202, "{}")).unwrap();
        has_given_up.recv().unwrap();
    });
    assert_eq!(lost() - before, 0);
}

#[test]
fn the_end_does_not_wait_for_a_server_that_has_never_answered() {
    let _ending = ending();
    let before = lost();
    let (exporter, has_begun, _answer) = waiting();
    exporter.0.enqueue(check());
    has_begun.recv().unwrap();
    let begun = Instant::now();
    exporter.give_up(begun + Duration::from_mins(1));
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(lost() - before, 1);
}
