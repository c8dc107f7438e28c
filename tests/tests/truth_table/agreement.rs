//! What must be true of a case.

use std::fmt::Debug;

use obs_tests::exposition::Samples;
use serde_json::{Value, json};

use super::backends::State;
use super::endings::Ending;
use super::evidence::Evidence;

/// The claims about one case.
struct Claims<'c> {
    evidence: &'c Evidence,
    ending: &'c Ending,
    state: State,
    wrong: Vec<String>,
}

/// Everything that is not as it must be.
pub fn disagreements(evidence: &Evidence, ending: &Ending, state: State) -> Vec<String> {
    let mut claims = Claims { evidence, ending, state, wrong: Vec::new() };
    claims.process();
    claims.log();
    claims.metrics();
    claims.datadog();
    claims.sentry();
    claims.status();
    claims.terminal();
    claims.wrong
}

impl Claims<'_> {
    fn same<T: PartialEq + Debug>(&mut self, what: &str, seen: T, expected: T) {
        if seen != expected {
            self.wrong.push(format!("{what}: {seen:?}, not {expected:?}"));
        }
    }

    fn holds(&mut self, what: &str, holds: bool, seen: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(format!("{what}: {}", seen()));
        }
    }

    /// Whether a record that is sent before the end has certainly arrived there.
    fn is_complete(&self) -> bool {
        self.ending.outcome.is_some() && !self.ending.is_cut_short
    }

    fn process(&mut self) {
        let (finished, deadline) = (&self.evidence.finished, self.state.deadline());
        self.same("exit status", finished.code(), Some(self.ending.status));
        // A second wait would take two deadlines.
        self.holds("time", finished.duration < 2 * deadline, || format!("{:?}", finished.duration));
        let ends_at_once = self.ending.outcome.is_none() || self.ending.is_cut_short;
        if ends_at_once || self.state != State::Hanging {
            self.holds("time without a wait", finished.duration < deadline, || format!("{:?}", finished.duration));
        }
    }

    fn log(&mut self) {
        let evidence = self.evidence;
        let (started, ended) = (evidence.command_lines(false), evidence.command_lines(true));
        self.same("start lines", started.len(), 1);
        self.same("finish lines", ended.len(), usize::from(self.ending.outcome.is_some()));
        let outcomes: Vec<_> = ended.iter().map(|line| line["outcome"].as_str()).collect();
        self.same("outcome in the log", outcomes.first().copied().flatten(), self.ending.outcome);
        let identity = |line: &Value| {
            ["correlation_id", "user", "operation", "way", "team"].map(|name| line[name].as_str().map(str::to_owned))
        };
        for end in ended {
            self.same("fields of the finish line", Some(identity(end)), started.first().map(|line| identity(line)));
            self.holds("fields", identity(end).iter().all(Option::is_some), || end.to_string());
        }
        let panics = evidence.log.iter().filter(|line| line["panic"] == true).count();
        self.same("lines about the panic", panics, usize::from(self.ending.outcome == Some("panic")));
    }

    /// The numbers of the command: started, success, failure by its outcome, all failures, and the last exit code.
    fn expected_numbers(&self) -> [Option<f64>; 5] {
        let count = |is: bool| if is { Some(1.0) } else { None };
        let failed = self.ending.outcome.is_some_and(|outcome| outcome != "ok");
        [Some(1.0), count(!failed), count(failed), count(failed), Some(self.ending.exit_code)]
    }

    fn numbers(&self, samples: &Samples) -> [Option<f64>; 5] {
        // A counter that stands at zero says the same as none.
        let count = |name: &str, labels: &[(&str, &str)]| samples.sum(name, labels).filter(|count| *count != 0.0);
        let command = ("command", "ending");
        let outcome = ("outcome", self.ending.outcome.unwrap_or_default());
        [
            count("cli_command_started_total", &[command]),
            count("cli_command_success_total", &[command]),
            count("cli_command_failure_total", &[command, outcome]),
            count("cli_command_failure_total", &[command]),
            samples.sum("cli_command_last_exit_code", &[command, ("team", "growth")]),
        ]
    }

    fn metrics(&mut self) {
        let evidence = self.evidence;
        if let Some(measured) = &evidence.measured {
            let expected = self.expected_numbers().map(|number| number.map_or(Value::Null, |number| json!(number)));
            self.same("metrics in the program", measured, &Value::from(expected.to_vec()));
        }
        if !self.is_complete() {
            // Each sample is the final one, or that of the start.
            for samples in evidence.textfile.iter().chain(&evidence.received.pushes) {
                let numbers = self.numbers(samples);
                let only_started = [Some(1.0), None, None, None, Some(-1.0)];
                let is_true = numbers == only_started || numbers == self.expected_numbers();
                self.holds("numbers of an end that was cut short", is_true, || format!("{numbers:?}"));
            }
            return;
        }
        let textfile = evidence.textfile.as_ref().map(|samples| self.numbers(samples));
        self.same("textfile", textfile, Some(self.expected_numbers()));
        let pushed = evidence.received.pushes.last().map(|samples| self.numbers(samples));
        self.same("Pushgateway", pushed, self.state.accepts().then(|| self.expected_numbers()));
    }

    /// An agent cannot refuse: it gets everything unless there is none.
    fn datadog(&mut self) {
        let agent = &self.evidence.received.agent;
        let command = ("command", "ending");
        let outcome = ("outcome", self.ending.outcome.unwrap_or_default());
        let seen = [
            agent.count("cli.command.started", &[command]),
            agent.count("cli.command.success", &[command]),
            agent.count("cli.command.failure", &[command, outcome]),
            agent.count("cli.command.failure", &[command]),
        ];
        let [started, success, failure, failures, _] = self.expected_numbers().map(Option::unwrap_or_default);
        let expected = [started, success, failure, failures];
        if self.state == State::Absent {
            self.same("Datadog", seen, [0.0; 4]);
        } else if self.is_complete() {
            self.same("Datadog", seen, expected);
        } else {
            let is_part = seen.iter().zip(expected).all(|(seen, expected)| *seen == 0.0 || *seen == expected);
            self.holds("Datadog", is_part, || format!("{seen:?}"));
        }
    }

    fn sentry(&mut self) {
        let received = &self.evidence.received;
        let ended_as = if self.ending.outcome == Some("ok") { "ok" } else { "error" };
        let has_end = self.ending.outcome.is_some();
        let accepts = self.state.accepts();
        let expect = |end: Option<&'static str>, begun: &'static str| -> Vec<&'static str> {
            if accepts { [begun].into_iter().chain(end).collect() } else { Vec::new() }
        };
        let statuses = |kind: &str| -> Vec<String> {
            received.items(kind).iter().map(|item| item["status"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let check_ins = expect(has_end.then_some(ended_as), "in_progress");
        self.same_or_part("check-ins", statuses("check_in"), &check_ins);
        self.same_or_part("sessions", statuses("session"), &expect(self.ending.session, "ok"));
        let session = received.items("session").into_iter().next_back().filter(|session| session["init"] != true);
        if let Some(session) = session {
            self.same("errors of the session", session["errors"].as_u64(), Some(self.ending.errors));
        }
        let events = received.items("event");
        let message = |event: &Value| {
            let exception = event["exception"]["values"].as_array().and_then(|values| values.last());
            let text = exception.map_or(&event["logentry"]["message"], |exception| &exception["value"]);
            text.as_str().unwrap_or_default().to_owned()
        };
        let said: Vec<_> = events.iter().map(|event| message(event)).collect();
        let expected: Vec<_> = self.ending.event.into_iter().filter(|_| accepts).collect();
        let is_as_expected =
            said.len() == expected.len() && said.iter().zip(&expected).all(|(said, start)| said.starts_with(start));
        let is_as_expected = is_as_expected || !self.is_complete() && said.is_empty();
        self.holds("events", is_as_expected, || format!("{said:?}, not {expected:?}"));
        let id = self.evidence.command_lines(false).first().map(|line| line["correlation_id"].clone());
        for event in events {
            let tags = &event["tags"];
            self.same("correlation id in Sentry", Some(&tags["correlation_id"]), id.as_ref());
            self.same("operation in Sentry", &tags["operation"], &json!("ending"));
            self.same("tags in Sentry", &event["user"]["id"], &json!("ada"));
        }
    }

    fn same_or_part(&mut self, what: &str, seen: Vec<String>, expected: &[&str]) {
        let is_part =
            expected.len() >= seen.len() && seen.iter().zip(expected).all(|(seen, expected)| seen == expected);
        let holds = is_part && (seen.len() == expected.len() || !self.is_complete());
        self.holds(what, holds, || format!("{seen:?}, not {expected:?}"));
    }

    fn status(&mut self) {
        let is_warning = |line: &&Value| line["level"] == "WARNING" && line["logger"] == "obs_runtime";
        let names = |name: &str| {
            let says = |line: &&Value| line["message"].as_str().is_some_and(|text| text.to_lowercase().contains(name));
            self.evidence.log.iter().filter(is_warning).filter(says).count()
        };
        let warned = [("pushgateway", names("pushgateway")), ("sentry", names("sentry"))];
        self.same("the program tells its status", self.evidence.status.is_some(), self.ending.goes_on);
        for (sink, warnings) in warned {
            let sinks = self.evidence.status.as_ref().and_then(|status| status["sinks"].as_array());
            let status = sinks.and_then(|sinks| sinks.iter().find(|known| known["name"] == sink));
            let fails = !self.state.accepts() && self.state != State::Absent;
            if self.is_complete() {
                self.holds(&format!("warnings of {sink}"), (warnings > 0) == fails, || format!("{warnings}"));
            }
            match status {
                None => {
                    self.holds(sink, !self.ending.goes_on || self.state == State::Absent, || "no status".to_owned());
                }
                Some(status) => {
                    let failure = status["failure"].as_str();
                    let says_why = failure
                        .is_some_and(|failure| self.state.reasons().iter().any(|reason| failure.contains(reason)));
                    let agrees = if fails { says_why } else { failure.is_none() };
                    self.holds(sink, agrees, || status.to_string());
                    self.holds(sink, status["last_success"].is_string() != fails, || status.to_string());
                    let dropped = status["dropped"].as_object().is_some_and(|dropped| !dropped.is_empty());
                    // The Pushgateway's next push has everything that a failed one had. The envelope that hangs is given up at
                    // the deadline, when the status is read; the others are still queued.
                    let is_known = if sink == "sentry" && self.state == State::Hanging {
                        dropped || status["queued"].as_u64() > Some(0)
                    } else {
                        dropped == (fails && sink == "sentry")
                    };
                    self.holds(&format!("{sink}: dropped"), is_known, || status.to_string());
                }
            }
        }
    }

    fn terminal(&mut self) {
        let summary = self.evidence.summary();
        self.same("a line for a person", summary.is_some(), self.ending.summary);
        let id = self.evidence.command_lines(false).first().and_then(|line| line["correlation_id"].as_str());
        let said = summary.unwrap_or_default();
        if let (Some(_), Some(id)) = (summary, id) {
            self.holds("correlation id on the terminal", said.contains(id), || said.to_owned());
        }
        let sent: Vec<_> = self
            .evidence
            .received
            .items("event")
            .iter()
            .filter_map(|event| event["event_id"].as_str())
            .map(|id| id.replace('-', ""))
            .collect();
        let shown = said.split("Sentry event ").nth(1).map(|rest| rest.trim_end_matches(')').replace('-', ""));
        let has_event = self.ending.summary && self.ending.event.is_some();
        self.same("event on the terminal", shown, sent.into_iter().next().filter(|_| has_event));
        let not_sent = has_event && !self.state.accepts() && self.state != State::Absent;
        self.same("\"not sent\" on the terminal", said.contains("not sent: "), not_sent);
        let stdout = &self.evidence.finished.stdout;
        let panicked =
            stdout.lines().filter(|line| line.contains("asked to panic") && line.contains("\"panic\":true")).count();
        self.same("the panic on the terminal", panicked, usize::from(self.ending.outcome == Some("panic")));
    }
}
