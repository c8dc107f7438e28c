//! Which checks a run includes.

use std::collections::BTreeSet;

use crate::checks::quality::check::QualityCheck;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::last_run::{self, Failed};
use crate::checks::quality::partition::Partitions;
use crate::checks::quality::patterns::Patterns;
use crate::checks::quality::status::Severity;
use crate::checks::runner::registry::CheckRef;

/// The checks that a run is restricted to. Without any restriction it includes all. A check is included if it fits each kind of
/// restriction, of which one of each kind is enough, and no exclusion.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub only: Patterns,
    pub datasets: Patterns,
    pub owners: Patterns,
    /// `tier`, or `tier=gold`.
    pub tags: Patterns,
    pub severities: BTreeSet<Severity>,
    pub exclude: Patterns,
    /// Of checks that have partitions.
    pub partitions: Partitions,
    /// Whether it includes only what did not pass when it ran last.
    pub failed_last: bool,
    /// What did not pass, once that was read.
    pub failed: Option<Failed>,
}

impl Selection {
    pub const ALL: Self = Self {
        only: Patterns::new(),
        datasets: Patterns::new(),
        owners: Patterns::new(),
        tags: Patterns::new(),
        severities: BTreeSet::new(),
        exclude: Patterns::new(),
        partitions: Partitions::Latest,
        failed_last: false,
        failed: None,
    };

    /// Reads what did not pass when it ran last, if that matters.
    ///
    /// # Errors
    /// If it cannot be read, as a sentence.
    pub fn read_last_run(&mut self) -> Result<(), String> {
        if self.failed_last {
            self.failed = Some(last_run::failed()?);
        }
        Ok(())
    }

    /// Whether the declaration, or an item of its list, can be part of it. The list has not been made yet.
    pub fn may_hold(&self, check: &QualityCheck) -> bool {
        let by_dataset = self.datasets.is_empty()
            || self.datasets.matches(check.dataset_name())
            || (check.is_for_each() && check.dataset_name().is_empty());
        by_dataset
            && (self.only.is_empty() || can_be_named(check, &self.only))
            && self.fits(check)
            && !self.exclude.matches(check.name())
            && self.failed.as_ref().is_none_or(|failed| failed.may_hold(check))
    }

    /// Whether a declaration has what the selection asks of declarations.
    fn fits(&self, check: &QualityCheck) -> bool {
        (self.severities.is_empty() || self.severities.contains(&check.severity))
            && (self.owners.is_empty() || self.owners.matches(check.owner))
            && (self.tags.is_empty() || tags(check).any(|tag| self.tags.matches(&tag)))
    }

    /// Whether it includes a check, of a declaration that [may be part of it](Self::may_hold). One whose list could not be made is
    /// included if the list could have held one.
    pub fn holds(&self, instance: &CheckInstance) -> bool {
        if instance.is_unlisted() {
            return self.may_hold(&instance.check);
        }
        let named = |names: &Patterns| {
            names.matches(instance.check.name()) || (instance.is_item() && names.matches(&instance.name()))
        };
        (self.only.is_empty() || named(&self.only))
            && (self.datasets.is_empty() || self.datasets.matches(&instance.dataset()))
            && (self.exclude.is_empty() || !named(&self.exclude))
            && self.failed.as_ref().is_none_or(|failed| failed.holds(instance))
    }

    /// What is wrong with it: names that do not exist, with the nearest that do, or a selection of nothing. `declared` are all
    /// checks, `instances` those that [`may_hold`](Self::may_hold) allows.
    pub fn problems(&self, declared: &[CheckRef<QualityCheck>], instances: &[CheckInstance]) -> Vec<String> {
        let kinds = [
            ("check", &self.only),
            ("check", &self.exclude),
            ("data set", &self.datasets),
            ("owner", &self.owners),
            ("tag", &self.tags),
        ];
        // An unset variable of a shell must not select the checks that have no owner.
        let empty = kinds.iter().filter(|(_, names)| names.written().any(str::is_empty));
        let mut problems: Vec<String> = empty.map(|(what, _)| format!("an empty text names no {what}")).collect();
        if !problems.is_empty() {
            return problems;
        }
        self.check_names(declared, instances, &mut problems);
        if !self.datasets.is_empty() {
            let mut known: BTreeSet<String> = instances
                .iter()
                .filter_map(|instance| plainly(instance.dataset(), &instance.shown_dataset()))
                .collect();
            known.extend(declared.iter().map(|check| check.dataset_name().to_owned()));
            // Of a list that could not be made, or that the rest of the selection leaves out.
            let listed: BTreeSet<usize> = listed(instances);
            let may_exist = declared.iter().any(|check| {
                check.is_for_each() && check.dataset_name().is_empty() && !listed.contains(&check.identity())
            });
            let is_hidden = instances.iter().any(|instance| {
                instance.dataset() != instance.shown_dataset() && self.datasets.matches(&instance.dataset())
            });
            if !may_exist && !is_hidden {
                problems.extend(self.datasets.absent("data set", &known));
            }
        }
        let owners = declared.iter().map(|check| check.owner.to_owned()).collect();
        problems.extend(self.owners.absent("owner", &owners));
        if !self.tags.is_empty() {
            let known = declared.iter().flat_map(|check| tags(check).collect::<Vec<_>>()).collect();
            problems.extend(self.tags.absent("tag", &known));
        }
        if problems.is_empty() && !instances.iter().any(|instance| self.holds(instance)) {
            problems.push(self.nothing());
        }
        problems
    }

    /// Names of checks that do not exist.
    fn check_names(
        &self,
        declared: &[CheckRef<QualityCheck>],
        instances: &[CheckInstance],
        problems: &mut Vec<String>,
    ) {
        if self.only.is_empty() && self.exclude.is_empty() {
            return;
        }
        let known: BTreeSet<String> = instances
            .iter()
            .filter_map(|instance| plainly(instance.name(), &instance.shown_name()))
            .chain(declared.iter().map(|check| check.name().to_owned()))
            .collect();
        let listed = listed(instances);
        let hidden: Vec<&CheckInstance> =
            instances.iter().filter(|instance| instance.name() != instance.shown_name()).collect();
        let one = |name: &str| {
            let mut one = Patterns::new();
            one.add(name.to_owned());
            one
        };
        // Items of lists that were not made, or could not be, may have any name.
        let unlisted: Vec<_> = declared
            .iter()
            .filter(|check| check.is_for_each() && !listed.contains(&check.identity()))
            .map(|check| format!("{}[", check.name()))
            .collect();
        for names in [&self.only, &self.exclude] {
            let mut unknown = Patterns::new();
            let may_exist = |name: &str| unlisted.iter().any(|start| one(name).can_match(start, "]"));
            let is_hidden = |name: &str| hidden.iter().any(|instance| one(name).matches(&instance.name()));
            names
                .written()
                .filter(|name| !may_exist(name) && !is_hidden(name))
                .for_each(|name| unknown.add(name.to_owned()));
            problems.extend(unknown.absent("check", &known));
        }
    }

    /// Why it includes no check.
    pub fn nothing(&self) -> String {
        if !self.only.is_empty() && self.only.written().next().is_none() {
            return "there is nothing to check".to_owned();
        }
        let names = (!self.only.is_empty()).then(|| format!("is named {}", self.only.quoted()));
        let datasets = (!self.datasets.is_empty()).then(|| format!("is of the data set {}", self.datasets.quoted()));
        let owners = (!self.owners.is_empty()).then(|| format!("is owned by {}", self.owners.quoted()));
        let tags = (!self.tags.is_empty()).then(|| format!("has the tag {}", self.tags.quoted()));
        let severities: Vec<_> = self.severities.iter().map(|severity| severity.as_str()).collect();
        let severities = (!severities.is_empty()).then(|| format!("has the severity {}", severities.join(" or ")));
        let excluded = (!self.exclude.is_empty()).then(|| format!("is not {}", self.exclude.quoted()));
        let failed = self.failed_last.then(|| "did not pass when it ran last".to_owned());
        let all = [names, datasets, owners, tags, severities, excluded, failed];
        let all: Vec<String> = all.into_iter().flatten().collect();
        if all.len() == 1 && !self.exclude.is_empty() {
            return format!("every check is excluded by {}", self.exclude.quoted());
        }
        if all.is_empty() { "there is nothing to check".to_owned() } else { format!("no check {}", all.join(" and ")) }
    }
}

/// A name that results show plainly.
fn plainly(name: String, shown: &str) -> Option<String> {
    (name == shown).then_some(name)
}

/// The declarations whose lists were made.
fn listed(instances: &[CheckInstance]) -> BTreeSet<usize> {
    instances.iter().filter(|instance| !instance.is_unlisted()).map(|instance| instance.check.identity()).collect()
}

/// Each tag as `tier` and as `tier=gold`.
fn tags(check: &QualityCheck) -> impl Iterator<Item = String> {
    check.tags().into_iter().flat_map(|(name, value)| {
        let both = format!("{name}={value}");
        [name, both]
    })
}

/// Whether a check, or an item of it, can have one of these names.
fn can_be_named(check: &QualityCheck, names: &Patterns) -> bool {
    names.matches(check.name()) || (check.is_for_each() && names.can_match(&format!("{}[", check.name()), "]"))
}
