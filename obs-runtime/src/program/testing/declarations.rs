//! A test of what a program declares.

use std::collections::BTreeSet;

use crate::checks::health;
use crate::checks::quality::list;
use crate::config::parse::nearest;
use crate::metrics::catalogue::FAMILIES;
use crate::metrics::registry;
use crate::metrics::snapshot::Snapshot;

/// The data sets and metrics that the declarations of a program may name. [`assert`](Self::assert) says what else they name.
#[must_use = "nothing is asserted yet"]
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    datasets: Option<Vec<String>>,
    metrics: Vec<String>,
    recorded: Vec<Snapshot>,
}

/// Tests what the linked program declares: call it in one test of each program.
///
/// ```standalone_crate
/// use obs_runtime::testing::{capture, declarations};
///
/// #[obs_runtime::dq_check(dataset = "users", fail_above = 0)]
/// fn null_ids() -> u64 {
///     0
/// }
///
/// let captured = capture(|| ());
/// declarations().datasets(["users", "orders"]).metrics(["rows.loaded"]).recorded(&captured.metrics).assert();
/// ```
pub fn declarations() -> Declarations {
    Declarations::default()
}

impl Declarations {
    /// The data sets that there are. Without this, any is allowed.
    pub fn datasets<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.datasets.get_or_insert_default().extend(names.into_iter().map(str::to_owned));
        self
    }

    /// The names of the program's own metrics. Those of obs are known.
    pub fn metrics<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.metrics.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// What was recorded in a capture: metrics that are neither of obs nor named by [`metrics`](Self::metrics) are problems.
    pub fn recorded(mut self, metrics: &Snapshot) -> Self {
        self.recorded.push(metrics.clone());
        self
    }

    /// The problems, each a sentence: checks of one name, `after` with an unknown check, operations or commands of one name,
    /// unknown data sets, and metrics outside of the catalogue. Sorted.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = [health::list::problems(), list::problems(), registry::shared_names()].concat();
        if let Some(known) = &self.datasets {
            for check in list::checks() {
                let dataset = check.dataset_name();
                if !dataset.is_empty() && !known.iter().any(|known| known == dataset) {
                    let known = known.join(", ");
                    problems.push(format!("check `{}`: unknown data set `{dataset}`; known: {known}", check.name()));
                }
            }
        }
        let mut outside = BTreeSet::new();
        for metric in self.recorded.iter().flat_map(|recorded| &recorded.user) {
            let is_known =
                self.metrics.contains(&metric.name) || FAMILIES.iter().any(|known| known.name == metric.name);
            if !is_known {
                outside.insert(&metric.name);
            }
        }
        let known = || self.metrics.iter().map(String::as_str).chain(FAMILIES.iter().map(|family| family.name));
        problems.extend(outside.iter().map(|name| {
            let hint = nearest(name, known());
            let hint = hint.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
            format!("metric `{name}` is outside of the catalogue{hint}")
        }));
        problems.sort();
        problems.dedup();
        problems
    }

    /// Asserts that there are no [`problems`](Self::problems).
    ///
    /// # Panics
    /// Panics if there are some, with all of them.
    #[track_caller]
    pub fn assert(&self) {
        let problems = self.problems();
        assert!(problems.is_empty(), "{} problems of declarations:\n  {}", problems.len(), problems.join("\n  "));
    }
}
