//! Alerts of commands: failed, missed, too long, killed, without a success.

use std::time::Duration;

use crate::base::schedule::Schedule;
use crate::program::generate::declared::{Declared, Function, longest_gap};
use crate::program::generate::prometheus::promql::{PROCESS, duration, plain, seconds, selector};
use crate::program::generate::prometheus::rule::{Concern, Rule, Urgency};
use crate::program::generate::prometheus::unit_test::{Steps, UnitTest};

/// How late a run may start if its command declares no `margin`: the start is seen at the next scrape.
pub const MARGIN: Duration = Duration::from_mins(5);

/// The longest gap that a unit test goes through minute by minute.
const MAX_SIMULATED: Duration = Duration::from_hours(26);

/// The recorded time at which the next run is due.
pub const DUE: &str = "obs:command_due:timestamp_seconds";

/// A command, and what rules about it are made of.
pub struct CommandRules<'d> {
    pub function: &'d Function,
    pub concern: Concern,
    /// Its series: `{service="etl",command="load"}`.
    pub selector: String,
    /// The longest time between two runs, if it has a schedule.
    pub gap: Option<Duration>,
    /// How late a run may start.
    pub margin: Duration,
}

impl<'d> CommandRules<'d> {
    /// The rules of a command.
    ///
    /// # Errors
    /// If the time zone of its schedule is not known.
    pub fn new(declared: &Declared, function: &'d Function, concern: Concern) -> Result<Self, String> {
        let gap = match &function.schedule {
            Some(schedule) => Some(longest_gap(schedule).ok_or_else(|| unknown_zone(function, schedule))?),
            None => None,
        };
        Ok(Self {
            function,
            concern,
            selector: selector(&[("service", &declared.service), ("command", &function.name)]),
            gap,
            margin: function.schedule.and_then(|schedule| schedule.margin).unwrap_or(MARGIN),
        })
    }

    /// How old the last success may be: a period, the margin, and the longest run. Two periods if no longest run is declared.
    pub fn success_limit(&self, gap: Duration) -> Duration {
        let longest = self.function.schedule.and_then(|schedule| schedule.max_runtime).unwrap_or(gap);
        gap.saturating_add(self.margin).saturating_add(longest)
    }

    fn alert(&self, name: &'static str, urgency: Urgency, expr: String, summary: &str, description: String) -> Rule {
        let command = plain(&self.function.name);
        let rule = Rule::alert(name, urgency, expr, format!("{command} {summary}"), description);
        rule.concerning(&self.concern).label("command", &self.function.name)
    }

    /// All rules.
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules = vec![self.failed()];
        if let (Some(schedule), Some(gap)) = (&self.function.schedule, self.gap) {
            rules.extend(self.missed(schedule, gap));
            rules.extend(self.too_long(schedule));
            rules.push(self.without_success(gap));
        }
        rules.push(self.killed());
        rules
    }

    fn failed(&self) -> Rule {
        let urgency = if self.gap.is_some() { Urgency::Critical } else { Urgency::Warning };
        let expr = format!("cli_command_last_exit_code{} > 0", self.selector);
        let description =
            "The last run on {{ $labels.instance }} in {{ $labels.environment }} ended with exit code {{ $value }}.";
        self.alert("ObsCommandFailed", urgency, expr, "failed", description.to_owned())
    }

    fn missed(&self, schedule: &Schedule, gap: Duration) -> [Rule; 3] {
        let (selector, gap_seconds) = (&self.selector, seconds(gap));
        // The program writes when the next run is due; where it could not, or has another schedule, the longest gap counts.
        let scheduled = selector.trim_end_matches('}').to_owned()
            + &format!(",cron={:?},timezone={:?}}}", schedule.cron, schedule.timezone);
        let due = format!(
            "max by ({PROCESS}, command) (cli_command_next_run_timestamp_seconds{selector}\n  and on ({PROCESS}, command) \
             cli_command_schedule_info{scheduled})\nor max by ({PROCESS}, command) \
             (cli_command_last_start_timestamp_seconds{selector}) + {gap_seconds}"
        );
        let margin = seconds(self.margin);
        let late = format!("{DUE}{selector} + {margin} < time()");
        let when = format!("`{}` in {}", plain(schedule.cron), plain(schedule.timezone));
        let never = format!("absent(cli_command_last_start_timestamp_seconds{selector})");
        let waits = gap.saturating_add(self.margin);
        [
            Rule::record(DUE, due),
            self.alert(
                "ObsCommandMissed",
                Urgency::Critical,
                late,
                "did not run",
                format!(
                    "A run was to start by {{{{ $value | humanizeTimestamp }}}} on {{{{ $labels.instance }}}} in \
                     {{{{ $labels.environment }}}} ({when}, and {} of margin), and none did.",
                    duration(self.margin)
                ),
            ),
            self.alert(
                "ObsCommandNeverRan",
                Urgency::Critical,
                never,
                "has never run",
                format!(
                    "Prometheus has not seen a start within {}, the longest time between two runs ({when}).",
                    duration(waits)
                ),
            )
            .after(waits),
        ]
    }

    fn too_long(&self, schedule: &Schedule) -> Option<Rule> {
        let limit = schedule.max_runtime?;
        let selector = &self.selector;
        let expr = format!(
            "time() - max by ({PROCESS}, command) (cli_command_last_start_timestamp_seconds{selector}) > {}\nand on ({PROCESS}, \
             command) cli_command_last_exit_code{selector} == -1",
            seconds(limit)
        );
        let description = format!(
            "A run on {{{{ $labels.instance }}}} in {{{{ $labels.environment }}}} has started {{{{ $value | humanizeDuration }}}} \
             ago and has not ended; {} are allowed. It may have been killed.",
            duration(limit)
        );
        Some(self.alert("ObsCommandRunsTooLong", Urgency::Critical, expr, "runs too long", description))
    }

    fn without_success(&self, gap: Duration) -> Rule {
        let (selector, limit) = (&self.selector, self.success_limit(gap));
        let age =
            |family: &str| format!("time() - max by ({PROCESS}, command) ({family}{selector}) > {}", seconds(limit));
        let expr = format!(
            "{}\nor ({}\n  unless on ({PROCESS}, command) cli_command_last_success_timestamp_seconds{selector})",
            age("cli_command_last_success_timestamp_seconds"),
            age("cli_command_last_start_timestamp_seconds"),
        );
        let description = format!(
            "The last success on {{{{ $labels.instance }}}} in {{{{ $labels.environment }}}} is {{{{ $value | humanizeDuration \
             }}}} ago, or there was none; {} are allowed.",
            duration(limit)
        );
        self.alert("ObsCommandWithoutSuccess", Urgency::Critical, expr, "has not succeeded for too long", description)
    }

    /// Runs that began and did not end, by counters: through a textfile or a scrape.
    fn killed(&self) -> Rule {
        let selector = &self.selector;
        let increase = |family: &str| format!("sum by ({PROCESS}, command) (increase({family}{selector}[1d]))");
        let expr = format!(
            "{}\n- {}\n- {}\n> 0.5 unless on ({PROCESS}, command) cli_command_last_exit_code{selector} == -1",
            increase("cli_command_started_total"),
            increase("cli_command_success_total"),
            increase("cli_command_failure_total"),
        );
        let description = "{{ $value | printf \"%.0f\" }} runs of the last day on {{ $labels.instance }} in {{ $labels.environment }} \
                           began and did not end: they were killed, or the machine went down.";
        self.alert("ObsCommandKilled", Urgency::Warning, expr, "was killed while it ran", description.to_owned())
    }

    /// The unit tests of the rules.
    pub fn tests(&self) -> Vec<UnitTest> {
        let mut tests = vec![self.test_of_failed(), self.test_of_killed()];
        if let (Some(schedule), Some(gap)) = (&self.function.schedule, self.gap) {
            tests.extend(self.tests_of_missed(schedule, gap));
            tests.extend(schedule.max_runtime.map(|limit| self.test_of_too_long(limit)));
            tests.push(self.test_of_never(gap.saturating_add(self.margin)));
            tests.extend(self.tests_of_without_success(self.success_limit(gap)));
        }
        tests
    }

    fn of_process(&self, family: &str) -> String {
        let labels = "job=\"node\",instance=\"host-1\",environment=\"prod\"";
        format!("{family}{},{labels}}}", self.selector.trim_end_matches('}'))
    }

    fn test(&self, what: &str) -> UnitTest {
        UnitTest::new(format!("{} {what}", self.function.name))
    }

    fn test_of_failed(&self) -> UnitTest {
        let test =
            self.test("fails, then succeeds").series(self.of_process("cli_command_last_exit_code"), "0x4 1x4 -1 0x5");
        test.expect("ObsCommandFailed", &self.selector, &[5, 9], &[4, 10, 11])
    }

    fn test_of_killed(&self) -> UnitTest {
        let test = self.test("is killed once in four runs");
        let test = test
            .series(self.of_process("cli_command_started_total"), "1x60 2x60 3x60 4x60")
            .series(self.of_process("cli_command_success_total"), "1x60 1x60 2x60 3x60")
            .series(self.of_process("cli_command_failure_total"), "0x240")
            .series(self.of_process("cli_command_last_exit_code"), "0x60 -1x60 0x120");
        test.expect("ObsCommandKilled", &self.selector, &[130, 230], &[50, 100])
    }

    fn test_of_too_long(&self, limit: Duration) -> UnitTest {
        let minutes = seconds(limit).div_ceil(60);
        let test = self.test("runs longer than it may, then ends");
        let test = test
            .series(self.of_process("cli_command_last_start_timestamp_seconds"), format!("0x{}", minutes + 10))
            .series(self.of_process("cli_command_last_exit_code"), format!("-1x{} 0x10", minutes + 2));
        test.expect("ObsCommandRunsTooLong", &self.selector, &[minutes + 1], &[minutes.saturating_sub(1), minutes + 4])
    }

    /// No run at all, then the first one.
    fn test_of_never(&self, waits: Duration) -> UnitTest {
        let steps = Steps::through(waits);
        let first = steps.minute(3) * 60;
        self.test("has never run, then runs")
            .every(steps.minutes)
            .series(
                self.of_process("cli_command_last_start_timestamp_seconds"),
                format!("_x{} {first}x3", steps.within + 3),
            )
            .expect(
                "ObsCommandNeverRan",
                &self.selector,
                &[steps.minute(2)],
                &[steps.minute(0) - steps.minutes, steps.minute(4)],
            )
    }

    /// A success that gets too old, and one that never comes.
    fn tests_of_without_success(&self, limit: Duration) -> [UnitTest; 2] {
        let steps = Steps::through(limit);
        let start = self.of_process("cli_command_last_start_timestamp_seconds");
        let (again, length) = (steps.minute(3) * 60, steps.within + 2);
        let test = |what: &str, rests: &[u64]| {
            self.test(what).every(steps.minutes).expect(
                "ObsCommandWithoutSuccess",
                &self.selector,
                &[steps.minute(2)],
                rests,
            )
        };
        let quiet = steps.minute(0);
        [
            test("has not succeeded for too long, then succeeds", &[quiet, steps.minute(4)])
                .series(start.clone(), format!("0+60x{}", length + 4))
                .series(self.of_process("cli_command_last_success_timestamp_seconds"), format!("0x{length} {again}x3")),
            test("has started and never succeeded", &[quiet]).series(start, format!("0x{length}")),
        ]
    }

    /// A run that comes in time and one that comes too late, by the time that the program writes and, with the schedule of an
    /// earlier version, by the longest gap.
    fn tests_of_missed(&self, schedule: &Schedule, gap: Duration) -> Vec<UnitTest> {
        const LAST: u64 = 10;
        let margin = seconds(self.margin).div_ceil(60);
        let start = self.of_process("cli_command_last_start_timestamp_seconds");
        let due = self.of_process("cli_command_next_run_timestamp_seconds");
        let info = |cron: &str| {
            let info = self.of_process("cli_command_schedule_info");
            format!("{},cron={cron:?},timezone={:?}}}", info.trim_end_matches('}'), schedule.timezone)
        };
        // Due at minute 10, runs at its last moment; due again at minute 20 + margin, and missed until 3 minutes later.
        let (in_time, again) = (LAST + margin, 2 * LAST + margin);
        let late = again + margin + 3;
        let quiet = seconds(self.margin) / 60;
        let test = self.test("starts in time, then too late");
        let by_program = test
            .series(info(schedule.cron), format!("1x{}", late + 5))
            .series(start.clone(), format!("0x{} {}x{} {}x5", in_time - 1, in_time * 60, late - in_time, late * 60))
            .series(due, format!("{}x{} {}x{} {}x5", LAST * 60, in_time - 1, again * 60, late - in_time, 2 * late * 60))
            .expect(
                "ObsCommandMissed",
                &self.selector,
                &[again + margin + 1, late],
                &[in_time - 1, in_time, again + quiet, late + 1],
            );
        if gap > MAX_SIMULATED {
            return vec![by_program];
        }
        let missed = (seconds(gap) + seconds(self.margin)).div_ceil(60);
        let by_gap = self
            .test("has not started for the longest gap of its schedule")
            .series(info("@other"), format!("1x{}", missed + 5))
            .series(start, format!("0x{}", missed + 5))
            .expect("ObsCommandMissed", &self.selector, &[missed + 1], &[missed - 1]);
        vec![by_program, by_gap]
    }
}

fn unknown_zone(function: &Function, schedule: &Schedule) -> String {
    format!("{}: the time zone {} is not known", function.name, schedule.timezone)
}
