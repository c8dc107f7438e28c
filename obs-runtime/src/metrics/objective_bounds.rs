//! The bounds of buckets that Prometheus and OpenTelemetry get of one series: those of its family, and one at the latency objective of
//! its function. Without it, the calls between two bounds could not be told apart: an alert would count calls as late that are not.

#[cfg(any(feature = "otlp", feature = "prometheus"))]
use std::collections::HashMap;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(any(feature = "otlp", feature = "prometheus"))]
use crate::metrics::callsite::{Callsite, CallsiteKind};
#[cfg(any(feature = "otlp", feature = "prometheus"))]
use crate::metrics::catalogue::Family;
use crate::metrics::catalogue::SECONDS;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
use crate::metrics::registry;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
use crate::metrics::snapshot::Labels;

/// The bound that counts the calls within a latency objective: the first of the recorded ones that is not below it. `None` if all are:
/// no call counts as late then.
pub fn objective_bound(latency: Duration) -> Option<f64> {
    SECONDS.into_iter().find(|bound| *bound >= latency.as_secs_f64())
}

/// The bounds of a histogram's series.
#[cfg(any(feature = "otlp", feature = "prometheus"))]
pub fn bounds_of(family: &'static Family, labels: &Labels) -> &'static [f64] {
    static OPERATIONS: OnceLock<HashMap<&'static str, Vec<f64>>> = OnceLock::new();
    static COMMANDS: OnceLock<HashMap<&'static str, Vec<f64>>> = OnceLock::new();
    let (known, kind, label) = match family.name {
        "operation.duration.seconds" => (&OPERATIONS, CallsiteKind::Operation, "operation"),
        "cli.command.duration.seconds" => (&COMMANDS, CallsiteKind::Command, "command"),
        _ => return family.prometheus_buckets(),
    };
    let known = known.get_or_init(|| with_objectives(&registry::callsites(), kind, family.prometheus_buckets()));
    if known.is_empty() {
        return family.prometheus_buckets();
    }
    let name = labels.iter().find(|(name, _)| name == label);
    name.and_then(|(_, name)| known.get(&**name)).map_or(family.prometheus_buckets(), Vec::as_slice)
}

/// The bucket of these bounds that contains a recorded bucket of the family.
#[cfg(any(feature = "otlp", feature = "prometheus"))]
pub fn bucket_of(bounds: &[f64], family: &Family, recorded: usize) -> usize {
    let upper = family.buckets().get(recorded).copied().unwrap_or(f64::INFINITY);
    bounds.partition_point(|&bound| bound < upper)
}

/// The bounds of the functions of a kind that have a latency objective at none of the usual bounds.
#[cfg(any(feature = "otlp", feature = "prometheus"))]
fn with_objectives(sites: &[&'static Callsite], kind: CallsiteKind, usual: &[f64]) -> HashMap<&'static str, Vec<f64>> {
    let mut known: HashMap<&'static str, Vec<f64>> = HashMap::new();
    for site in sites.iter().filter(|site| site.kind() == kind) {
        let Some(bound) = site.declaration().slo_latency.and_then(objective_bound) else { continue };
        let of_name = known.get(site.name()).map_or(usual, Vec::as_slice);
        let place = of_name.partition_point(|&other| other < bound);
        if of_name.get(place) != Some(&bound) {
            let mut bounds = of_name.to_vec();
            bounds.insert(place, bound);
            known.insert(site.name(), bounds);
        }
    }
    known
}

#[cfg(all(test, any(feature = "otlp", feature = "prometheus")))]
mod tests {
    use super::*;
    use crate::metrics::catalogue::{COMMAND_SECONDS, OPERATION_SECONDS};

    #[test]
    fn an_objective_has_a_bound_that_is_not_below_it() {
        for (milliseconds, bound) in
            [(1, Some(0.001)), (200, Some(0.25)), (250, Some(0.25)), (45_000, Some(60.0)), (86_400_001, None)]
        {
            assert_eq!(objective_bound(Duration::from_millis(milliseconds)), bound, "{milliseconds} ms");
        }
    }

    #[test]
    fn a_function_with_an_objective_has_one_bound_more_unless_it_is_a_usual_one() {
        static LOAD: Callsite = Callsite::operation("load", "jobs", "jobs.rs", 1).slo_latency_millis(250);
        static STORE: Callsite = Callsite::operation("store", "jobs", "jobs.rs", 2).slo_latency_millis(500);
        static AD_HOC: Callsite = Callsite::command("ad-hoc", "jobs", "jobs.rs", 3).slo_latency_millis(500);
        let sites = [&LOAD, &STORE, &AD_HOC];
        let operations = with_objectives(&sites, CallsiteKind::Operation, &OPERATION_SECONDS);
        assert_eq!(operations.keys().collect::<Vec<_>>(), [&"load"]);
        assert_eq!(operations["load"][..5], [0.005, 0.025, 0.1, 0.25, 0.5]);
        let commands = with_objectives(&sites, CallsiteKind::Command, &COMMAND_SECONDS);
        assert_eq!(commands["ad-hoc"][..2], [0.5, 15.0]);
    }
}
