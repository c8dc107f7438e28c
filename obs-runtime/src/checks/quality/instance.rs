//! A check to run: a declaration, or one item of its list.

use std::time::{Duration, Instant};

use crate::checks::quality::check::{QualityCheck, Runs};
use crate::checks::quality::current_bounds;
use crate::checks::quality::item::Item;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::partition::{self, Partition};
use crate::checks::runner::job::{Answer, Job, Key};
use crate::checks::runner::registry::CheckRef;
#[cfg(feature = "cli")]
use crate::pipeline::global;

/// A check to run: a declaration, or one item of a declaration with `for_each`.
#[derive(Clone)]
pub struct CheckInstance {
    pub(super) check: CheckRef<QualityCheck>,
    pub(super) part: Part,
    /// The part of the data that it is about.
    pub(super) partition: Option<Partition>,
}

/// What of a declaration is run.
#[derive(Clone)]
pub(super) enum Part {
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
            Part::Item(item) if self.check.dataset_name().is_empty() => item.dataset.clone(),
            _ => self.check.dataset_name().to_owned(),
        }
    }

    /// Its name as results show it: items by the names of the function's arguments.
    pub fn shown_name(&self) -> String {
        match &self.part {
            Part::Item(item) => format!("{}[{}]", self.check.name(), item.shown_label),
            Part::Whole | Part::Empty | Part::Unlisted(_) => self.check.name().to_owned(),
        }
    }

    /// Its data set as results show it.
    pub fn shown_dataset(&self) -> String {
        match &self.part {
            Part::Item(item) if self.check.dataset_name().is_empty() => item.shown_dataset.clone(),
            _ => self.check.dataset_name().to_owned(),
        }
    }

    /// The part of the data that it is about; empty for a check without partitions.
    pub fn partition_name(&self) -> String {
        self.partition.map(|partition| partition.to_string()).unwrap_or_default()
    }

    /// Why the list of its items could not be made, redacted; `None` otherwise.
    #[cfg(feature = "cli")]
    pub fn unlisted(&self) -> Option<String> {
        match &self.part {
            Part::Unlisted(reason) => Some(global::redact(format!("{}: {reason}", self.check.name()))),
            Part::Whole | Part::Item(_) | Part::Empty => None,
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
        let label = match self.partition {
            Some(partition) => format!("{label} {partition}"),
            None => label,
        };
        (self.check.identity(), label)
    }

    /// The job that runs it, or its measure if there is nothing to run.
    pub(super) fn job(&self, timeout: Duration, begin: Instant) -> Result<Job<Measure>, Box<Measure>> {
        let (check, partition) = (self.check.clone(), self.partition);
        let run: Box<dyn FnOnce() -> Answer<Measure> + Send> = match &self.part {
            Part::Item(item) => {
                let item = item.clone();
                Box::new(move || {
                    current_bounds::set(check.bounds);
                    partition::set_current(partition);
                    ended((item.run)())
                })
            }
            Part::Unlisted(reason) => return Err(Box::new(Measure::error(reason.clone()))),
            Part::Empty => return Err(Box::new(Measure::no_data().because("its list of items is empty"))),
            Part::Whole => Box::new(move || {
                current_bounds::set(check.bounds);
                partition::set_current(partition);
                match &check.check.run {
                    Runs::Once(callable) => ended(callable.call()),
                    Runs::Each(_) => Answer::Ready(Measure::error("it has no item")),
                }
            }),
        };
        Ok(Job { key: self.key(), run, timeout, not_before: Some(begin), operation: Some(self.shown_name()) })
    }
}

/// An answer with the table that the check reads. The future is polled on the thread of the call.
fn ended(answer: Answer<Measure>) -> Answer<Measure> {
    let end = |measure: Measure| {
        current_bounds::clear();
        partition::set_current(None);
        measure.of_noted_table()
    };
    match answer {
        Answer::Ready(measure) => Answer::Ready(end(measure)),
        Answer::Pending(future) => Answer::Pending(Box::pin(async move { end(future.await) })),
    }
}
