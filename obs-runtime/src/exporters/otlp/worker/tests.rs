use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::RecvTimeoutError;

use super::*;

#[test]
fn the_queue_and_each_request_are_bounded_in_bytes() {
    const NAME: &str = "worker-test";
    let (requests, got) = std::sync::mpsc::channel();
    let worker = Worker::new(
        NAME,
        |item: &usize| *item,
        move |items: &[usize], _| {
            requests.send(items.to_vec()).unwrap();
            Ok(())
        },
    );
    let mebibyte = 1024 * 1024;
    // Nine do not fit into eight.
    worker.send(vec![mebibyte; 9]);
    assert_eq!(worker.queued(), 8);
    let dropped = drop_counters::all().into_iter().find(|(sink, ..)| *sink == NAME);
    assert_eq!(dropped, Some((NAME, "queue_full", 1)));
    let Left { items, .. } = worker.flush(Instant::now() + Duration::from_mins(1));
    assert_eq!(items, 0);
    let sizes: Vec<usize> = got.try_iter().map(|items| items.len()).collect();
    assert_eq!(sizes, [3, 3, 2], "at most 3.5 MB each");
    // There is room again, also for an item that is larger than a request.
    worker.send(vec![4 * mebibyte, 1]);
    assert_eq!(worker.flush(Instant::now() + Duration::from_mins(1)).items, 0);
    assert_eq!(got.try_iter().collect::<Vec<_>>(), [[4 * mebibyte], [1]]);
}

#[test]
fn items_wait_for_others_again_after_a_flush() {
    let worker = Worker::new("worker-test-linger", |_: &usize| 1, |_: &[usize], _| Ok(()));
    worker.send(vec![1]);
    let now = Instant::now();
    assert_eq!(worker.flush(now + Duration::from_hours(1)).items, 0);
    let mut queue = worker.0.queue();
    queue.items.push_back(2);
    queue.since = Some(now);
    assert!(matches!(queue.due(now), Due::At(at) if at == now + LINGER));
}

#[test]
fn what_is_too_large_when_the_worker_is_closed_is_counted() {
    const NAME: &str = "worker-test-closed";
    let ((begun, is_sent), (answer, answered)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let answered = Mutex::new(answered);
    let worker = Worker::new(
        NAME,
        |_: &usize| 1,
        move |items: &[usize], _| {
            begun.send(items.len()).unwrap();
            answered.lock().unwrap().recv().unwrap()
        },
    );
    worker.send((0..BATCH).collect());
    assert_eq!(is_sent.recv(), Ok(BATCH));
    worker.close();
    drop(worker);
    answer.send(Err(Rejection::TooLarge)).unwrap();
    // The closure is dropped with the thread.
    assert!(is_sent.recv_timeout(Duration::from_mins(1)).is_err_and(|error| error == RecvTimeoutError::Disconnected));
    let dropped: Vec<_> = drop_counters::all().into_iter().filter(|(sink, ..)| *sink == NAME).collect();
    assert_eq!(dropped, [(NAME, "too_large", BATCH as u64)]);
}

#[test]
fn what_is_sent_again_counts_once() {
    let (sent, failures) = (std::sync::mpsc::channel(), std::sync::atomic::AtomicUsize::new(2));
    let (requests, got) = sent;
    let worker = Worker::new(
        "worker-test-again",
        |item: &usize| *item,
        move |items: &[usize], _| {
            if failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Err(Rejection::Unavailable { status: 503, retry_after: None });
            }
            requests.send(items.to_vec()).unwrap();
            Ok(())
        },
    );
    worker.send(vec![2_000_000; 4]);
    while worker.flush(Instant::now() + Duration::from_mins(1)).items > 0 {}
    assert_eq!(got.try_iter().flatten().count(), 4);
    assert_eq!(worker.0.queue().bytes, 0);
}
