//! What waits to be sent, bounded in bytes and age.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::exporters::datadog::agentless::payload::Payload;
use crate::exporters::datadog::agentless::rejection::Rejection;
use crate::exporters::datadog::names::EXPORTER;
use crate::metrics::drop_counters;

/// The most bytes that wait.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How long a request waits. Datadog takes service checks of the last ten minutes, and points of the last hour.
const MAX_AGE: Duration = Duration::from_mins(10);

/// The reason of what is left at the end without a failure.
pub const NOT_SENT: &str = "not_sent_at_exit";

/// The reason of what is being sent at the end. Datadog may have accepted it.
pub const NO_ANSWER: &str = "no_answer";

/// A request that waits.
#[derive(Debug)]
pub struct Pending {
    pub payload: Payload,
    since: Instant,
    bytes: usize,
}

/// Requests, oldest first.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Pending>,
    bytes: usize,
    /// What is being sent: how much would be lost.
    in_flight: u64,
    /// The last failure, until a success.
    failure: Option<Rejection>,
    /// When Datadog accepts requests again, if it said so.
    not_before: Option<Instant>,
    /// Whether Datadog has answered the last request.
    is_answered: bool,
    closed: bool,
}

impl Queue {
    /// Adds requests. Drops the oldest ones if there is no room.
    pub fn push(&mut self, payloads: Vec<Payload>) {
        let since = Instant::now();
        for payload in payloads {
            let bytes = payload.memory();
            self.bytes += bytes;
            self.waiting.push_back(Pending { payload, since, bytes });
        }
        while self.bytes > MAX_BYTES && self.waiting.len() > 1 {
            self.drop_oldest("queue_full");
        }
    }

    /// The next request to send.
    pub fn take(&mut self) -> Option<Pending> {
        let reason = self.failure.as_ref().map_or(NOT_SENT, Rejection::drop_reason);
        while self.waiting.front().is_some_and(|pending| pending.since.elapsed() > MAX_AGE) {
            self.drop_oldest(reason);
        }
        let next = self.waiting.pop_front()?;
        self.bytes -= next.bytes;
        self.in_flight = next.payload.lost();
        Some(next)
    }

    /// Settles a request that was accepted.
    pub fn accepted(&mut self) {
        (self.in_flight, self.failure, self.not_before) = (0, None, None);
        self.is_answered = true;
    }

    /// Settles a request that was not accepted: puts it back if it may be accepted later, or in halves; otherwise drops it. Returns
    /// whether it was dropped.
    pub fn rejected(&mut self, pending: Pending, rejection: &Rejection) -> bool {
        self.in_flight = 0;
        self.is_answered = !matches!(rejection, Rejection::Network(_));
        // Already counted.
        if self.closed {
            return true;
        }
        let Pending { payload, since, .. } = pending;
        let back = if *rejection == Rejection::TooLarge {
            payload.halves().map(Vec::from)
        } else if rejection.is_retryable() {
            self.not_before = rejection.retry_after().and_then(|after| Instant::now().checked_add(after));
            Ok(vec![payload])
        } else {
            Err(payload)
        };
        match back {
            Ok(payloads) => {
                for payload in payloads.into_iter().rev() {
                    let bytes = payload.memory();
                    self.bytes += bytes;
                    self.waiting.push_front(Pending { payload, since, bytes });
                }
                if rejection.is_retryable() {
                    self.failure = Some(rejection.clone());
                }
            }
            Err(payload) => {
                count(rejection.drop_reason(), payload.lost());
                return true;
            }
        }
        false
    }

    /// When Datadog accepts requests again, and why it does not now.
    pub fn not_before(&self) -> Option<(Instant, Rejection)> {
        let until = self.not_before.filter(|until| *until > Instant::now())?;
        Some((until, self.failure.clone()?))
    }

    /// The number of requests that wait.
    pub fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.in_flight > 0)
    }

    /// Whether an answer can be expected to what is being sent.
    pub const fn expects_answer(&self) -> bool {
        self.in_flight > 0 && self.is_answered
    }

    /// Drops and counts all, for the last time.
    pub fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let reason = self.failure.as_ref().map_or(NOT_SENT, Rejection::drop_reason);
        count(NO_ANSWER, self.in_flight);
        while !self.waiting.is_empty() {
            self.drop_oldest(reason);
        }
    }

    fn drop_oldest(&mut self, reason: &'static str) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.bytes -= oldest.bytes;
            count(reason, oldest.payload.lost());
        }
    }
}

fn count(reason: &'static str, lost: u64) {
    if lost > 0 {
        drop_counters::count(EXPORTER, reason, lost);
    }
}

#[cfg(test)]
pub mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;
    use crate::exporters::datadog::agentless::points::PointWriter;
    use crate::exporters::datadog::delta_tracker::SeriesWriter as _;

    /// Held by tests that count what is left at the end.
    pub fn ending() -> MutexGuard<'static, ()> {
        static ENDING: Mutex<()> = Mutex::new(());
        ENDING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests of counters with long tags, each of about that many bytes, and as many counters.
    fn payload(counters: usize, bytes: usize) -> Payload {
        let tags = vec![("zone".to_owned(), "x".repeat(bytes / counters))];
        Payload::Series((0..counters).filter_map(|_| PointWriter.count("a", &tags, 1.0)).collect(), 7)
    }

    pub fn dropped(reason: &str) -> u64 {
        let all = drop_counters::all().into_iter();
        all.filter(|(sink, why, _)| *sink == EXPORTER && *why == reason).map(|(.., number)| number).sum()
    }

    #[test]
    fn the_oldest_requests_make_room_and_the_rest_is_counted_at_the_end() {
        let before = (dropped("queue_full"), dropped("rate_limited"));
        let mut queue = Queue::default();
        for counters in [1, 2, 3] {
            queue.push(vec![payload(counters, 3 * 1024 * 1024)]);
        }
        assert_eq!((queue.len(), dropped("queue_full") - before.0), (2, 1));
        let first = queue.take().unwrap();
        assert_eq!((first.payload.lost(), queue.len()), (2, 2), "one is in flight");
        let reset = Some(Duration::from_secs(30));
        assert!(!queue.rejected(first, &Rejection::RateLimited { reset }));
        assert!(queue.not_before().is_some_and(|(until, _)| until > Instant::now() + Duration::from_secs(20)));
        queue.close();
        queue.close();
        assert_eq!((queue.len(), dropped("rate_limited") - before.1), (0, 5));
    }

    #[test]
    fn what_is_being_sent_at_the_end_has_no_answer_whatever_comes_later() {
        let _ending = ending();
        let before = (dropped(NO_ANSWER), dropped(NOT_SENT), dropped("network"));
        for later in [Ok(()), Err(Rejection::Network("reset".to_owned()))] {
            let mut queue = Queue::default();
            queue.push(vec![payload(2, 200), payload(3, 300)]);
            let first = queue.take().unwrap();
            assert!(!queue.expects_answer(), "nothing has answered yet");
            queue.close();
            match later {
                Ok(()) => queue.accepted(),
                Err(rejection) => assert!(queue.rejected(first, &rejection)),
            }
        }
        let counted = (dropped(NO_ANSWER) - before.0, dropped(NOT_SENT) - before.1, dropped("network") - before.2);
        assert_eq!(counted, (4, 6, 0));
    }

    #[test]
    fn a_request_that_is_too_large_is_halved_until_it_is_a_single_item() {
        let before = dropped("too_large");
        let mut queue = Queue::default();
        queue.push(vec![payload(3, 300)]);
        let mut sizes = Vec::new();
        while let Some(pending) = queue.take() {
            sizes.push(pending.payload.lost());
            queue.rejected(pending, &Rejection::TooLarge);
        }
        assert_eq!((sizes, dropped("too_large") - before, queue.bytes), (vec![3, 1, 2, 1, 1], 3, 0));
    }

    #[test]
    fn what_is_too_old_is_dropped_for_the_reason_of_the_last_failure() {
        let before = dropped("unavailable");
        let mut queue = Queue::default();
        queue.push(vec![payload(2, 200), payload(1, 100)]);
        let first = queue.take().unwrap();
        queue.rejected(first, &Rejection::Unavailable { status: 503, retry_after: None });
        let Some(old) = Instant::now().checked_sub(MAX_AGE + Duration::from_secs(1)) else { return };
        queue.waiting[0].since = old;
        assert_eq!(queue.take().map(|pending| pending.payload.lost()), Some(1));
        assert_eq!(dropped("unavailable") - before, 2);
    }
}
