//! Which licences and sources the dependencies of the published crates have. What is allowed was reviewed; anything else fails
//! here, so that it is looked at before it is added. Advisories need a database that is not always reachable: see
//! `cargo audit`.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences that allow use in closed programs with a notice at most.
const ALLOWED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unlicense",
    "Unicode-3.0",
    // The root certificates of webpki-roots: data, not code.
    "CDLA-Permissive-2.0",
];

/// The one registry that crates come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn is_allowed(license: &LicenseReq) -> bool {
    ALLOWED.contains(&license.to_string().as_str())
}

/// Whether a licence expression can be satisfied by what is allowed.
fn satisfied(expression: &str) -> Result<bool, String> {
    // Older packages separate alternatives by a slash.
    let expression = Expression::parse_mode(expression, ParseMode::LAX).map_err(|error| error.to_string())?;
    Ok(expression.evaluate(is_allowed))
}

fn packages() -> Vec<Value> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features", "--locked", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let packages = packages();
    // The members of the workspace have no source.
    let dependencies: Vec<&Value> = packages.iter().filter(|package| !package["source"].is_null()).collect();
    assert!(dependencies.len() > 100, "{}", dependencies.len());
    let mut problems = Vec::new();
    for package in dependencies {
        let name = format!("{} {}", package["name"], package["version"]);
        if package["source"] != REGISTRY {
            problems.push(format!("{name} comes from {}", package["source"]));
        }
        match package["license"].as_str().map(satisfied) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => problems.push(format!("{name} has the licence {}", package["license"])),
            Some(Err(error)) => problems.push(format!("{name}: {error}")),
            None => problems.push(format!("{name} names no licence")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn licences_that_are_not_allowed_are_seen() {
    for refused in ["GPL-3.0-only", "MIT AND GPL-2.0-or-later", "AGPL-3.0-only", "LicenseRef-proprietary", "BUSL-1.1"] {
        assert_ne!(satisfied(refused), Ok(true), "{refused}");
    }
    for allowed in ["MIT", "MIT/Apache-2.0", "MIT OR GPL-3.0-only", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert_eq!(satisfied(allowed), Ok(true), "{allowed}");
    }
}
