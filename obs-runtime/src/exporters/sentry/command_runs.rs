//! Runs of commands: a check-in for each scheduled command, a session for each outermost one.

use std::time::Duration;

use ::sentry::protocol::{
    EnvelopeItem, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorIntervalUnit, MonitorSchedule,
    SessionAttributes, SessionStatus, SessionUpdate,
};

use crate::base::outcome::Outcome;
use crate::base::schedule::Schedule;
use crate::events::command_run::CommandRun;
use crate::events::event::{CallInfo, Event};
use crate::exporters::sentry::options::Settings;
use crate::exporters::sentry::queue::Job;
use crate::metrics::callsite::{Callsite, CallsiteKind};
use crate::metrics::registry;

/// The most characters of a monitor's slug.
const MAX_SLUG: usize = 50;

/// What to send when a command starts.
pub fn started(settings: &Settings, event: &Event<'_>, call: &CallInfo) -> Vec<Job> {
    let Some(run) = &call.run else { return Vec::new() };
    let check_in = check_in(settings, call, run, MonitorCheckInStatus::InProgress, None);
    let session = session(settings, event, run, SessionStatus::Ok);
    let session = session.map(|session| SessionUpdate { init: true, ..session });
    jobs(event, check_in, session)
}

/// What to send when a command ends.
pub fn finished(
    settings: &Settings,
    event: &Event<'_>,
    call: &CallInfo,
    outcome: Outcome,
    duration: Duration,
) -> Vec<Job> {
    let Some(run) = &call.run else { return Vec::new() };
    let (check_in_status, session_status) = match outcome {
        Outcome::Ok => (MonitorCheckInStatus::Ok, SessionStatus::Exited),
        Outcome::Error => (MonitorCheckInStatus::Error, SessionStatus::Exited),
        Outcome::Panic => (MonitorCheckInStatus::Error, SessionStatus::Crashed),
        Outcome::Cancelled => (MonitorCheckInStatus::Error, SessionStatus::Abnormal),
    };
    let check_in = check_in(settings, call, run, check_in_status, Some(duration));
    let session = session(settings, event, run, session_status).map(|session| {
        // A failed run has an error, even if none was captured.
        let errors = session.errors.max(u64::from(matches!(outcome, Outcome::Error | Outcome::Panic)));
        SessionUpdate { errors, duration: Some(duration.as_secs_f64()), ..session }
    });
    jobs(event, check_in, session)
}

fn jobs(event: &Event<'_>, check_in: Option<MonitorCheckIn>, session: Option<SessionUpdate<'static>>) -> Vec<Job> {
    let items = check_in.map(EnvelopeItem::from).into_iter().chain(session.map(EnvelopeItem::from));
    items.map(|item| Job::Run(Box::new((item, event.context.trace)))).collect()
}

fn check_in(
    settings: &Settings,
    call: &CallInfo,
    run: &CommandRun,
    status: MonitorCheckInStatus,
    duration: Option<Duration>,
) -> Option<MonitorCheckIn> {
    let schedule = run.schedule()?;
    Some(MonitorCheckIn {
        check_in_id: run.id(),
        monitor_slug: slug(schedule.monitor.unwrap_or(&call.name)),
        status,
        environment: Some(settings.environment.clone()),
        duration: duration.map(|duration| duration.as_secs_f64()),
        monitor_config: Some(config(&schedule)),
    })
}

fn config(schedule: &Schedule) -> MonitorConfig {
    let minutes = |duration: Duration| duration.as_secs().div_ceil(60).max(1);
    MonitorConfig {
        schedule: schedule
            .every
            .map_or_else(|| MonitorSchedule::Crontab { value: schedule.five_fields().to_owned() }, interval),
        checkin_margin: schedule.margin.map(minutes),
        max_runtime: schedule.max_runtime.map(minutes),
        timezone: schedule.every.is_none().then(|| schedule.timezone.to_owned()),
        failure_issue_threshold: schedule.failure_threshold.map(Into::into),
        recovery_threshold: schedule.recovery_threshold.map(Into::into),
    }
}

/// An interval in the longest unit in which it is a whole number.
fn interval(every: Duration) -> MonitorSchedule {
    let minutes = (every.as_secs() / 60).max(1);
    let units = [
        (7 * 24 * 60, MonitorIntervalUnit::Week),
        (24 * 60, MonitorIntervalUnit::Day),
        (60, MonitorIntervalUnit::Hour),
        (1, MonitorIntervalUnit::Minute),
    ];
    let fits = units.into_iter().find(|(length, _)| minutes.is_multiple_of(*length));
    let (length, unit) = fits.unwrap_or((1, MonitorIntervalUnit::Minute));
    MonitorSchedule::Interval { value: minutes / length, unit }
}

/// The slug of a monitor: `Nightly Load` → `nightly-load`.
fn slug(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
    let slug: String = name.to_ascii_lowercase().chars().map(plain).take(MAX_SLUG).collect();
    slug.trim_matches('-').to_owned()
}

/// The monitor of a scheduled command, which links the events of its runs to it.
pub fn monitor_of(command: &str) -> Option<String> {
    let is_it = |callsite: &&Callsite| callsite.kind() == CallsiteKind::Command && callsite.name() == command;
    let callsite = registry::callsites().into_iter().find(is_it)?;
    Some(slug(callsite.cron_schedule()?.monitor.unwrap_or(callsite.name())))
}

/// A session, which belongs to a release; none without one.
fn session(
    settings: &Settings,
    event: &Event<'_>,
    run: &CommandRun,
    status: SessionStatus,
) -> Option<SessionUpdate<'static>> {
    let release = settings.release.as_ref().filter(|_| run.is_outermost())?;
    Some(SessionUpdate {
        session_id: run.id(),
        distinct_id: event.context.user.as_deref().map(str::to_owned),
        sequence: None,
        timestamp: Some(event.time),
        started: run.begun().at(),
        init: false,
        duration: None,
        status,
        errors: run.errors(),
        attributes: SessionAttributes {
            release: release.clone().into(),
            environment: Some(settings.environment.clone().into()),
            ip_address: None,
            user_agent: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_of_monitors_are_valid() {
        assert_eq!(slug("Nightly Load"), "nightly-load");
        assert_eq!(slug("ünï/x_1!"), "n--x_1");
        assert_eq!(slug(&"a".repeat(80)).len(), 50);
    }

    #[test]
    fn durations_are_whole_minutes_and_at_least_one() {
        let config = config(&Schedule::new("@daily").max_runtime_millis(90_000).margin_millis(1));
        assert_eq!((config.max_runtime, config.checkin_margin), (Some(2), Some(1)));
        assert_eq!(config.timezone.as_deref(), Some("UTC"));
    }

    #[test]
    fn intervals_have_the_longest_unit_that_fits() {
        let of = |minutes: u64| serde_json::to_value(interval(Duration::from_secs(60 * minutes))).unwrap();
        for (minutes, value, unit) in
            [(1, 1, "minute"), (90, 90, "minute"), (360, 6, "hour"), (2880, 2, "day"), (10_080, 1, "week")]
        {
            assert_eq!(of(minutes), serde_json::json!({"type": "interval", "value": value, "unit": unit}));
        }
    }
}
