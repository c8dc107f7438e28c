//! The session of a process without commands, such as a service: from its first request or error to its end.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use ::sentry::protocol::{SessionAttributes, SessionStatus, SessionUpdate};
use uuid::Uuid;

use crate::base::clock::Start;
use crate::exporters::sentry::options::Settings;
use crate::exporters::sentry::queue::Job;

/// The session of the process, unless commands have sessions of their own.
#[derive(Debug)]
pub struct ProcessSession {
    id: Uuid,
    begun: Start,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Neither a command nor anything else has happened.
    Unknown,
    /// It has begun, with this many errors so far.
    Begun(u64),
    /// It is over, or there is none.
    Over,
}

impl ProcessSession {
    /// A session that begins now, if there is one.
    pub fn new() -> Self {
        Self { id: Uuid::now_v7(), begun: Start::now(), state: Mutex::new(State::Unknown) }
    }

    fn change(&self, change: impl FnOnce(&mut State) -> Option<Job>) -> Option<Job> {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A command begins, and has a session of its own.
    pub fn command_begins(&self) {
        self.change(|state| {
            if matches!(state, State::Unknown) {
                *state = State::Over;
            }
            None
        });
    }

    /// The process handles a request, or reports an error. Returns the beginning of the session.
    pub fn begins(&self, settings: &Settings, is_error: bool) -> Option<Job> {
        self.change(|state| match state {
            State::Unknown => {
                *state = State::Begun(is_error.into());
                self.update(settings, SessionStatus::Ok, is_error.into(), true)
            }
            State::Begun(errors) => {
                *errors += u64::from(is_error);
                None
            }
            State::Over => None,
        })
    }

    /// The process ends, by a panic or not. Returns the end of the session; a process without requests and errors has one too.
    pub fn ends(&self, settings: &Settings, by_panic: bool) -> Option<Job> {
        let status = if by_panic { SessionStatus::Crashed } else { SessionStatus::Exited };
        self.change(|state| match std::mem::replace(state, State::Over) {
            State::Unknown => self.update(settings, status, 0, true),
            State::Begun(errors) => self.update(settings, status, errors, false),
            State::Over => None,
        })
    }

    /// A session belongs to a release; there is none without one.
    fn update(&self, settings: &Settings, status: SessionStatus, errors: u64, init: bool) -> Option<Job> {
        let release = settings.release.clone()?;
        let duration = (status != SessionStatus::Ok).then(|| self.begun.elapsed().as_secs_f64());
        let attributes = SessionAttributes {
            release: release.into(),
            environment: Some(settings.environment.clone().into()),
            ip_address: None,
            user_agent: None,
        };
        let update = SessionUpdate {
            session_id: self.id,
            distinct_id: None,
            sequence: None,
            timestamp: Some(SystemTime::now()),
            started: self.begun.at(),
            init,
            duration,
            status,
            errors,
            attributes,
        };
        Some(Job::Run(Box::new((update.into(), None))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::sentry::protocol::EnvelopeItem;

    use super::*;
    use crate::config::validated::Config;
    use crate::exporters::sentry::options::SentryOptions;

    #[test]
    fn a_step_of_the_systems_clock_does_not_change_the_duration() {
        let config = Config { sentry_release: Some("a@1".to_owned()), ..Config::default() };
        let settings = Settings::new(&config, &SentryOptions::default());
        // The clock of a machine that has just started is often wrong.
        let begun = Start::ago(Duration::from_secs(7)).having_begun(SystemTime::UNIX_EPOCH);
        let session = ProcessSession { begun, ..ProcessSession::new() };
        let Some(Job::Run(run)) = session.ends(&settings, false) else { panic!("no session") };
        let EnvelopeItem::SessionUpdate(update) = run.0 else { panic!("no session") };
        assert_eq!(update.started, SystemTime::UNIX_EPOCH);
        let duration = update.duration.unwrap();
        assert!((7.0..60.0).contains(&duration), "{duration}");
    }
}
