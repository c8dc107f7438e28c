//! Functions made up at random do the same under any attributes as without, and wrong attributes on them are told in our
//! words, once, where they stand: more than 5,000 cases. The same in each run; `OBS_FUZZ_SEED` tries another seed beside
//! the kept ones.

use std::collections::BTreeMap;

use obs_tests::generator::{program, wrong_program};
use obs_tests::strangers::Stranger;

const MANIFEST: &str = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }\n\
                        [profile.dev]\ndebug = false\nincremental = false\n\
                        debug-assertions = false\noverflow-checks = false";

/// Functions in one program, with right attributes and with wrong ones. A quick run tries a few.
const RIGHT: usize = if cfg!(feature = "real") { 500 } else { 150 };
const WRONG: usize = if cfg!(feature = "real") { 800 } else { 150 };

/// Seeds that are tried in each run; one that has found a fault stays here.
const SEEDS: &[u64] = if cfg!(feature = "real") { &[1, 2, 3, 2_026] } else { &[1] };

fn seeds() -> Vec<u64> {
    let another = std::env::var("OBS_FUZZ_SEED").ok().map(|seed| seed.parse().expect("OBS_FUZZ_SEED is a number"));
    SEEDS.iter().copied().chain(another).collect()
}

#[test]
fn functions_do_the_same_under_attributes_as_without() {
    // One program for each seed, built side by side.
    let programs: Vec<(String, String)> =
        seeds().into_iter().map(|seed| (format!("seed-{seed}"), program(seed, RIGHT))).collect();
    let files: Vec<(String, &str)> =
        programs.iter().map(|(name, source)| (format!("bin/{name}.rs"), source.as_str())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(file, source)| (file.as_str(), *source)).collect();
    let stranger = Stranger::new("made-up", MANIFEST, &files);
    let mut differing = String::new();
    for (name, _) in &programs {
        let said = stranger.run(name);
        if said != format!("0 of {RIGHT} differ\n") {
            differing.extend([name, ": ", &said]);
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn wrong_attributes_are_told_once_and_nothing_else_is() {
    for seed in seeds() {
        let (source, expected) = wrong_program(seed, WRONG);
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
