//! What compiles without an attribute compiles with it, and behaves the same.

use std::fmt::Write as _;

use obs_tests::strangers::Stranger;

/// The kinds of functions: a file for each, with a macro that puts an attribute on every one.
const KINDS: [(&str, &str); 5] = [
    ("errors", include_str!("../strangers/any_function/errors.rs")),
    ("closures", include_str!("../strangers/any_function/closures.rs")),
    ("callers", include_str!("../strangers/any_function/callers.rs")),
    ("futures", include_str!("../strangers/any_function/futures.rs")),
    ("outputs", include_str!("../strangers/any_function/outputs.rs")),
];

/// The same functions without attributes of their own, in blocks that have them.
fn blocks() -> String {
    let sets = [
        ("performance", "#[::obs_runtime::track_performance]"),
        ("tracking", "#[::obs_runtime::with_error_tracking]"),
        ("both", "#[::obs_runtime::track_performance] #[::obs_runtime::with_error_tracking]"),
    ];
    let mut text = String::new();
    for (set, attributes) in sets {
        let mut runs = String::new();
        writeln!(text, "pub mod {set} {{").unwrap();
        for (kind, source) in KINDS {
            let (_, functions) = source.split_once("($(#[$attribute:meta])*) => {\n").unwrap();
            let functions = functions.strip_suffix("    };\n}\n").unwrap().replace("$(#[$attribute])*", "");
            writeln!(text, "{attributes}\npub mod {kind} {{\n{functions}}}").unwrap();
            write!(runs, "{kind}::run(), ").unwrap();
        }
        writeln!(text, "pub fn run() -> Vec<String> {{ [{runs}].concat() }}\n}}").unwrap();
    }
    text
}

#[test]
fn functions_that_are_hard_to_wrap_behave_as_bare_ones() {
    let manifest = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }";
    let files: Vec<(String, &str)> = KINDS.map(|(kind, source)| (format!("{kind}.rs"), source)).into();
    let blocks = blocks();
    let sources = [("main.rs", include_str!("../strangers/any_function/main.rs")), ("blocks.rs", &blocks)];
    let sources: Vec<_> = files.iter().map(|(file, source)| (&**file, *source)).chain(sources).collect();
    let said = Stranger::new("any-function", manifest, &sources).run("any-function");
    assert_eq!(said, "56 results\n");
}
