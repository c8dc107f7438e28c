//! Service level objectives, as Datadog's API takes them.

use serde_json::{Value, json};

use crate::program::generate::datadog::query::{count, scope, tag};
use crate::program::generate::declared::{Declared, Function};

/// The objectives of all functions that declare one, over 30 days.
pub fn objectives(declared: &Declared, env: Option<&str>) -> Vec<Value> {
    let commands = declared.commands.iter().map(|function| (function, "command", "cli.command"));
    let operations = declared.operations.iter().map(|function| (function, "operation", "operation"));
    commands
        .chain(operations)
        .filter_map(|(function, label, of)| objective(declared, env, function, label, of))
        .collect()
}

fn objective(declared: &Declared, env: Option<&str>, function: &Function, label: &str, of: &str) -> Option<Value> {
    let slo = function.declaration.slo?;
    let scope = scope(declared, env, &[(label, &function.name)]);
    let (success, failure) =
        (count(&format!("{of}.success"), &scope, &[]), count(&format!("{of}.failure"), &scope, &[]));
    let mut tags = vec![format!("service:{}", tag(&declared.service)), "made_by:obs".to_owned()];
    tags.extend(function.declaration.owner.map(|owner| format!("owner:{}", tag(owner))));
    let runbook = function.declaration.runbook.map(|runbook| format!(" Runbook: {runbook}")).unwrap_or_default();
    Some(json!({
        "name": format!("[{}] {} succeeds", declared.service, function.name),
        "description": format!("{slo} of the calls of {} succeed.{runbook}", function.name),
        "type": "metric",
        "query": { "numerator": success, "denominator": format!("{success} + {failure}") },
        "thresholds": [{ "timeframe": "30d", "target": slo.percent() }],
        "tags": tags,
    }))
}
