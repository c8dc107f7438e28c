//! Which health checks there are, and what is wrong with their declarations.

use crate::checks::health::check::{BY_HAND, HealthCheck};
use crate::checks::runner::listed::{Listed, twice};

/// Every function under `#[health_check]`.
#[linkme::distributed_slice]
pub static HEALTH_CHECKS: [HealthCheck];

/// All health checks, by name.
pub fn checks() -> Vec<Listed<HealthCheck>> {
    let mut checks = BY_HAND.with(&HEALTH_CHECKS);
    checks.sort_by(|left, right| (left.name(), left.place()).cmp(&(right.name(), right.place())));
    checks
}

/// The checks of these groups, all when there is none, with those that they come after.
pub fn select(groups: &[String]) -> Vec<Listed<HealthCheck>> {
    let all = checks();
    if groups.is_empty() {
        return all;
    }
    let in_group = |check: &HealthCheck| check.groups.iter().any(|group| groups.iter().any(|wanted| wanted == group));
    let mut wanted: Vec<bool> = all.iter().map(|check| in_group(check)).collect();
    loop {
        let needed = |check: &HealthCheck| {
            all.iter().zip(&wanted).any(|(other, wanted)| *wanted && other.after.contains(&check.name()))
        };
        let more: Vec<usize> = (0..all.len()).filter(|&index| !wanted[index] && needed(&all[index])).collect();
        if more.is_empty() {
            break;
        }
        for index in more {
            wanted[index] = true;
        }
    }
    all.into_iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(check, _)| check).collect()
}

/// The groups that checks belong to.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = checks().iter().flat_map(|check| check.groups.iter().copied()).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// What is wrong with the declarations, each in one sentence: names given twice, checks after one that is not there, or
/// after themselves.
pub fn problems() -> Vec<String> {
    let checks = checks();
    let mut problems = twice("health check", checks.iter().map(|check| (check.name(), check.place())));
    for check in &checks {
        let place = check.place();
        let at = format!("health check `{}` ({}:{})", check.name(), place.file, place.line);
        for after in check.after {
            if !checks.iter().any(|other| other.name() == *after) {
                problems.push(format!("{at} comes after `{after}`, and there is no such check"));
            }
        }
        if comes_after_itself(check, &checks) {
            problems.push(format!("{at} comes after itself: `after` forms a circle, and it never runs"));
        }
    }
    problems
}

fn comes_after_itself(check: &HealthCheck, all: &[Listed<HealthCheck>]) -> bool {
    let mut before: Vec<&str> = check.after.to_vec();
    let mut seen = Vec::new();
    while let Some(name) = before.pop() {
        if name == check.name() {
            return true;
        }
        if !seen.contains(&name) {
            seen.push(name);
            before
                .extend(all.iter().filter(|other| other.name() == name).flat_map(|other| other.after.iter().copied()));
        }
    }
    false
}
