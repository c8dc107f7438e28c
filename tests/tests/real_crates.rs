//! Published crates compile with attributes on every function, without a warning more, and some of them pass their own tests so.
//!
//! The table of `tests/strangers/real_crates/README.md` names them. By default the crates of its sample are tried;
//! `REAL_CRATES=all`, or the names of some, tries more. `REAL_CRATES_WITH` names the sets of attributes to try, instead of all.

use std::collections::BTreeMap;

use obs_tests::annotated_copies::{Copies, Reports};
use obs_tests::published::{Published, sources};

/// The crates of the sample have this many tests of their own at least.
const TESTS: usize = 130;

fn selected() -> Vec<Published> {
    let wanted = std::env::var("REAL_CRATES").unwrap_or_default();
    let is_selected = |published: &Published| match &*wanted {
        "" => published.in_sample,
        "all" => true,
        names => names.split(',').any(|name| name == published.name),
    };
    Published::all().into_iter().filter(is_selected).collect()
}

fn sets() -> Vec<Copies> {
    let wanted = std::env::var("REAL_CRATES_WITH").ok();
    let is_wanted =
        |copies: &Copies| wanted.as_ref().is_none_or(|names| names.split(',').any(|name| name == copies.name));
    Copies::all().into_iter().filter(is_wanted).collect()
}

/// What is reported with attributes, and not without.
fn more_than(bare: Option<&Reports>, with: &Reports) -> Vec<String> {
    let before = |lint: &str| bare.and_then(|bare| bare.warnings.get(lint)).map_or(0, Vec::len);
    let warnings = with.warnings.iter().filter(|(lint, warnings)| bare.is_some() && warnings.len() > before(lint));
    with.errors.iter().chain(warnings.flat_map(|(_, warnings)| warnings)).cloned().collect()
}

#[test]
fn published_crates_compile_with_attributes_on_every_function() {
    let crates = selected();
    let sources = sources(&crates);
    let mut bare: Option<BTreeMap<String, Reports>> = None;
    let mut failures = Vec::new();
    for copies in sets() {
        copies.write(&crates, &sources);
        let reports = copies.check(&crates);
        for (name, reports) in &reports {
            let more = more_than(bare.as_ref().and_then(|bare| bare.get(name)), reports);
            println!("{name} with {}: {} reports", copies.name, more.len());
            if !more.is_empty() {
                failures.push(format!("{name} with {}:\n{}", copies.name, more.join("\n")));
            }
        }
        if copies.name == "bare" {
            bare = Some(reports);
        } else if copies.name == "together" {
            failures.extend(crates.iter().filter_map(count));
            let (passed, failed) = copies.test(&crates);
            failures.extend(failed);
            if std::env::var_os("REAL_CRATES").is_none() && passed < TESTS {
                failures.push(format!("{passed} tests of {TESTS} passed"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Compares the number of functions with the table's, or writes it there.
fn count(published: &Published) -> Option<String> {
    let functions = Copies::functions(published);
    if std::env::var_os("UPDATE_CRATES").is_some() {
        published.record(functions);
        return None;
    }
    let fewer = functions < published.functions;
    fewer.then(|| format!("{}: {functions} of {} functions", published.name, published.functions))
}

#[test]
fn the_table_has_many_functions() {
    let crates = Published::all();
    let functions: usize = crates.iter().map(|published| published.functions).sum();
    assert!(crates.len() >= 20 && functions >= 40_000, "{functions} functions of {} crates", crates.len());
    assert!(crates.iter().filter(|published| published.has_tests).count() >= 6);
}
