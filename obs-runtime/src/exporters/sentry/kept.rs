//! What the transport keeps for the next run instead of losing it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ::sentry::Envelope;
use ::sentry::protocol::EnvelopeItem;

use crate::exporters::sentry::spool::Spool;

/// Keeps envelopes that could not be delivered, and knows those that are being sent.
pub struct Kept {
    /// `None` if nothing is kept.
    spool: Option<Spool>,
    sending: Mutex<Sending>,
}

#[derive(Default)]
struct Sending {
    last: u64,
    envelopes: Vec<(u64, InFlight)>,
}

/// An envelope that is being sent.
enum InFlight {
    /// It is nowhere else.
    Only(Box<Envelope>),
    /// It is kept too, as the program is about to end.
    Stored(std::path::PathBuf),
}

impl Kept {
    /// Keeps envelopes there, if anywhere.
    pub fn new(spool: Option<Spool>) -> Self {
        Self { spool, sending: Mutex::default() }
    }

    /// Whether envelopes are kept.
    pub const fn is_on(&self) -> bool {
        self.spool.is_some()
    }

    fn sending(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an envelope, without what is of no use later: a check-in has the time at which it arrives. Returns the file and what is not
    /// in it; `None` if nothing is kept.
    pub fn keep(&self, envelope: &Envelope) -> Option<(std::path::PathBuf, Vec<EnvelopeItem>)> {
        let is_of_now = |item: &&EnvelopeItem| matches!(item, EnvelopeItem::MonitorCheckIn(_));
        let (left, kept): (Vec<_>, Vec<_>) = envelope.items().partition(is_of_now);
        if kept.iter().all(|item| matches!(item, EnvelopeItem::ClientReport(_))) {
            return None;
        }
        let mut stored = Envelope::new().with_headers(envelope.headers().clone());
        kept.into_iter().cloned().for_each(|item| stored.add_item(item));
        let mut body = Vec::new();
        stored.to_writer(&mut body).ok()?;
        let path = self.spool.as_ref()?.store(&body).ok()?;
        Some((path, left.into_iter().cloned().collect()))
    }

    /// An envelope is being sent.
    pub fn begin(&self, envelope: &Envelope) -> Option<u64> {
        self.spool.as_ref()?;
        let mut sending = self.sending();
        sending.last += 1;
        let id = sending.last;
        sending.envelopes.push((id, InFlight::Only(Box::new(envelope.clone()))));
        Some(id)
    }

    /// It was sent, or not. Returns whether it is kept already if it was not.
    pub fn end(&self, id: Option<u64>, is_delivered: bool) -> bool {
        let mut sending = self.sending();
        let found = sending.envelopes.iter().position(|(known, _)| Some(*known) == id);
        let found = found.map(|index| sending.envelopes.swap_remove(index).1);
        drop(sending);
        let Some(InFlight::Stored(path)) = found else { return false };
        if is_delivered {
            let _ = std::fs::remove_file(path);
        }
        !is_delivered
    }

    /// Keeps what is being sent, as the program is about to end and the answers may never come.
    pub fn keep_sending(&self) {
        for (_, envelope) in &mut self.sending().envelopes {
            if let InFlight::Only(only) = envelope
                && let Some((path, _)) = self.keep(only)
            {
                *envelope = InFlight::Stored(path);
            }
        }
    }
}
