//! The machine: its clock, time zones, folders and trusted certificates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::checks::runner::details::timestamp;
use crate::config::otlp::OtlpSignal;
use crate::config::validated::Config;
use crate::metrics::registry;
use crate::program::doctor::finding::Finding;

/// 2025-01-01, in seconds since 1970: a clock that is behind it was never set.
const PLAUSIBLE: u64 = 1_735_689_600;

/// Differences of clocks up to this many seconds are normal: dates of HTTP have whole seconds, and answers take time.
const NORMAL_OFFSET: u64 = 5;

/// From this many seconds on, servers refuse what they get: signatures of Google and events of Sentry are too old or from the
/// future.
const REFUSED_OFFSET: u64 = 60;

/// The clock, and the differences to the clocks of servers: how many seconds it is ahead.
pub fn clock(now: SystemTime, offsets: &[(String, i64)]) -> Finding {
    const SUBJECT: &str = "clock";
    const ADVICE: &str = "synchronise the clock, by chrony or systemd-timesyncd for example";
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = timestamp(now);
    if seconds < PLAUSIBLE {
        return Finding::problem(SUBJECT, format!("it is {now}: the clock was never set"), ADVICE);
    }
    let Some((server, offset)) = offsets.iter().max_by_key(|(_, offset)| offset.unsigned_abs()) else {
        return Finding::ok(SUBJECT, format!("it is {now}; no server to compare with has answered"));
    };
    let direction = if *offset < 0 { "behind" } else { "ahead of" };
    let difference = offset.unsigned_abs();
    let message = format!("it is {now}, {difference} s {direction} the clock of {server}");
    match difference {
        0..=NORMAL_OFFSET => Finding::ok(SUBJECT, format!("it is {now}, as at {server}")),
        seconds if seconds < REFUSED_OFFSET => Finding::warning(SUBJECT, message, ADVICE),
        _ => Finding::problem(SUBJECT, message, ADVICE),
    }
}

/// The time zones of the schedules, against the one of the machine, by which cron starts jobs.
pub fn time_zones(config: &Config) -> Vec<Finding> {
    const SUBJECT: &str = "time zones";
    let commands: Vec<_> = registry::callsites()
        .into_iter()
        .filter_map(|callsite| Some((callsite.name(), callsite.cron_schedule()?.timezone)))
        .collect();
    let used: BTreeSet<&str> = commands.iter().map(|(_, zone)| *zone).collect();
    let mut findings = Vec::new();
    if cfg!(feature = "bigquery") && jiff::tz::TimeZone::get(&config.budget_timezone).is_err() {
        findings.push(Finding::problem(
            SUBJECT,
            format!("OBS_BUDGET_TIMEZONE: the time zone {} is not known", config.budget_timezone),
            "write it as in the list of the IANA, such as Europe/Berlin",
        ));
    }
    let here = machine_zone();
    let others: Vec<_> =
        commands.iter().filter(|(_, zone)| here.as_deref().is_some_and(|here| !is_same(here, zone))).collect();
    if let Some((command, zone)) = others.first() {
        let here = here.as_deref().unwrap_or_default();
        findings.push(Finding::warning(
            SUBJECT,
            format!("the schedule of {command} is in {zone}, and the machine's time zone is {here}, by which cron starts jobs"),
            format!("CRON_TZ={zone} in the crontab; a timer of systemd and a CronJob have a time zone of their own"),
        ));
    }
    if findings.is_empty() {
        let used = used.into_iter().collect::<Vec<_>>().join(", ");
        let used =
            if used.is_empty() { "no command has a schedule".to_owned() } else { format!("schedules are in {used}") };
        findings
            .push(Finding::ok(SUBJECT, format!("{used}; the machine's is {}", here.as_deref().unwrap_or("not known"))));
    }
    findings
}

fn is_same(one: &str, other: &str) -> bool {
    const UTC: [&str; 6] = ["UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "GMT"];
    one == other || UTC.contains(&one) && UTC.contains(&other)
}

/// The name of the machine's time zone: by `TZ`, `/etc/timezone` or the link `/etc/localtime`. A machine without any has UTC.
fn machine_zone() -> Option<String> {
    let zone =
        std::env::var("TZ").ok().map(|zone| zone.trim_start_matches(':').to_owned()).filter(|zone| !zone.is_empty());
    let of_file = || std::fs::read_to_string("/etc/timezone").ok().map(|zone| zone.trim().to_owned());
    let of_link = || {
        let target = std::fs::read_link("/etc/localtime").ok()?;
        Some(target.to_str()?.split_once("zoneinfo/")?.1.to_owned())
    };
    let has_none = || (cfg!(unix) && !Path::new("/etc/localtime").exists()).then(|| "UTC".to_owned());
    zone.or_else(of_link).or_else(of_file).or_else(has_none)
}

/// The folder for what outlives a run.
#[cfg(feature = "bigquery")]
pub fn state_folder(config: &Config) -> Vec<Finding> {
    use crate::bigquery::budget::resolved::FILE;
    use crate::bigquery::budget::schema;
    use crate::program::self_checks::disk;

    const SUBJECT: &str = "state folder";
    const ADVICE: &str = "set OBS_STATE_DIR to a folder that this user can write, on a disk with free space";
    let Some(folder) = config.state_folder() else {
        return vec![Finding::warning(SUBJECT, "neither OBS_STATE_DIR nor HOME is set: budgets are not kept", ADVICE)];
    };
    let shown = folder.display();
    let mut findings = Vec::new();
    if folder.join(FILE).exists() && schema::is_newer(&folder.join(FILE)) {
        findings.push(Finding::warning(
            SUBJECT,
            format!("{shown}/{FILE} was written by a newer version of obs than {}", env!("CARGO_PKG_VERSION")),
            "build all programs that share the folder with one version of obs",
        ));
    }
    // A folder that does not exist is made when it is needed.
    let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else { return findings };
    match disk::folder(existing) {
        Err(error) => findings.push(Finding::warning(SUBJECT, format!("{}: {error}", existing.display()), ADVICE)),
        Ok(health) => findings.extend(health.restriction().map(|message| Finding::warning(SUBJECT, message, ADVICE))),
    }
    if findings.is_empty() {
        findings.push(Finding::ok(SUBJECT, format!("{shown} can be written")));
    }
    findings
}

/// Which certificates are trusted, where TLS is used.
pub fn tls(config: &Config) -> Finding {
    const SUBJECT: &str = "TLS roots";
    let dsn = config.sentry_dsn.as_ref().filter(|_| config.sentry_enabled);
    let pushgateway = config.prometheus_pushgateway_url.as_ref().and_then(|url| url.parts().map(|parts| parts.scheme));
    let uses_datadog_api = config.datadog_enabled && config.datadog_agentless == Some(true);
    let uses_tls = [
        (dsn.is_some_and(|dsn| dsn.expose().starts_with("https:")), "Sentry", certificates_of_sentry(config)),
        (pushgateway == Some("https"), "the Pushgateway", None),
        (uses_datadog_api && config.datadog_api_url().starts_with("https:"), "Datadog's API", None),
    ];
    let mut users: Vec<(&str, Option<PathBuf>)> =
        uses_tls.into_iter().filter_map(|(uses, name, own)| uses.then_some((name, own))).collect();
    let signals = [OtlpSignal::Traces, OtlpSignal::Metrics, OtlpSignal::Logs];
    let targets = signals.into_iter().filter(|signal| config.exports_otlp(*signal));
    let targets = targets.map(|signal| config.otlp_target(signal)).filter(|target| target.url.starts_with("https:"));
    users.extend(targets.map(|target| ("OTLP", target.certificate)));
    users.dedup();
    if users.is_empty() {
        return Finding::off(SUBJECT, "nothing is sent over TLS");
    }
    let (of_public, own): (Vec<_>, Vec<_>) = users.into_iter().partition(|(_, own)| own.is_none());
    let own =
        own.iter().filter_map(|(name, path)| Some(format!("; {name} trusts those of {}", path.as_ref()?.display())));
    let own: String = own.collect();
    let users: Vec<_> = of_public.into_iter().map(|(name, _)| name).collect();
    let message = format!("{} public certificates of Mozilla, built into the program{own}", users_of(&users));
    if std::env::var_os("SSL_CERT_FILE").or_else(|| std::env::var_os("SSL_CERT_DIR")).is_some() && !users.is_empty() {
        let advice = "obs reads no certificates of the machine: behind a proxy that signs by its own authority, send by OTLP with \
                      OTEL_EXPORTER_OTLP_CERTIFICATE, or let the proxy pass these hosts";
        return Finding::warning(
            SUBJECT,
            format!("{message}; SSL_CERT_FILE and SSL_CERT_DIR do not change that"),
            advice,
        );
    }
    Finding::ok(SUBJECT, message)
}

/// The certificates that are trusted for Sentry instead of the public ones.
fn certificates_of_sentry(config: &Config) -> Option<PathBuf> {
    #[cfg(feature = "sentry")]
    let certificates = crate::program::sentry::certificates(config).map(|(_, path)| path);
    #[cfg(not(feature = "sentry"))]
    let certificates = config.sentry_ca_certs.clone();
    certificates
}

fn users_of(users: &[&str]) -> String {
    match users {
        [] => "nothing trusts the".to_owned(),
        [one] => format!("{one} trusts the"),
        many => format!("{} trust the", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::program::doctor::finding::Grade;

    #[test]
    fn a_clock_that_is_wrong_is_found_by_the_servers() {
        let now = UNIX_EPOCH + Duration::from_secs(PLAUSIBLE + 1);
        let grade = |offsets: &[i64]| {
            let offsets: Vec<_> = offsets.iter().map(|offset| ("sentry".to_owned(), *offset)).collect();
            clock(now, &offsets).status
        };
        assert_eq!((grade(&[]), grade(&[0, -5])), (Grade::Ok, Grade::Ok));
        assert_eq!((grade(&[0, -6]), grade(&[59])), (Grade::Warning, Grade::Warning));
        assert_eq!((grade(&[0, 60]), grade(&[i64::MIN])), (Grade::Problem, Grade::Problem));
        let behind = clock(now, &[("sentry".to_owned(), -7200)]);
        assert!(behind.message.ends_with("7200 s behind the clock of sentry"), "{behind:?}");
        assert_eq!(clock(UNIX_EPOCH, &[]).status, Grade::Problem);
    }

    #[test]
    fn names_of_utc_are_one_time_zone() {
        assert!(is_same("Etc/UTC", "UTC") && is_same("Europe/Berlin", "Europe/Berlin"));
        assert!(!is_same("Europe/Berlin", "UTC"));
    }

    #[test]
    fn each_backend_that_is_reached_over_tls_is_named() {
        let mut config = Config::default().with(|config| {
            config.datadog_enabled = true;
            config.datadog_agentless = Some(true);
        });
        assert!(tls(&config).message.starts_with("Datadog's API trusts the public certificates"), "{:?}", tls(&config));
        config.sentry_enabled = true;
        config.sentry_dsn = Some(Secret::new("https://key@sentry.example.com/1".to_owned()));
        config.sentry_ca_certs = Some("/etc/sentry.pem".into());
        let message = tls(&config).message;
        assert!(message.starts_with("Datadog's API trusts the public certificates"), "{message}");
        assert!(message.contains("; Sentry trusts those of /etc/sentry.pem"), "{message}");
        assert_eq!(tls(&Config::default()).status, Grade::Off);
    }
}
