//! The health checks of the program, and problems of their declarations.

use crate::base::ffi::{Health, Section};
use crate::checks::health::check::{HealthCheck, MANUAL};
use crate::checks::runner::registry::{CheckRef, duplicate_names};

impl Section for Health {
    type Item = HealthCheck;
}

/// All health checks, sorted by name.
pub fn checks() -> Vec<CheckRef<HealthCheck>> {
    let mut checks = MANUAL.with(Health::items());
    checks.sort_by(|left, right| (left.name(), left.place()).cmp(&(right.name(), right.place())));
    checks
}

/// The checks of these groups and those that they come after; all checks if no group is given.
pub fn select(groups: &[String]) -> Vec<CheckRef<HealthCheck>> {
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

/// The groups of all checks.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = checks().iter().flat_map(|check| check.groups.iter().copied()).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The problems of the declarations, each a sentence: duplicate names, and `after` that names an unknown check or forms a
/// cycle.
pub fn problems() -> Vec<String> {
    let checks = checks();
    let mut problems = duplicate_names("health checks", checks.iter().map(|check| (check.name(), check.place())));
    for check in &checks {
        let place = check.place();
        let at = format!("health check `{}` ({}:{})", check.name(), place.file, place.line);
        for after in check.after {
            if !checks.iter().any(|other| other.name() == *after) {
                problems.push(format!("{at} comes after `{after}`, which does not exist"));
            }
        }
        if comes_after_itself(check, &checks) {
            problems.push(format!("{at} comes after itself: `after` forms a cycle, and it never runs"));
        }
    }
    problems
}

fn comes_after_itself(check: &HealthCheck, all: &[CheckRef<HealthCheck>]) -> bool {
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
