//! A value or a function whose type does not fit is told in our words, on the expression that has it, and nothing else is
//! said. What the compiler adds below the message is not compared.

use obs_tests::strangers::{Diagnostic, Stranger};

const SOURCE: &str = include_str!("../strangers/unfit.rs");

/// What the lines say of themselves behind `//~`: what is underlined, and the message.
fn expected() -> Vec<(u64, String, String)> {
    let mut expected = Vec::new();
    for (line, text) in (1..).zip(SOURCE.lines()).skip(1) {
        for mark in text.split("//~ ").skip(1) {
            let (marked, message) = mark.trim_end().split_once(": ").unwrap();
            expected.push((line, marked.to_owned(), message.to_owned()));
        }
    }
    expected.sort();
    expected
}

#[test]
fn each_is_told_once_on_its_own_expression() {
    let manifest = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }";
    let said = Stranger::new("unfit", manifest, &[("main.rs", SOURCE)]).check();
    let errors = said.into_iter().filter(|diagnostic| diagnostic.level == "error");
    let errors: Vec<_> = errors.map(|Diagnostic { line, marked, message, .. }| (line, marked, message)).collect();
    assert!(expected().len() > 10);
    assert_eq!(errors, expected());
}
