//! The schedule of a command.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::base::cron::Cron;

/// How early a run may start: clocks of two machines differ.
const EARLY: Duration = Duration::from_secs(1);

/// The schedule of a command, as given in `#[tracked_command(cron = "…")]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Schedule {
    /// Five crontab fields, a name such as `@daily`, or `@every 10m` for an interval; checked at compile time.
    pub cron: &'static str,
    /// The interval between runs, of a schedule by `every`. Serialised in seconds.
    #[serde(serialize_with = "seconds")]
    pub every: Option<Duration>,
    /// IANA name of the schedule's time zone.
    pub timezone: &'static str,
    /// Maximum duration of a run, if given. Serialised in seconds.
    #[serde(serialize_with = "seconds")]
    pub max_runtime: Option<Duration>,
    /// How late a run may start, if given. Serialised in seconds.
    #[serde(serialize_with = "seconds")]
    pub margin: Option<Duration>,
    /// Name of the monitor; the command's name if not given.
    pub monitor: Option<&'static str>,
    /// How many runs must fail or be missed in a row before Sentry opens an issue, if given.
    pub failure_threshold: Option<u32>,
    /// How many runs must succeed in a row before Sentry resolves it, if given.
    pub recovery_threshold: Option<u32>,
}

impl Schedule {
    /// The schedule as five fields: `0 0 * * *` for `@daily`. An interval stays as it is.
    #[must_use]
    pub fn five_fields(&self) -> &'static str {
        match self.cron {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            fields => fields,
        }
    }

    /// The time zone. `None` if the machine's time zone database does not have it.
    pub(crate) fn zone(&self) -> Option<TimeZone> {
        if self.timezone == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(self.timezone).ok() }
    }

    /// When the run after one that starts at `start` is due. `None` if the machine's time zone database does not have the time zone.
    ///
    /// Each local time counts once: one that a change of the clock leaves out does not come, one that comes twice counts the first
    /// time.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let daily = obs_runtime::Schedule::new("@daily");
    /// let noon = UNIX_EPOCH + Duration::from_secs(12 * 60 * 60);
    /// assert_eq!(daily.next_after(noon), Some(UNIX_EPOCH + Duration::from_secs(24 * 60 * 60)));
    /// ```
    #[must_use]
    pub fn next_after(&self, start: SystemTime) -> Option<SystemTime> {
        if let Some(every) = self.every {
            return start.checked_add(every);
        }
        let start = Timestamp::try_from(start.checked_add(EARLY)?).ok()?;
        Cron::parse(self.five_fields())?.next(start, &self.zone()?)?.try_into().ok()
    }

    /// A schedule in UTC.
    #[must_use]
    pub const fn new(cron: &'static str) -> Self {
        Self {
            cron,
            every: None,
            timezone: "UTC",
            max_runtime: None,
            margin: None,
            monitor: None,
            failure_threshold: None,
            recovery_threshold: None,
        }
    }

    /// Sets the interval between runs.
    #[must_use]
    pub const fn every_millis(mut self, milliseconds: u64) -> Self {
        self.every = Some(Duration::from_millis(milliseconds));
        self
    }

    /// Sets how many runs must fail in a row before Sentry opens an issue.
    #[must_use]
    pub const fn failure_threshold(mut self, runs: u32) -> Self {
        self.failure_threshold = Some(runs);
        self
    }

    /// Sets how many runs must succeed in a row before Sentry resolves the issue.
    #[must_use]
    pub const fn recovery_threshold(mut self, runs: u32) -> Self {
        self.recovery_threshold = Some(runs);
        self
    }

    /// Sets the time zone.
    #[must_use]
    pub const fn timezone(mut self, name: &'static str) -> Self {
        self.timezone = name;
        self
    }

    /// Sets the maximum duration of a run.
    #[must_use]
    pub const fn max_runtime_millis(mut self, milliseconds: u64) -> Self {
        self.max_runtime = Some(Duration::from_millis(milliseconds));
        self
    }

    /// Sets how late a run may start.
    #[must_use]
    pub const fn margin_millis(mut self, milliseconds: u64) -> Self {
        self.margin = Some(Duration::from_millis(milliseconds));
        self
    }

    /// Sets the monitor's name.
    #[must_use]
    pub const fn monitor(mut self, name: &'static str) -> Self {
        self.monitor = Some(name);
        self
    }
}

/// Writes a duration in seconds.
///
/// # Errors
/// Those of the serialiser.
#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
pub fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Schedule;

    #[test]
    fn the_next_run_is_due_after_one_that_starts_a_little_early() {
        let at = |milliseconds: u64| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let daily = Schedule::new("@daily");
        assert_eq!(daily.next_after(at(86_399_500)), Some(at(2 * 86_400_000)));
        assert_eq!(daily.next_after(at(86_390_000)), Some(at(86_400_000)));
        assert_eq!(Schedule::new("@every 10m").every_millis(600_000).next_after(at(5000)), Some(at(605_000)));
        assert_eq!(daily.timezone("Nowhere/Else").next_after(at(0)), None);
    }

    #[test]
    fn nicknames_have_five_fields() {
        for (cron, fields) in [
            ("@yearly", "0 0 1 1 *"),
            ("@annually", "0 0 1 1 *"),
            ("@monthly", "0 0 1 * *"),
            ("@weekly", "0 0 * * 0"),
            ("@daily", "0 0 * * *"),
            ("@midnight", "0 0 * * *"),
            ("@hourly", "0 * * * *"),
            ("0 3 * * 1-5", "0 3 * * 1-5"),
        ] {
            assert_eq!(Schedule::new(cron).five_fields(), fields);
        }
    }
}
