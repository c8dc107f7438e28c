//! Which data-quality checks there are.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::checks::quality::check::{BY_HAND, Item, QualityCheck, Runs};
use crate::checks::quality::check_state::Board;
use crate::checks::quality::measure::Measure;
use crate::checks::runner::ending::Ended;
use crate::checks::runner::job::{Answer, Job, Key};
use crate::checks::runner::listed::{Listed, twice};
use crate::checks::runner::run_all::{Admission, Plan, run_all};
use crate::pipeline::global;

/// Every function under `#[dq_check]`.
#[linkme::distributed_slice]
pub static QUALITY_CHECKS: [QualityCheck];

/// All declared data-quality checks, by name; one with `for_each` is one.
pub fn checks() -> Vec<Listed<QualityCheck>> {
    let mut checks = BY_HAND.with(&QUALITY_CHECKS);
    checks.sort_by(|left, right| (left.name(), left.place()).cmp(&(right.name(), right.place())));
    checks
}

/// What is wrong with the declarations: names given twice.
pub fn problems() -> Vec<String> {
    let checks = checks();
    twice("data-quality check", checks.iter().map(|check| (check.name(), check.place())))
}

/// A check to be run: a declared one, or one of those that a declared one with `for_each` stands for.
#[derive(Clone)]
pub struct Instance {
    pub(super) check: Listed<QualityCheck>,
    /// The item; why there is none.
    item: Option<Result<Item, String>>,
}

impl Instance {
    /// `rows`, or `rows[users]`.
    pub fn name(&self) -> String {
        match &self.item {
            Some(Ok(item)) => format!("{}[{}]", self.check.name(), item.label),
            Some(Err(_)) | None => self.check.name().to_owned(),
        }
    }

    /// The data set that the check looks at: the item when nothing else is said.
    pub fn dataset(&self) -> String {
        match &self.item {
            Some(Ok(item)) if self.check.dataset.is_empty() => item.label.clone(),
            _ => self.check.dataset.to_owned(),
        }
    }

    /// Its declaration.
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

    /// What runs it, or why it cannot be run.
    pub(super) fn job(&self, timeout: Duration) -> Result<Job<Measure>, String> {
        let check = self.check.clone();
        let run: Box<dyn FnOnce() -> Answer<Measure> + Send> = match &self.item {
            Some(Ok(item)) => {
                let item = item.clone();
                Box::new(move || (item.run)())
            }
            Some(Err(why)) => return Err(why.clone()),
            None => Box::new(move || match &check.check.run {
                Runs::Once(callable) => callable.call(),
                Runs::Each(_) => Answer::Ready(Measure::errored("it has no item".to_owned())),
            }),
        };
        Ok(Job { key: self.key(), run, timeout })
    }
}

/// Every check that would be run, by name. The lists of `for_each` are made for it, each isolated as a check is.
pub fn instances() -> Vec<Instance> {
    let (each, once): (Vec<_>, Vec<_>) =
        checks().into_iter().partition(|check| matches!(check.check.run, Runs::Each(_)));
    let mut instances: Vec<_> = once.into_iter().map(|check| Instance { check, item: None }).collect();
    let board = Board::current();
    let lists = run_all(&Lists(&each), each.len(), &board.lists, None);
    for (check, items) in each.into_iter().zip(lists) {
        match items {
            Ok(items) => instances.extend(of_items(&check, items)),
            Err(why) => {
                let why = format!("its list of items could not be made: {why}");
                instances.push(Instance { check, item: Some(Err(why)) });
            }
        }
    }
    instances.sort_by_cached_key(|instance| (instance.name(), instance.check.place()));
    instances
}

fn of_items(check: &Listed<QualityCheck>, items: Vec<Item>) -> Vec<Instance> {
    if items.is_empty() {
        global::warn(format!("data-quality check `{}` checks nothing: its list of items is empty", check.name()));
    }
    let mut seen = BTreeSet::new();
    let (first, again): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| seen.insert(item.label.clone()));
    for item in again {
        global::warn(format!("data-quality check `{}` has the item `{}` twice", check.name(), item.label));
    }
    first.into_iter().map(|item| Instance { check: check.clone(), item: Some(Ok(item)) }).collect()
}

struct Lists<'c>(&'c [Listed<QualityCheck>]);

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

    fn judge(&self, _: usize, ended: Ended<Self::Value>) -> Self::Result {
        ended.value()?
    }

    fn stuck(&self, _: usize) -> Self::Result {
        Err("nothing was run".to_owned())
    }
}
