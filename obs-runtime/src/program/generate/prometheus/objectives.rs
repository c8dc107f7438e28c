//! Service-level objectives: error budgets over 28 days.
//!
//! What is called often counts calls, by pairs of windows and burn rates. What runs by a schedule counts runs: a job that runs once a day
//! has no error ratio over an hour.

use std::time::Duration;

use crate::base::declaration::Objective;
use crate::metrics::objective_bounds::objective_bound;
use crate::program::generate::declared::Function;
use crate::program::generate::prometheus::promql::{PROCESS, duration, plain, seconds};
use crate::program::generate::prometheus::rule::{Concern, Rule, Urgency};
use crate::program::generate::prometheus::unit_test::UnitTest;

/// Short window, long window, how many times faster than allowed the budget is used up, and the urgency. Each uses 2, 5, 10 and
/// 10 % of the budget of 28 days before it fires.
const BURNS: [(&str, &str, f64, Urgency); 4] = [
    ("5m", "1h", 13.44, Urgency::Critical),
    ("30m", "6h", 5.6, Urgency::Critical),
    ("2h", "1d", 2.8, Urgency::Warning),
    ("6h", "3d", 0.933_333, Urgency::Warning),
];

const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// How many runs back a burn of a schedule is looked for.
const LAST_RUNS: u32 = 4;

/// The families of calls of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    /// `command` or `operation`.
    pub label: &'static str,
    /// Of the metrics: `cli_command` or `operation`.
    pub prefix: &'static str,
}

/// The objectives of a function.
pub struct ObjectiveRules<'d> {
    pub function: &'d Function,
    pub calls: Calls,
    pub concern: Concern,
    /// Its series.
    pub selector: String,
    /// The longest time between two runs of a schedule.
    pub gap: Option<Duration>,
}

/// What an objective is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    /// Calls that failed.
    Failed,
    /// Calls that took longer than this.
    Slow(Duration),
}

impl Bad {
    const fn word(self) -> &'static str {
        match self {
            Self::Failed => "errors",
            Self::Slow(_) => "latency",
        }
    }

    /// What bad calls do.
    fn calls(self) -> String {
        let Self::Slow(latency) = self else { return "fail".to_owned() };
        let words = humantime::format_duration(latency);
        let bound = objective_bound(latency).and_then(|bound| Duration::try_from_secs_f64(bound).ok());
        match bound.filter(|bound| *bound > latency) {
            Some(bound) => {
                let bound = humantime::format_duration(bound);
                format!("take longer than {bound}, the first bound of buckets above the objective of {words}")
            }
            None => format!("take longer than {words}"),
        }
    }
}

impl ObjectiveRules<'_> {
    /// All rules: none without `slo`.
    pub fn rules(&self) -> Vec<Rule> {
        let Some(objective) = self.function.declaration.slo else { return Vec::new() };
        let slow = self.function.declaration.slo_latency.map(Bad::Slow);
        let all = [Some(Bad::Failed), slow].into_iter().flatten();
        all.flat_map(|bad| match self.gap {
            Some(gap) => self.by_runs(objective, bad, gap),
            None => self.by_calls(objective, bad),
        })
        .collect()
    }

    fn labels(&self) -> String {
        format!("service, environment, {}", self.calls.label)
    }

    /// The share of calls that are bad in a window.
    fn ratio(&self, bad: Bad, window: &str) -> String {
        let (labels, selector, prefix) = (self.labels(), &self.selector, self.calls.prefix);
        let rate = |family: &str| format!("sum by ({labels}) (rate({prefix}_{family}{selector}[{window}]))");
        match bad {
            Bad::Failed => {
                let failed = rate("failure_total");
                format!("{failed}\n/ ({failed}\n  + {})", rate("success_total"))
            }
            Bad::Slow(limit) => {
                let count = rate("duration_seconds_count");
                format!("1 - {}\n/ {count}", self.in_time(limit, window))
            }
        }
    }

    /// The rate of calls that end in time.
    fn in_time(&self, limit: Duration, window: &str) -> String {
        let (labels, prefix) = (self.labels(), self.calls.prefix);
        let bucket = self.bucket(limit);
        format!("sum by ({labels}) (rate({prefix}_duration_seconds_bucket{bucket}[{window}]))")
    }

    /// The bucket of calls that end in time.
    fn bucket(&self, limit: Duration) -> String {
        // Prometheus writes `1` as `1` in the text format and as `1.0` in OpenMetrics.
        let bound = objective_bound(limit).map_or("\\\\+Inf".to_owned(), |bound| escaped(bound) + "(\\\\.0)?");
        self.selector.trim_end_matches('}').to_owned() + &format!(",le=~\"{bound}\"}}")
    }

    fn recorded(&self, bad: Bad, window: &str) -> String {
        format!("obs:{}_{}:ratio_rate{window}", self.calls.label, bad.word())
    }

    fn by_calls(&self, objective: Objective, bad: Bad) -> Vec<Rule> {
        let budget = f64::from(objective.may_fail_per_million()) / 1e6;
        let mut rules: Vec<Rule> =
            WINDOWS.iter().map(|window| Rule::record(self.recorded(bad, window), self.ratio(bad, window))).collect();
        for urgency in [Urgency::Critical, Urgency::Warning] {
            let pairs = BURNS.iter().filter(|(.., of)| *of == urgency).map(|(short, long, factor, _)| {
                let is_over = |window: &str| {
                    format!("{}{} > {}", self.recorded(bad, window), self.selector, number(factor * budget))
                };
                format!("({}\n  and {})", is_over(short), is_over(long))
            });
            let expr = pairs.collect::<Vec<_>>().join("\nor ");
            let description = format!(
                "{{{{ $value | humanizePercentage }}}} of the calls in {{{{ $labels.environment }}}} {}; {objective} must not, over 28 \
                 days. This objective counts calls: it compares the share in two windows with the budget.",
                bad.calls()
            );
            rules.push(self.alert(bad, urgency, expr, "uses up its error budget too fast", description));
        }
        rules
    }

    fn alert(&self, bad: Bad, urgency: Urgency, expr: String, summary: &str, description: String) -> Rule {
        Rule::alert(name(bad, urgency), urgency, expr, format!("{} {summary}", plain(&self.function.name)), description)
            .concerning(&self.concern)
            .label(self.calls.label, &self.function.name)
    }

    /// The bad runs of a window, and all runs of it: by the times of starts, successes and slow runs, which each way has.
    fn runs(&self, bad: Bad, window: &str) -> (String, String) {
        let (selector, by) = (&self.selector, format!("{PROCESS}, command"));
        let changes = |family: &str| format!("sum by ({by}) (changes({family}{selector}[{window}]))");
        let all = changes("cli_command_last_start_timestamp_seconds");
        let bad = match bad {
            // The run in progress is none yet.
            Bad::Failed => format!(
                "{all}\n- ({} or 0 * {all})\n- (count by ({by}) (cli_command_last_exit_code{selector} == -1) or 0 * {all})",
                changes("cli_command_last_success_timestamp_seconds")
            ),
            Bad::Slow(_) => format!(
                "(sum by ({by}) (changes(obs:command_slow_start:timestamp_seconds{selector}[{window}])) + 1) or 0 * {all}"
            ),
        };
        (bad, all)
    }

    fn by_runs(&self, objective: Objective, bad: Bad, gap: Duration) -> Vec<Rule> {
        let budget = f64::from(objective.may_fail_per_million()) / 1e6;
        let (selector, by) = (&self.selector, format!("{PROCESS}, command"));
        let mut rules = Vec::new();
        if let Bad::Slow(limit) = bad {
            rules.push(Rule::record(
                "obs:command_slow_start:timestamp_seconds",
                format!(
                    "cli_command_last_start_timestamp_seconds{selector}\nand (cli_command_last_duration_seconds{selector} > {}\n  and \
                     cli_command_last_exit_code{selector} >= 0)",
                    limit.as_secs_f64()
                ),
            ));
        }
        // The budget of the last runs allows a burn of 13.44 times, but never all of them.
        let recent = duration(gap.saturating_mul(LAST_RUNS));
        let share = number((13.44 * budget).min(0.75));
        let (bad_recently, all_recently) = self.runs(bad, &recent);
        let (bad_runs, all_runs) = self.runs(bad, "28d");
        let now = match bad {
            Bad::Failed => format!("cli_command_last_exit_code{selector} > 0"),
            Bad::Slow(_) => format!("obs:command_slow_start:timestamp_seconds{selector}"),
        };
        let words = match bad {
            Bad::Failed => "failed".to_owned(),
            Bad::Slow(limit) => format!("took longer than {}", humantime::format_duration(limit)),
        };
        let counts =
            "This objective counts runs, over 28 days and by the last runs: it has no error ratio over an hour.";
        let allowed = plain(&format!("{objective} must not"));
        rules.push(self.alert(
            bad,
            Urgency::Critical,
            format!("(({bad_recently})\n  / ({all_recently} > 0)) > {share}\nand on ({by}) {now}"),
            "fails more often than its objective allows",
            format!("{{{{ $value | humanizePercentage }}}} of the runs of {recent}, the last one too, {words}; {allowed}. {counts}"),
        ));
        rules.push(self.alert(
            bad,
            Urgency::Warning,
            format!("(({bad_runs})\n  / ({all_runs} > 0)) > {}", number(budget)),
            "has used up its error budget of 28 days",
            format!("{{{{ $value | humanizePercentage }}}} of the runs of 28 days {words}; {allowed}. {counts}"),
        ));
        rules
    }

    /// The unit tests.
    pub fn tests(&self) -> Vec<UnitTest> {
        let Some(objective) = self.function.declaration.slo else { return Vec::new() };
        let slow = self.function.declaration.slo_latency.map(Bad::Slow);
        let all = [Some(Bad::Failed), slow].into_iter().flatten();
        match self.gap {
            Some(gap) => all.map(|bad| self.test_by_runs(objective, bad, gap)).collect(),
            None => all.map(|bad| self.test_by_calls(objective, bad)).collect(),
        }
    }

    fn series(&self, family: &str, more: &str) -> String {
        let labels = format!("job=\"app\",instance=\"host-1\",environment=\"prod\"{more}");
        format!("{family}{},{labels}}}", self.selector.trim_end_matches('}'))
    }

    /// An hour without a bad call, two with nothing but bad ones, and hours without.
    fn test_by_calls(&self, objective: Objective, bad: Bad) -> UnitTest {
        let prefix = self.calls.prefix;
        let (good, bad_calls, all) = ("0+60x60 3600x120 3660+60x600", "0x60 0+60x119 7200x600", "0+60x781");
        let test = UnitTest::new(format!("{} has nothing but {} for two hours", self.function.name, bad.word()));
        let test = match bad {
            Bad::Failed => test
                .series(self.series(&format!("{prefix}_success_total"), ""), good)
                .series(self.series(&format!("{prefix}_failure_total"), ",outcome=\"error\""), bad_calls),
            Bad::Slow(limit) => {
                let bound = objective_bound(limit).map_or("+Inf".to_owned(), |bound| bound.to_string());
                let ok = ",outcome=\"ok\"";
                test.series(
                    self.series(&format!("{prefix}_duration_seconds_bucket"), &format!("{ok},le=\"{bound}\"")),
                    good,
                )
                .series(self.series(&format!("{prefix}_duration_seconds_count"), ok), all)
            }
        };
        let budget = f64::from(objective.may_fail_per_million()) / 1e6;
        // Two thirds of the calls of three hours are bad, and all of the last half hour.
        let is_fast = BURNS[1].2 * budget < 0.66;
        let is_slow = BURNS[3].2 * budget < 0.66;
        let expect = |test: UnitTest, urgency, fires: bool, during: &[u64]| {
            let rests = [50, 60];
            let (fires, rests) =
                if fires { (during, rests.to_vec()) } else { (&[][..], [&rests[..], during].concat()) };
            test.expect(name(bad, urgency), &self.selector, fires, &rests)
        };
        let test = expect(test, Urgency::Critical, is_fast, &[180]);
        let test = expect(test, Urgency::Warning, is_slow, &[180]);
        test.expect(name(bad, Urgency::Critical), &self.selector, &[], &[779])
    }

    /// Four runs that are good, then one that is bad, and two that are good; each takes a minute, and begins an hour after the one
    /// before at the latest, as simulated days take long.
    fn test_by_runs(&self, objective: Objective, bad: Bad, gap: Duration) -> UnitTest {
        let period = seconds(gap).div_ceil(60).clamp(3, 60);
        let (mut starts, mut successes, mut codes, mut durations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut last, mut last_duration) = (0, "_".to_owned());
        for run in 0..7_u64 {
            let (start, is_bad) = (run * period * 60, run == 4);
            let fails = is_bad && bad == Bad::Failed;
            let before = last;
            if !fails {
                last = start + 60;
            }
            // There is no success before the first one.
            let before = if run == 0 { "_".to_owned() } else { before.to_string() };
            starts.push(format!("{start}x{}", period - 1));
            successes.push(format!("{before} {last}x{}", period - 2));
            codes.push(format!("-1 {}x{}", u8::from(fails), period - 2));
            let duration = match bad {
                Bad::Slow(limit) if is_bad => limit.as_secs_f64() + 1.0,
                _ => 0.001,
            };
            durations.push(format!("{last_duration} {duration}x{}", period - 2));
            last_duration = duration.to_string();
        }
        let mut test = UnitTest::new(format!("{} has {} once in seven runs", self.function.name, bad.word()))
            .series(self.series("cli_command_last_start_timestamp_seconds", ""), starts.join(" "))
            .series(self.series("cli_command_last_success_timestamp_seconds", ""), successes.join(" "))
            .series(self.series("cli_command_last_exit_code", ""), codes.join(" "));
        if matches!(bad, Bad::Slow(_)) {
            test = test.series(self.series("cli_command_last_duration_seconds", ""), durations.join(" "));
        }
        let budget = f64::from(objective.may_fail_per_million()) / 1e6;
        // One of at most four runs is a quarter, one of six more than an eighth.
        let failed = 4 * period + 2;
        let (fires, rests): (&[u64], &[u64]) =
            if BURNS[0].2 * budget < 0.24 { (&[failed], &[]) } else { (&[], &[failed]) };
        let quiet = [4 * period - 1, 5 * period + 2];
        let test = test.expect(name(bad, Urgency::Critical), &self.selector, fires, &[rests, &quiet].concat());
        let (fires, rests): (&[u64], &[u64]) =
            if budget < 0.16 { (&[failed, 6 * period + 2], &[]) } else { (&[], &[6 * period + 2]) };
        test.expect(name(bad, Urgency::Warning), &self.selector, fires, &[rests, &[4 * period - 1]].concat())
    }
}

/// The alert of an objective.
const fn name(bad: Bad, urgency: Urgency) -> &'static str {
    match (bad, urgency) {
        (Bad::Failed, Urgency::Critical) => "ObsObjectiveBurnsFast",
        (Bad::Failed, Urgency::Warning) => "ObsObjectiveBurns",
        (Bad::Slow(_), Urgency::Critical) => "ObsLatencyObjectiveBurnsFast",
        (Bad::Slow(_), Urgency::Warning) => "ObsLatencyObjectiveBurns",
    }
}

/// A bound in a regular expression.
fn escaped(bound: f64) -> String {
    bound.to_string().replace('.', "\\\\.")
}

/// A number without the noise of its last digits.
pub fn number(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
