//! Which checks a run includes.

use std::collections::BTreeSet;

use crate::checks::quality::check::QualityCheck;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::runner::registry::CheckRef;
use crate::config::parse;

/// The checks that a run is restricted to. Without any restriction it includes all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub only: Option<BTreeSet<String>>,
    pub datasets: Option<BTreeSet<String>>,
}

impl Selection {
    /// Whether the declaration, or an item of its list, can be part of it. The list has not been made yet.
    pub fn may_hold(&self, check: &QualityCheck) -> bool {
        let by_name = self.only.as_ref().is_none_or(|names| names.iter().any(|name| can_be_named(check, name)));
        let by_dataset = self.datasets.as_ref().is_none_or(|datasets| {
            datasets.contains(check.dataset_name()) || (check.is_for_each() && check.dataset_name().is_empty())
        });
        by_name && by_dataset
    }

    /// Whether it includes a check. One whose list could not be made is included if the list could have held one.
    pub fn holds(&self, instance: &CheckInstance) -> bool {
        if instance.is_unlisted() {
            return self.may_hold(&instance.check);
        }
        let by_name = |names: &BTreeSet<String>| {
            names.contains(instance.check.name()) || (instance.is_item() && names.contains(&instance.name()))
        };
        self.only.as_ref().is_none_or(by_name)
            && self.datasets.as_ref().is_none_or(|datasets| datasets.contains(&instance.dataset()))
    }

    /// What is wrong with it: names and data sets that do not exist, with the nearest that do, or a selection of nothing.
    /// `declared` are all checks, `instances` those that [`may_hold`](Self::may_hold) allows.
    pub fn problems(&self, declared: &[CheckRef<QualityCheck>], instances: &[CheckInstance]) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(names) = &self.only {
            let known: BTreeSet<String> = instances
                .iter()
                .flat_map(|instance| [instance.name(), instance.check.name().to_owned()])
                .chain(declared.iter().map(|check| check.name().to_owned()))
                .collect();
            let listed = |check: &QualityCheck| {
                instances.iter().any(|instance| is_of(instance, check) && !instance.is_unlisted())
            };
            let could_be = |name: &str| {
                declared.iter().any(|check| check.is_for_each() && can_be_named(check, name) && !listed(check))
            };
            let unknown = names.iter().filter(|name| !known.contains(*name) && !could_be(name));
            problems.extend(unknown.map(|name| absent("check", name, &known)));
        }
        if let Some(datasets) = &self.datasets {
            let mut known: BTreeSet<String> = instances.iter().map(CheckInstance::dataset).collect();
            known.extend(declared.iter().map(|check| check.dataset_name().to_owned()));
            let unlisted = instances.iter().any(|instance| instance.is_unlisted() && instance.dataset().is_empty());
            let without = |check: &QualityCheck| {
                check.is_for_each()
                    && check.dataset_name().is_empty()
                    && !instances.iter().any(|instance| is_of(instance, check))
            };
            let may_exist = unlisted || declared.iter().any(|check| without(check));
            let unknown = datasets.iter().filter(|dataset| !known.contains(*dataset) && !may_exist);
            problems.extend(unknown.map(|dataset| absent("data set", dataset, &known)));
        }
        if problems.is_empty() && !instances.iter().any(|instance| self.holds(instance)) {
            problems.push(self.nothing());
        }
        problems
    }

    fn nothing(&self) -> String {
        let quoted = |names: &BTreeSet<String>| {
            names.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ")
        };
        match (&self.only, &self.datasets) {
            (Some(names), Some(datasets)) => {
                format!("no check that is named {} is of the data set {}", quoted(names), quoted(datasets))
            }
            _ => "there is nothing to check".to_owned(),
        }
    }
}

/// Whether it is a part of this declaration.
fn is_of(instance: &CheckInstance, check: &QualityCheck) -> bool {
    std::ptr::eq(&raw const *instance.check, check)
}

/// Whether a check, or an item of it, has this name.
fn can_be_named(check: &QualityCheck, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(check.name()) else { return false };
    rest.is_empty() || (check.is_for_each() && rest.starts_with('[') && rest.ends_with(']'))
}

fn absent(what: &str, name: &str, known: &BTreeSet<String>) -> String {
    let nearest = parse::nearest(name, known.iter().map(String::as_str).filter(|known| !known.is_empty()));
    let hint = nearest.map_or_else(|| "; `dq list` shows all".to_owned(), |near| format!("; did you mean `{near}`?"));
    format!("there is no {what} `{}`{hint}", name.escape_debug())
}
