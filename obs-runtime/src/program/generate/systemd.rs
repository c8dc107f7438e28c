//! `generate systemd`: a service and a timer for each command with a schedule.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::base::cron::{Cron, Numbers};
use crate::base::schedule::Schedule;
use crate::program::generate::declared::{Declared, Function};
use crate::program::generate::deployment::{DeploymentOptions, without_schedule};
use crate::program::generate::prometheus::promql::seconds;
use crate::program::generate::target::{GeneratedFile, Target, file_name, heading};

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Arguments of `generate systemd`.
#[derive(Clone, Debug, clap::Args)]
pub struct SystemdOptions {
    /// The program, by its absolute path.
    #[arg(long, value_name = "PATH")]
    program: PathBuf,
    /// The user that runs it.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A file of variables, for secrets.
    #[arg(long, value_name = "PATH")]
    environment_file: Option<PathBuf>,
    #[command(flatten)]
    deployment: DeploymentOptions,
}

impl Target for SystemdOptions {
    const NAME: &'static str = "systemd";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        if !self.program.is_absolute() {
            return Err(format!("--program {}: the path must be absolute", self.program.display()));
        }
        self.deployment.check(declared)?;
        let mut files = Vec::new();
        for function in &declared.commands {
            let Some(schedule) = &function.schedule else { continue };
            let name = file_name(&function.name);
            let service = heading(Self::NAME, declared) + &self.service(declared, function, schedule);
            files.push(GeneratedFile::of(declared, &format!("{name}.service"), service));
            let timer = heading(Self::NAME, declared) + &timer(declared, function, schedule)?;
            files.push(GeneratedFile::of(declared, &format!("{name}.timer"), timer));
        }
        if files.is_empty() { Err(without_schedule(declared)) } else { Ok(files) }
    }
}

fn description(declared: &Declared, function: &Function) -> String {
    let owner = function.declaration.owner.map(|owner| format!(" (owner: {owner})")).unwrap_or_default();
    one_line(&format!("{} of {}{owner}", function.name, declared.service))
}

/// The text as the rest of a line, with what systemd would replace in it. A backslash at its end would join the next line to it.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim_end_matches('\\').replace('%', "%%")
}

/// The address of a page in `Documentation`, which is a list of words in quotes or not.
fn documentation(address: &str) -> String {
    let mut text = String::new();
    for byte in address.bytes() {
        if byte.is_ascii_graphic() && !b"\"'\\<>^`{|}".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text.replace('%', "%%")
}

impl SystemdOptions {
    fn service(&self, declared: &Declared, function: &Function, schedule: &Schedule) -> String {
        let mut text = format!("[Unit]\nDescription={}\n", description(declared, function));
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key}={value}");
        };
        if let Some(runbook) = function.declaration.runbook {
            line("Documentation", &documentation(runbook));
        }
        line("Wants", "network-online.target");
        line("After", "network-online.target");
        text.push_str("\n[Service]\nType=oneshot\n");
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key}={value}");
        };
        let mut command = vec![quoted(&self.program.display().to_string())];
        let arguments = self.deployment.arguments_of(&function.name);
        command.extend(arguments.iter().map(|argument| quoted(&argument.replace('$', "$$"))));
        line("ExecStart", &command.join(" "));
        for (name, value) in self.deployment.environment(declared) {
            line("Environment", &quoted(&format!("{name}={value}")));
        }
        if let Some(file) = &self.environment_file {
            line("EnvironmentFile", &one_line(&file.display().to_string()));
        }
        if let Some(user) = &self.user {
            line("User", &one_line(user));
        }
        // Of a service of this type, the start takes as long as the run.
        let limit = schedule.max_runtime.map_or_else(|| "infinity".to_owned(), |limit| format!("{}s", seconds(limit)));
        line("TimeoutStartSec", &limit);
        text
    }
}

fn timer(declared: &Declared, function: &Function, schedule: &Schedule) -> Result<String, String> {
    let mut text = format!("[Unit]\nDescription=Timer of {}\n\n[Timer]\n", description(declared, function));
    if let Some(every) = schedule.every {
        let _ = write!(text, "OnActiveSec=0\nOnUnitActiveSec={}s\n", seconds(every));
    } else {
        let cron = Cron::parse(schedule.five_fields());
        let cron = cron.ok_or_else(|| format!("{}: the schedule {} is not read", function.name, schedule.cron))?;
        for line in calendar(&cron, schedule.timezone) {
            let _ = writeln!(text, "OnCalendar={line}");
        }
    }
    // The default delays a run by up to a minute.
    text.push_str("AccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n");
    Ok(text)
}

/// The expressions of `OnCalendar` that elapse when a schedule is due.
pub fn calendar(cron: &Cron, zone: &str) -> Vec<String> {
    let days = list(cron.days, 1, 31);
    let weekdays: Vec<&str> = (1..=7)
        .map(|day| day % 7)
        .filter(|day| cron.weekdays.has(*day))
        .filter_map(|day| WEEKDAYS.get(usize::try_from(day).ok()?).copied())
        .collect();
    let weekdays = if weekdays.len() == 7 { String::new() } else { weekdays.join(",") + " " };
    let rest = format!("{}:{}:00 {zone}", list(cron.hours, 0, 23), list(cron.minutes, 0, 59));
    let months = list(cron.months, 1, 12);
    if cron.either_day {
        return vec![format!("*-{months}-{days} {rest}"), format!("{weekdays}*-{months}-* {rest}")];
    }
    vec![format!("{weekdays}*-{months}-{days} {rest}")]
}

/// `*`, `0,15,30`, or `1..5` for what follows each other.
fn list(numbers: Numbers, first: u32, last: u32) -> String {
    let numbers: Vec<u32> = numbers.iter().collect();
    if numbers.len() == (first..=last).count() {
        return "*".to_owned();
    }
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => parts.push((number, number)),
        }
    }
    let part = |(from, to): &(u32, u32)| match to - from {
        0 => format!("{from:02}"),
        1 => format!("{from:02},{to:02}"),
        _ => format!("{from:02}..{to:02}"),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// A word of a command line or a variable, on one line. Only in arguments of a command line, `$` is that of a variable.
fn quoted(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    let mut text = String::new();
    for letter in plain.chars() {
        if letter.is_control() {
            let _ = write!(text, "\\u{:04x}", u32::from(letter));
        } else {
            text.push(letter);
        }
    }
    if text.is_empty() || text.chars().any(|letter| letter.is_whitespace() || "\"';\\".contains(letter)) {
        format!("\"{text}\"")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::generate::sample;

    #[test]
    fn schedules_become_calendar_expressions() {
        for (cron, lines) in [
            ("0 3 * * *", &["*-*-* 03:00:00 UTC"][..]),
            ("*/15 6-22 * JAN-MAR mon-fri", &["Mon,Tue,Wed,Thu,Fri *-01..03-* 06..22:00,15,30,45:00 UTC"]),
            ("5 4 * * SUN", &["Sun *-*-* 04:05:00 UTC"]),
            ("0 6 1,15 * MON", &["*-*-01,15 06:00:00 UTC", "Mon *-*-* 06:00:00 UTC"]),
            ("0 0 31 * *", &["*-*-31 00:00:00 UTC"]),
        ] {
            assert_eq!(calendar(&Cron::parse(cron).unwrap(), "UTC"), lines, "{cron}");
        }
    }

    #[test]
    fn texts_stay_on_their_line_and_stand_for_themselves() {
        for (text, expected) in [
            ("load", "load"),
            ("a b", "\"a b\""),
            ("100%", "100%%"),
            ("$HOME", "$HOME"),
            ("say \"a\\b\"", r#""say \"a\\b\"""#),
            ("a\nUser=root", r#""a\u000aUser=root""#),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(one_line("a\nUser=root 5 % \\\\"), "a User=root 5 %% ");
        assert_eq!(
            documentation("https://wiki.example/a b?c=%20&d='e'#{é}\n$\\"),
            "https://wiki.example/a%%20b?c=%%20&d=%%27e%%27#%%7B%%C3%%A9%%7D%%0A$%%5C"
        );
    }

    #[test]
    fn each_scheduled_command_has_a_service_and_a_timer() {
        let options = SystemdOptions {
            program: PathBuf::from("/bin/true"),
            user: None,
            environment_file: None,
            deployment: DeploymentOptions {
                environment_name: Some("prod".to_owned()),
                arguments: vec!["nightly=load --all 100% $HOME".to_owned()],
                variables: vec!["LOG_LEVEL=DEBUG".to_owned(), "WORDS=a $b".to_owned()],
            },
        };
        let files = options.files(&sample::declared()).unwrap();
        sample::write(&files);
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names.len(), 8, "{names:?}");
        let of = |name: &str| &files.iter().find(|file| file.name == name).unwrap().text;
        assert!(of("etl.nightly.timer").contains("OnCalendar=*-*-* 02:30:00 Europe/Berlin\n"));
        assert!(of("etl.often.timer").contains("OnUnitActiveSec=600s\n"));
        let service = of("etl.nightly.service");
        for line in
            ["ExecStart=/bin/true load --all 100%% $$HOME", "TimeoutStartSec=1800s", "Environment=\"WORDS=a $b\""]
        {
            assert!(service.contains(line), "{service}");
        }
        let relative = SystemdOptions { program: PathBuf::from("true"), ..options };
        assert!(relative.files(&sample::declared()).unwrap_err().contains("absolute"));
    }
}
