//! The data-quality checks of the program.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::ffi::{Quality, Section};
use crate::checks::quality::check::{Item, MANUAL, QualityCheck, Runs};
use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::measure::Measure;
use crate::checks::runner::job::{Answer, Job, Key};
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

/// The problems of the declarations, each a sentence: duplicate names.
pub fn problems() -> Vec<String> {
    let checks = checks();
    duplicate_names("data-quality check", checks.iter().map(|check| (check.name(), check.place())))
}

/// A check to run: a declaration, or one item of a declaration with `for_each`.
#[derive(Clone)]
pub struct CheckInstance {
    pub(super) check: CheckRef<QualityCheck>,
    /// The item of `for_each`, or why the list could not be made.
    item: Option<Result<Item, String>>,
}

impl CheckInstance {
    /// `rows`, or `rows[users]`.
    pub fn name(&self) -> String {
        match &self.item {
            Some(Ok(item)) => format!("{}[{}]", self.check.name(), item.label),
            Some(Err(_)) | None => self.check.name().to_owned(),
        }
    }

    /// The declared data set, or the item.
    pub fn dataset(&self) -> String {
        match &self.item {
            Some(Ok(item)) if self.check.dataset.is_empty() => item.label.clone(),
            _ => self.check.dataset.to_owned(),
        }
    }

    #[cfg(feature = "cli")]
    pub fn declaration(&self) -> &QualityCheck {
        &self.check
    }

    pub(super) fn key(&self) -> Key {
        let label = match &self.item {
            Some(Ok(item)) => item.label.clone(),
            Some(Err(_)) | None => String::new(),
        };
        (self.check.identity(), label)
    }

    /// The job that runs it, or why it cannot run.
    pub(super) fn job(&self, timeout: Duration) -> Result<Job<Measure>, String> {
        let check = self.check.clone();
        let run: Box<dyn FnOnce() -> Answer<Measure> + Send> = match &self.item {
            Some(Ok(item)) => {
                let item = item.clone();
                Box::new(move || (item.run)())
            }
            Some(Err(reason)) => return Err(reason.clone()),
            None => Box::new(move || match &check.check.run {
                Runs::Once(callable) => callable.call(),
                Runs::Each(_) => Answer::Ready(Measure::error("it has no item")),
            }),
        };
        Ok(Job { key: self.key(), run, timeout })
    }
}

/// All checks to run, sorted by name. Evaluates the lists of `for_each`, each isolated like a check.
pub fn instances() -> Vec<CheckInstance> {
    let (each, once): (Vec<_>, Vec<_>) =
        checks().into_iter().partition(|check| matches!(check.check.run, Runs::Each(_)));
    let mut instances: Vec<_> = once.into_iter().map(|check| CheckInstance { check, item: None }).collect();
    let state = CheckState::current();
    let lists = run_all(&Lists(&each), each.len(), &state.lists, None);
    for (check, items) in each.into_iter().zip(lists) {
        match items {
            Ok(items) => instances.extend(of_items(&check, items)),
            Err(reason) => {
                let reason = format!("its list of items could not be made: {reason}");
                instances.push(CheckInstance { check, item: Some(Err(reason)) });
            }
        }
    }
    instances.sort_by_cached_key(|instance| (instance.name(), instance.check.place()));
    instances
}

fn of_items(check: &CheckRef<QualityCheck>, items: Vec<Item>) -> Vec<CheckInstance> {
    if items.is_empty() {
        global::warn(format!("data-quality check `{}` checks nothing: its list of items is empty", check.name()));
    }
    let mut seen = BTreeSet::new();
    let (first, repeated): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| seen.insert(item.label.clone()));
    for item in repeated {
        global::warn(format!("data-quality check `{}` has the item `{}` more than once", check.name(), item.label));
    }
    first.into_iter().map(|item| CheckInstance { check: check.clone(), item: Some(Ok(item)) }).collect()
}

struct Lists<'c>(&'c [CheckRef<QualityCheck>]);

impl Plan for Lists<'_> {
    type Value = Result<Vec<Item>, String>;
    type Result = Result<Vec<Item>, String>;

    fn admit(&self, index: usize, _: &[Option<Self::Result>]) -> Admission<Self::Value, Self::Result> {
        let check = self.0[index].clone();
        let key = (check.identity(), String::new());
        let timeout = check.check.timeout;
        let run = move || match &check.check.run {
            Runs::Each(items) => items(),
            Runs::Once(_) => Answer::Ready(Ok(Vec::new())),
        };
        Admission::Start(Job { key, run: Box::new(run), timeout })
    }

    fn judge(&self, _: usize, finished: FinishedCall<Self::Value>) -> Self::Result {
        finished.value()?
    }

    fn deadlocked(&self, _: usize) -> Self::Result {
        Err("nothing was run".to_owned())
    }
}
