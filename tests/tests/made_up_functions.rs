//! Functions made up at random do the same under any attributes as without, and wrong attributes on them are told in our
//! words, once, where they stand. The same in each run; `OBS_FUZZ_SEED` tries another seed beside the kept ones.

use std::collections::BTreeMap;

use obs_tests::generator::{program, wrong_program};
use obs_tests::strangers::Stranger;

const MANIFEST: &str = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }\n\
                        [profile.dev]\ndebug = false\nincremental = false";

/// Functions in one program. A quick run tries a few.
const CASES: usize = if cfg!(feature = "real") { 1_300 } else { 200 };

/// Seeds that are tried in each run; one that has found a fault stays here.
const SEEDS: &[u64] = if cfg!(feature = "real") { &[1, 2, 3, 2_026] } else { &[1] };

fn seeds() -> Vec<u64> {
    let another = std::env::var("OBS_FUZZ_SEED").ok().map(|seed| seed.parse().expect("OBS_FUZZ_SEED is a number"));
    SEEDS.iter().copied().chain(another).collect()
}

#[test]
fn five_thousand_functions_do_the_same_under_attributes_as_without() {
    let mut differing = String::new();
    for seed in seeds() {
        let source = program(seed, CASES);
        let said = Stranger::new("made-up", MANIFEST, &[("main.rs", &source)]).run();
        if said != format!("0 of {CASES} differ\n") {
            differing.extend(["seed ", &seed.to_string(), ": ", &said]);
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn wrong_attributes_are_told_once_and_nothing_else_is() {
    for seed in seeds() {
        let (source, expected) = wrong_program(seed, 150);
        let said = Stranger::new("made-up-wrong", MANIFEST, &[("main.rs", &source)]).check();
        let mut errors: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for diagnostic in said.into_iter().filter(|diagnostic| diagnostic.level == "error") {
            errors.entry(diagnostic.line).or_default().push(diagnostic.message);
        }
        for (line, message) in &expected {
            let told = errors.remove(line).unwrap_or_default();
            let right = matches!(told.as_slice(), [only] if only.contains(message));
            assert!(right, "seed {seed}, line {line}: {message}: {told:?}");
        }
        assert!(errors.is_empty(), "seed {seed}: {errors:?}");
    }
}
