//! The commands, operations and checks that are linked into the program.

use crate::program::doctor::finding::Finding;
use crate::program::inventory::catalogue;

const SUBJECT: &str = "inventory";

/// The findings about what is linked.
pub fn findings() -> Vec<Finding> {
    let catalogue = catalogue();
    let mut findings: Vec<Finding> = (catalogue.problems.iter())
        .map(|problem| Finding::problem(SUBJECT, problem, "rename one of them, or correct the reference"))
        .collect();
    let shared = catalogue.shared_names.iter();
    findings.extend(shared.map(|shared| Finding::warning(SUBJECT, shared, "give one of them a name: name = \"…\"")));
    let commands = catalogue.callsites.iter().filter(|entry| entry.attribute == "tracked_command").count();
    let others = catalogue.callsites.len() - commands;
    // Without those of obs itself.
    let health = catalogue.health_checks.iter().filter(|entry| !entry.name.starts_with("obs.")).count();
    let quality = catalogue.dq_checks.len();
    let found = format!(
        "{commands} commands, {others} other functions, {health} health checks, {quality} data-quality checks are linked"
    );
    findings.push(if commands + others + health + quality == 0 {
        Finding::warning(
            SUBJECT,
            found,
            "a crate that no code uses is not linked: `use its_name as _;` in the program links it",
        )
    } else {
        Finding::ok(SUBJECT, found)
    });
    findings
}
