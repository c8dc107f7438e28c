//! The data-quality checks of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::base::ffi::{Quality, Section};
use crate::checks::quality::check::{MANUAL, QualityCheck, Runs};
use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::instance::{CheckInstance, Part};
use crate::checks::quality::item::Item;
use crate::checks::quality::partition::PartitionUnit;
use crate::checks::quality::selection::Selection;
use crate::checks::runner::job::{Answer, Job};
use crate::checks::runner::outcome::FinishedCall;
use crate::checks::runner::plan::{Admission, Plan};
use crate::checks::runner::registry::{CheckRef, duplicate_names};
use crate::checks::runner::run_all::run_all;
use crate::pipeline::global;

impl Section for Quality {
    type Item = QualityCheck;
}

/// All declared data-quality checks, sorted by name. A check with `for_each` counts once.
pub fn checks() -> Vec<CheckRef<QualityCheck>> {
    let mut checks = MANUAL.with(Quality::items());
    checks.sort_by(|left, right| (left.name(), left.place()).cmp(&(right.name(), right.place())));
    checks
}

/// The problems of the declarations, each a sentence: duplicate names in a data set.
pub fn problems() -> Vec<String> {
    let mut of_dataset = BTreeMap::<String, Vec<CheckRef<QualityCheck>>>::new();
    for check in checks() {
        of_dataset.entry(check.dataset_name().to_owned()).or_default().push(check);
    }
    let problems = of_dataset.iter().flat_map(|(dataset, checks)| {
        let kind = if dataset.is_empty() {
            "data-quality checks".to_owned()
        } else {
            format!("data-quality checks of {dataset}")
        };
        duplicate_names(&kind, checks.iter().map(|check| (check.name(), check.place())))
    });
    problems.collect()
}

/// The checks that a selection includes, sorted by name.
pub struct Selected {
    pub checks: Vec<CheckInstance>,
    /// What is wrong with the selection.
    pub problems: Vec<String>,
}

/// Selects checks for a run that has begun. Evaluates the lists of `for_each` that can hold one of them, each isolated like
/// a check.
pub fn select(selection: &Selection, begin: Instant) -> Selected {
    let all = checks();
    let mut selection = selection.clone();
    if let Err(problem) = selection.read_last_run() {
        return Selected { checks: Vec::new(), problems: vec![problem] };
    }
    let possible = all.iter().filter(|check| selection.may_hold(check)).cloned();
    let (each, once): (Vec<_>, Vec<_>) = possible.partition(|check| check.is_for_each());
    let mut instances: Vec<_> =
        once.into_iter().map(|check| CheckInstance { check, part: Part::Whole, partition: None }).collect();
    let state = CheckState::current();
    let lists = run_all(&Lists { checks: &each, begin }, each.len(), &state.lists, None);
    for (check, items) in each.into_iter().zip(lists) {
        match items {
            Ok(items) if items.is_empty() => {
                instances.push(CheckInstance { check, part: Part::Empty, partition: None });
            }
            Ok(items) => instances.extend(of_items(&check, items)),
            Err(reason) => {
                let reason = format!("its list of items could not be made: {reason}");
                instances.push(CheckInstance { check, part: Part::Unlisted(reason), partition: None });
            }
        }
    }
    let mut problems = selection.problems(&all, &instances);
    instances.retain(|instance| selection.holds(instance));
    match partitioned(instances, &selection) {
        Ok(all) => instances = all,
        Err(problem) => {
            problems.push(problem);
            instances = Vec::new();
        }
    }
    instances.sort_by_cached_key(|instance| (instance.name(), instance.check.place(), instance.partition));
    Selected { checks: instances, problems }
}

/// A check for each partition, of those that have partitions.
fn partitioned(instances: Vec<CheckInstance>, selection: &Selection) -> Result<Vec<CheckInstance>, String> {
    let Selection { partitions, failed, .. } = selection;
    let mut all = Vec::with_capacity(instances.len());
    let has_any = instances.iter().any(|instance| instance.check.partition.is_some());
    if partitions.is_given() && !has_any && !instances.is_empty() {
        return Err("none of the checks has partitions".to_owned());
    }
    let mut none = Vec::new();
    let is_any = !instances.is_empty();
    for instance in instances {
        let Some(unit) = instance.check.partition else {
            all.push(instance);
            continue;
        };
        let of = |partition| CheckInstance { partition: Some(partition), ..instance.clone() };
        if let Some(failed) = failed {
            let mut own = failed.partitions(&instance, unit);
            if partitions.is_given() {
                let given = partitions.of(unit)?;
                own.retain(|partition| given.contains(partition));
            }
            all.extend(own.into_iter().map(of));
            continue;
        }
        let own: Vec<_> = partitions.of(unit)?.into_iter().map(of).collect();
        if own.is_empty() {
            none.push((instance, unit));
        }
        all.extend(own);
    }
    if failed.is_some() && is_any && all.is_empty() {
        return Err(selection.nothing());
    }
    // A month that has not ended is no reason to leave the days unchecked.
    let why = |unit: PartitionUnit| partitions.none_has_ended(unit);
    if let Some((_, unit)) = none.first().filter(|_| !all.iter().any(|instance| instance.partition.is_some())) {
        return Err(why(*unit));
    }
    for (instance, unit) in none {
        global::warn(format!("data-quality check `{}` does not run: {}", instance.shown_name(), why(unit)));
    }
    Ok(all)
}

fn of_items(check: &CheckRef<QualityCheck>, items: Vec<Item>) -> Vec<CheckInstance> {
    let mut seen = BTreeSet::new();
    let (first, repeated): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| seen.insert(item.label.clone()));
    for item in repeated {
        global::warn(format!(
            "data-quality check `{}` has the item `{}` more than once",
            check.name(),
            item.shown_label
        ));
    }
    first
        .into_iter()
        .map(|item| CheckInstance { check: check.clone(), part: Part::Item(item), partition: None })
        .collect()
}

struct Lists<'c> {
    checks: &'c [CheckRef<QualityCheck>],
    begin: Instant,
}

impl Plan for Lists<'_> {
    type Value = Result<Vec<Item>, String>;
    type Result = Result<Vec<Item>, String>;

    fn admit(&self, index: usize, _: &[Option<Self::Result>]) -> Admission<Self::Value, Self::Result> {
        let check = self.checks[index].clone();
        let key = (check.identity(), String::new());
        let timeout = check.check.timeout;
        let run = move || match &check.check.run {
            Runs::Each(items) => items(),
            Runs::Once(_) => Answer::Ready(Ok(Vec::new())),
        };
        Admission::Start(Job { key, run: Box::new(run), timeout, not_before: Some(self.begin), operation: None })
    }

    fn judge(&self, _: usize, finished: FinishedCall<Self::Value>) -> Self::Result {
        finished.value()?
    }

    fn deadlocked(&self, _: usize) -> Self::Result {
        Err("nothing was run".to_owned())
    }
}
