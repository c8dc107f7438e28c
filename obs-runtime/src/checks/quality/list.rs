//! The data-quality checks of the program.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::base::ffi::{Quality, Section};
use crate::checks::quality::check::{Item, MANUAL, QualityCheck, Runs};
use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::selection::Selection;
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
    part: Part,
}

/// What of a declaration is run.
#[derive(Clone)]
enum Part {
    Whole,
    Item(Item),
    /// The list has no item.
    Empty,
    /// The list could not be made, for this reason.
    Unlisted(String),
}

impl CheckInstance {
    /// `rows`, or `rows[users]`.
    pub fn name(&self) -> String {
        match &self.part {
            Part::Item(item) => format!("{}[{}]", self.check.name(), item.label),
            Part::Whole | Part::Empty | Part::Unlisted(_) => self.check.name().to_owned(),
        }
    }

    /// The declared data set, or the item.
    pub fn dataset(&self) -> String {
        match &self.part {
            Part::Item(item) if self.check.dataset.is_empty() => item.label.clone(),
            _ => self.check.dataset.to_owned(),
        }
    }

    /// Whether it is an item of `for_each`.
    pub(super) const fn is_item(&self) -> bool {
        matches!(self.part, Part::Item(_))
    }

    /// Whether it stands for a list that could not be made.
    pub(super) const fn is_unlisted(&self) -> bool {
        matches!(self.part, Part::Unlisted(_))
    }

    #[cfg(feature = "cli")]
    pub fn declaration(&self) -> &QualityCheck {
        &self.check
    }

    pub(super) fn key(&self) -> Key {
        let label = match &self.part {
            Part::Item(item) => item.label.clone(),
            Part::Whole | Part::Empty | Part::Unlisted(_) => String::new(),
        };
        (self.check.identity(), label)
    }

    /// The job that runs it, or its measure if there is nothing to run.
    pub(super) fn job(&self, timeout: Duration, begin: Instant) -> Result<Job<Measure>, Box<Measure>> {
        let check = self.check.clone();
        let run: Box<dyn FnOnce() -> Answer<Measure> + Send> = match &self.part {
            Part::Item(item) => {
                let item = item.clone();
                Box::new(move || (item.run)())
            }
            Part::Unlisted(reason) => return Err(Box::new(Measure::error(reason.clone()))),
            Part::Empty => return Err(Box::new(Measure::no_data().because("its list of items is empty"))),
            Part::Whole => Box::new(move || match &check.check.run {
                Runs::Once(callable) => callable.call(),
                Runs::Each(_) => Answer::Ready(Measure::error("it has no item")),
            }),
        };
        Ok(Job { key: self.key(), run, timeout, not_before: Some(begin) })
    }
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
    let possible = all.iter().filter(|check| selection.may_hold(check)).cloned();
    let (each, once): (Vec<_>, Vec<_>) = possible.partition(|check| check.is_for_each());
    let mut instances: Vec<_> = once.into_iter().map(|check| CheckInstance { check, part: Part::Whole }).collect();
    let state = CheckState::current();
    let lists = run_all(&Lists { checks: &each, begin }, each.len(), &state.lists, None);
    for (check, items) in each.into_iter().zip(lists) {
        match items {
            Ok(items) if items.is_empty() => instances.push(CheckInstance { check, part: Part::Empty }),
            Ok(items) => instances.extend(of_items(&check, items)),
            Err(reason) => {
                let reason = format!("its list of items could not be made: {reason}");
                instances.push(CheckInstance { check, part: Part::Unlisted(reason) });
            }
        }
    }
    let problems = selection.problems(&all, &instances);
    instances.retain(|instance| selection.holds(instance));
    instances.sort_by_cached_key(|instance| (instance.name(), instance.check.place()));
    Selected { checks: instances, problems }
}

/// All checks, sorted by name.
#[cfg(feature = "cli")]
pub fn instances() -> Vec<CheckInstance> {
    select(&Selection::default(), Instant::now()).checks
}

fn of_items(check: &CheckRef<QualityCheck>, items: Vec<Item>) -> Vec<CheckInstance> {
    let mut seen = BTreeSet::new();
    let (first, repeated): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| seen.insert(item.label.clone()));
    for item in repeated {
        global::warn(format!("data-quality check `{}` has the item `{}` more than once", check.name(), item.label));
    }
    first.into_iter().map(|item| CheckInstance { check: check.clone(), part: Part::Item(item) }).collect()
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
        Admission::Start(Job { key, run: Box::new(run), timeout, not_before: Some(self.begin) })
    }

    fn judge(&self, _: usize, finished: FinishedCall<Self::Value>) -> Self::Result {
        finished.value()?
    }

    fn deadlocked(&self, _: usize) -> Self::Result {
        Err("nothing was run".to_owned())
    }
}
