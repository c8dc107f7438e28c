//! Whether an error tracker has accepted an event, for those who show its id to people.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::events::event_id::EventId;

/// How many events are remembered.
#[cfg(feature = "sentry")]
const CAPACITY: usize = 128;

static EVENTS: Mutex<VecDeque<(EventId, EventStatus)>> = Mutex::new(VecDeque::new());

/// What has become of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sentry"), expect(dead_code, reason = "only the exporter to Sentry sets a status"))]
pub enum EventStatus {
    /// It waits to be sent, or for the server's answer.
    Queued,
    /// The server has accepted it.
    Accepted,
    /// It was not sent, or not accepted, for this reason.
    NotSent(Cow<'static, str>),
}

fn events() -> MutexGuard<'static, VecDeque<(EventId, EventStatus)>> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers the status of an event. The oldest events are forgotten.
#[cfg(feature = "sentry")]
pub fn set(id: EventId, status: EventStatus) {
    let mut events = events();
    // Recent events are at the end.
    if let Some(known) = events.iter_mut().rev().find(|(known, _)| *known == id) {
        known.1 = status;
        return;
    }
    if events.len() >= CAPACITY {
        events.pop_front();
    }
    events.push_back((id, status));
}

/// The status of an event; `None` if no error tracker has taken it.
#[must_use]
pub fn of(id: EventId) -> Option<EventStatus> {
    events().iter().rev().find(|(known, _)| *known == id).map(|(_, status)| status.clone())
}

#[cfg(all(test, feature = "sentry"))]
mod tests {
    use super::*;

    #[test]
    fn the_last_status_of_recent_events_is_known() {
        let id = EventId::fresh();
        assert_eq!(of(id), None);
        set(id, EventStatus::Queued);
        set(id, EventStatus::Accepted);
        assert_eq!(of(id), Some(EventStatus::Accepted));
        (0..2 * CAPACITY).for_each(|_| set(EventId::fresh(), EventStatus::Queued));
        assert_eq!((of(id), events().len()), (None, CAPACITY));
    }
}
