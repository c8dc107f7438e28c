//! What compiles without an attribute compiles with it, and behaves the same.

use obs_tests::strangers::Stranger;

const SOURCES: [(&str, &str); 5] = [
    ("main.rs", include_str!("../strangers/any_function/main.rs")),
    ("errors.rs", include_str!("../strangers/any_function/errors.rs")),
    ("closures.rs", include_str!("../strangers/any_function/closures.rs")),
    ("callers.rs", include_str!("../strangers/any_function/callers.rs")),
    ("outputs.rs", include_str!("../strangers/any_function/outputs.rs")),
];

#[test]
fn functions_that_are_hard_to_wrap_behave_as_bare_ones() {
    let manifest = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }";
    let said = Stranger::new("any-function", manifest, &SOURCES).run("any-function");
    assert_eq!(said, "26 results\n");
}
