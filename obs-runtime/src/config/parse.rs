//! Parsers of variables. A parser that fails may suggest the closest valid text.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::base::level::Level;
use crate::config::log_format::LogFormat;
use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::metrics_port::MetricsPort;
use crate::config::pricing_mode::PricingMode;
use crate::config::signals::Signals;

/// A value, or the closest valid text if there is one.
pub type Parsed<T> = Result<T, Option<String>>;

/// The candidate that is most similar to the text, ignoring case, if any is similar.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let text = text.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&text, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate.to_owned())
}

pub fn boolean(text: &str) -> Parsed<bool> {
    const TRUE: [&str; 4] = ["true", "yes", "on", "1"];
    const FALSE: [&str; 4] = ["false", "no", "off", "0"];
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is_one_of(TRUE), is_one_of(FALSE)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(nearest(text, TRUE.into_iter().chain(FALSE))),
    }
}

/// A URL of HTTP.
pub fn http_url(text: &str) -> Parsed<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_valid =
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace));
    if is_valid { Ok(text) } else { Err(None) }
}

/// Whether a text can be a key in a header: visible ASCII characters.
pub fn is_api_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A level, or `off`.
pub fn level_or_off(text: &str) -> Parsed<Option<Level>> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let names = || Level::ALL.into_iter().map(Level::as_str).chain(["off"]);
    Level::parse(text).map(Some).ok_or_else(|| nearest(text, names()))
}

pub fn format(text: &str) -> Parsed<LogFormat> {
    match text {
        _ if text.eq_ignore_ascii_case("json") => Ok(LogFormat::Json),
        _ if text.eq_ignore_ascii_case("text") => Ok(LogFormat::Text),
        _ => Err(nearest(text, ["json", "text"])),
    }
}

pub fn layout(text: &str) -> Parsed<LogLayout> {
    let known = LogLayout::ALL.into_iter().find(|layout| layout.as_str().eq_ignore_ascii_case(text));
    known.ok_or_else(|| nearest(text, LogLayout::ALL.map(LogLayout::as_str)))
}

pub fn log_time(text: &str) -> Parsed<LogTime> {
    let known = LogTime::ALL.into_iter().find(|time| time.as_str().eq_ignore_ascii_case(text));
    known.ok_or_else(|| nearest(text, LogTime::ALL.map(LogTime::as_str)))
}

pub fn signals(text: &str) -> Parsed<Signals> {
    if text.eq_ignore_ascii_case("flush_only") {
        return Ok(Signals::FlushOnly);
    }
    boolean(text).map(Signals::from).map_err(|known| known.or_else(|| nearest(text, ["flush_only"])))
}

pub fn pricing(text: &str) -> Parsed<PricingMode> {
    const ALL: [PricingMode; 2] = [PricingMode::OnDemand, PricingMode::Edition];
    let known = ALL.into_iter().find(|mode| mode.to_string().eq_ignore_ascii_case(text));
    known.ok_or_else(|| nearest(text, ["on_demand", "edition"]))
}

pub fn port(text: &str) -> Parsed<u16> {
    text.parse().map_err(|_| text.parse::<u64>().ok().map(|_| u16::MAX.to_string()))
}

/// A port, or `off`.
pub fn metrics_port(text: &str) -> Parsed<MetricsPort> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(MetricsPort::Off);
    }
    port(text).map(MetricsPort::Port).map_err(|near| near.or_else(|| nearest(text, ["off"])))
}

pub fn address(text: &str) -> Parsed<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| match text.parse::<SocketAddr>() {
        // The port has a variable of its own.
        Ok(with_port) => Some(with_port.ip().to_string()),
        Err(_) => text
            .split_once(':')
            .filter(|(host, _)| host.eq_ignore_ascii_case("localhost"))
            .map(|(host, _)| host.to_owned())
            .or_else(|| nearest(text, ["localhost", "127.0.0.1", "0.0.0.0"])),
    })
}

/// A number of US dollars, not negative.
pub fn usd(text: &str) -> Parsed<f64> {
    let valid = |text: &str| text.parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0);
    valid(text).ok_or_else(|| {
        let repaired = text.trim_matches(['$', '-', ' ']).trim_end_matches("USD").trim().replace(',', ".");
        valid(&repaired).map(|usd| usd.to_string())
    })
}

/// A rate from 0 to 1.
pub fn rate(text: &str) -> Parsed<f64> {
    let valid = |text: &str| text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate));
    valid(text).ok_or_else(|| {
        let percent = text.strip_suffix('%').and_then(|text| text.trim().parse::<f64>().ok()).map(|rate| rate / 100.0);
        let repaired = percent.map_or_else(|| text.replace(',', "."), |rate| rate.to_string());
        let number = repaired.parse::<f64>().ok().filter(|rate| rate.is_finite());
        // A number of two digits was probably meant as a percentage.
        let is_percentage = |rate: f64| (10.0..=100.0).contains(&rate);
        number.map(|rate| (if is_percentage(rate) { rate / 100.0 } else { rate }).clamp(0.0, 1.0).to_string())
    })
}

/// A Sentry DSN: `https://key@host/path/project`.
pub fn dsn(text: &str) -> Parsed<&str> {
    let valid = || {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let (key, rest) = rest.split_once('@')?;
        let (host, path) = rest.split_once('/')?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !name.starts_with('[') || name.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let project = path.trim_end_matches('/').rsplit('/').next()?;
        let key = key.split(':').next()?;
        let plain = |text: &str| {
            !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.[]:".contains(letter))
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        (plain(key) && plain(name) && is_port && plain(project)).then_some(text)
    };
    valid().ok_or(None)
}

pub fn duration(text: &str) -> Parsed<Duration> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err(None),
        Err(_) => Err(text
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero())
            .map(|duration| humantime::format_duration(duration).to_string())),
    }
}

/// A duration, also of zero.
pub fn duration_or_zero(text: &str) -> Parsed<Duration> {
    if humantime::parse_duration(text).is_ok_and(|duration| duration.is_zero()) {
        return Ok(Duration::ZERO);
    }
    duration(text)
}

/// A positive number of seconds, or a duration.
pub fn seconds(text: &str) -> Parsed<Duration> {
    let Ok(seconds) = text.parse::<f64>() else { return duration(text) };
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero()).ok_or(None)
}

/// A duration, or `never`.
pub fn duration_or_never(text: &str) -> Parsed<Option<Duration>> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    duration(text).map(Some).map_err(|near| near.or_else(|| nearest(text, ["never"])))
}

/// A positive integer.
pub fn count(text: &str) -> Parsed<usize> {
    match text.parse() {
        Ok(0) => Err(Some("1".to_owned())),
        Ok(count) => Ok(count),
        Err(_) => {
            let plain = text.replace(['_', ','], "").parse::<i64>().ok();
            Err(plain.map(|count| count.max(1).to_string()))
        }
    }
}

/// Tags separated by commas, or by spaces where there is no comma. Those without a value are left out.
pub fn tags(text: &str) -> Vec<String> {
    let is_separator = |letter: char| if text.contains(',') { letter == ',' } else { letter.is_whitespace() };
    let has_value = |tag: &&str| tag.split_once(':').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty());
    text.split(is_separator).map(str::trim).filter(has_value).map(str::to_owned).collect()
}

/// Names separated by commas.
pub fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The name of a time zone, which is checked only if the build has a time zone database.
#[cfg_attr(
    not(feature = "bigquery"),
    expect(clippy::unnecessary_wraps, reason = "fails only with a time zone database")
)]
pub fn timezone(text: &str) -> Parsed<String> {
    #[cfg(feature = "bigquery")]
    if jiff::tz::TimeZone::get(text).is_err() {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        return Err(nearest(text, names.iter().map(String::as_str)));
    }
    Ok(text.to_owned())
}

/// A host and a port without scheme and path.
pub fn host_and_port(text: &str) -> Parsed<String> {
    let bare = text.trim_start_matches("http://").trim_end_matches('/');
    let fits = bare.rsplit_once(':').is_some_and(|(host, port)| {
        let is_part =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '[' | ']' | ':' | '_');
        !host.is_empty() && host.chars().all(is_part) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    match fits {
        true if bare == text => Ok(text.to_owned()),
        true => Err(Some(bare.to_owned())),
        false => Err(None),
    }
}
