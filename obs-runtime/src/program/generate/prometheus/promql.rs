//! Words of `PromQL` and of the templates of annotations.

use std::time::Duration;

/// The labels that tell the series of one command, check or sink of one process apart from those of another.
pub const PROCESS: &str = "job, instance, service, environment";

/// The text as a string of `PromQL`.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// `{service="etl",command="load"}`.
pub fn selector(labels: &[(&str, &str)]) -> String {
    let matchers: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    format!("{{{}}}", matchers.join(","))
}

/// The text in a template of an annotation or label, where it stands for itself.
pub fn plain(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

/// A duration as Prometheus writes it: `1h30m`.
pub fn duration(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let mut seconds = duration.as_secs();
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (length, unit) in UNITS {
        if seconds >= length {
            text.push_str(&(seconds / length).to_string());
            text.push_str(unit);
            seconds %= length;
        }
    }
    text
}

/// Whole seconds, rounded up.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_themselves() {
        assert_eq!(selector(&[("service", "a\"b\\c\nd"), ("x", "y")]), r#"{service="a\"b\\c\nd",x="y"}"#);
        assert_eq!(plain("rows {{ $value }}"), r#"rows {{ "{{" }} $value }}"#);
        assert_eq!(duration(Duration::from_secs(90_061)), "1d1h1m1s");
    }
}
