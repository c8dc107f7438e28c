//! Queries of Datadog's metrics.

use std::time::Duration;

use crate::exporters::datadog::names::tag_value;
use crate::program::generate::declared::Declared;

/// The longest time that a monitor looks back.
pub const LONGEST_WINDOW: Duration = Duration::from_hours(7 * 24);

/// The most characters of a tag's value.
const MAX_VALUE: usize = 190;

/// What series belong to: `service:etl,env:prod,command:load`. Datadog keeps tags in lower case.
pub fn scope(declared: &Declared, env: Option<&str>, tags: &[(&str, &str)]) -> String {
    let constant = [("service", Some(&*declared.service)), ("env", env)];
    let constant = constant.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let all = constant.chain(tags.iter().copied()).map(|(name, value)| format!("{name}:{}", tag(value)));
    all.collect::<Vec<_>>().join(",")
}

/// A value as Datadog keeps it.
pub fn tag(value: &str) -> String {
    tag_value(value, MAX_VALUE).to_lowercase()
}

/// A window of a monitor, in whole minutes: `last_90m`.
pub fn window(duration: Duration) -> String {
    format!("last_{}m", duration.as_secs().div_ceil(60).max(1))
}

/// The growth of counters: `sum:cli.command.failure{service:etl} by {env}.as_count()`.
pub fn count(metric: &str, scope: &str, by: &[&str]) -> String {
    format!("sum:{metric}{{{scope}}}{}.as_count()", grouped(by))
}

/// ` by {env,check}`.
pub fn grouped(by: &[&str]) -> String {
    if by.is_empty() { String::new() } else { format!(" by {{{}}}", by.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_tags_as_datadog_keeps_them() {
        let declared = Declared { service: "Nightly ETL".to_owned(), ..Declared::default() };
        let scope = scope(&declared, Some("prod"), &[("check", "rows[Users],x}")]);
        assert_eq!(scope, "service:nightly_etl,env:prod,check:rows_users__x_");
        assert_eq!(window(Duration::from_secs(61)), "last_2m");
        assert_eq!(count("a.b", "env:x", &["env", "kind"]), "sum:a.b{env:x} by {env,kind}.as_count()");
    }
}
