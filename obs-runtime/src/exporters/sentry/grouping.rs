//! What groups events into issues.
//!
//! The fingerprint of an event contains nothing that differs from build to build or from run to run: no line, no path of a
//! build machine, no number, no id and no quoted value.

use std::sync::LazyLock;

use regex::Regex;

use crate::events::report::ReportKind;

/// Labels of errors whose type says nothing of what went wrong.
const WITHOUT_MEANING: [&str; 4] = ["Error", "String", "str", "io_Error"];

/// What an event says of its bug.
#[derive(Clone, Copy, Debug)]
pub struct Bug<'e> {
    /// What the event is about.
    pub kind: ReportKind,
    /// The label of the error.
    pub error_type: &'e str,
    /// The module of the function that failed.
    pub module: Option<&'e str>,
    /// The function that failed, or the operation of the context.
    pub operation: &'e str,
    /// The file of a panic.
    pub file: Option<&'e str>,
    /// The message of the root cause.
    pub message: &'e str,
}

/// The fingerprint. Errors are grouped by label and function, and by the form of their message if the label is that of any
/// error; panics by file, or function if the file is not known, and form of the
/// message; messages by their form.
pub fn fingerprint(bug: &Bug<'_>) -> Vec<String> {
    let form = || form(bug.message);
    let function =
        || bug.module.map_or_else(|| bug.operation.to_owned(), |module| format!("{module}::{}", bug.operation));
    match bug.kind {
        ReportKind::Error => {
            let message = WITHOUT_MEANING.contains(&bug.error_type).then(form);
            [bug.error_type.to_owned(), function()].into_iter().chain(message).collect()
        }
        ReportKind::Panic => {
            let place = bug.file.map_or_else(function, |file| in_crate(file).to_owned());
            vec![bug.error_type.to_owned(), place, form()]
        }
        ReportKind::Message | ReportKind::Signal => vec![bug.error_type.to_owned(), form()],
    }
}

/// What stands for the fingerprint of obs among the parts that the program gives.
const DEFAULT: &str = "{{ default }}";

/// The parts that the program gives, if any, with those of obs in place of `{{ default }}`.
pub fn with_own(own: &[String], default: impl Fn() -> Vec<String>) -> Vec<String> {
    if own.is_empty() {
        return default();
    }
    let part = |part: &String| if part == DEFAULT { default() } else { vec![part.clone()] };
    own.iter().flat_map(part).collect()
}

/// A message with `#` instead of each quoted value and of each word that contains a digit, or is a path or a URL.
fn form(message: &str) -> String {
    static QUOTED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(^|[^a-zA-Z0-9])(?:'[^']*'|"[^"]*"|`[^`]*`)"#).ok());
    let message = match &*QUOTED {
        Some(quoted) => quoted.replace_all(message, "${1}#"),
        None => message.into(),
    };
    let varies = |word: &str| {
        word.contains(|letter: char| letter.is_ascii_digit()) || word.starts_with('/') || word.matches('/').count() > 1
    };
    let words = message.split(' ').map(|word| if varies(word) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// A source file without the folders above its crate.
fn in_crate(file: &str) -> &str {
    let above = file.rsplit_once("/src/").map_or(file, |(above, _)| above);
    let start = if above == file { 0 } else { above.rfind('/').map_or(0, |slash| slash + 1) };
    file.get(start..).unwrap_or(file)
}

/// The innermost module that both are in.
pub fn module_of_both<'m>(one: &'m str, other: &'m str) -> &'m str {
    let contains = |outer: &str| {
        let rest = other.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let outer = std::iter::successors(Some(one), |module| module.rsplit_once("::").map(|(outer, _)| outer));
    outer.into_iter().find(|outer| contains(outer)).unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_no_varying_parts() {
        for (message, expected) in [
            ("row 17 of file-2026.csv is bad", "row # of # is bad"),
            ("no table 'users' in \"billing\" (`eu`)", "no table # in # (#)"),
            ("can't open 'a b', don't ask", "can't open #, don't ask"),
            ("job 3f2a-77 of [REDACTED] failed", "job # of [REDACTED] failed"),
            ("cannot open /data/users.csv: no access", "cannot open # no access"),
            ("GET https://example.com/feed and/or a retry failed", "GET # and/or a retry failed"),
            ("not found", "not found"),
            ("", ""),
        ] {
            assert_eq!(form(message), expected);
        }
    }

    #[test]
    fn panics_of_an_unknown_place_are_told_apart_by_function() {
        let panic = |operation| {
            let (kind, error_type, message) = (ReportKind::Panic, "panic", "panicked");
            fingerprint(&Bug { kind, error_type, module: Some("jobs::users"), operation, file: None, message })
        };
        assert_eq!(panic("load"), ["panic", "jobs::users::load", "panicked"]);
        assert_ne!(panic("load"), panic("sync"));
    }

    #[test]
    fn the_module_of_a_file_is_the_one_that_its_functions_are_in() {
        for (one, other, expected) in [
            ("jobs::users", "jobs::users", "jobs::users"),
            ("jobs::users::tests", "jobs::users", "jobs::users"),
            ("jobs::users", "jobs::users::tests", "jobs::users"),
            ("jobs::users::a", "jobs::users::b", "jobs::users"),
            ("jobs::users", "jobs::users_of", "jobs"),
        ] {
            assert_eq!(module_of_both(one, other), expected);
        }
    }

    #[test]
    fn a_file_is_named_from_its_crate_on() {
        for (file, expected) in [
            ("/home/ci/build/users/src/sync/rows.rs", "users/src/sync/rows.rs"),
            ("/home/ci/.cargo/registry/src/index/csv-1.3.0/src/reader.rs", "csv-1.3.0/src/reader.rs"),
            ("src/main.rs", "src/main.rs"),
            ("tests/src/bin/errors-job.rs", "tests/src/bin/errors-job.rs"),
            ("tests/tests/grouping.rs", "tests/tests/grouping.rs"),
        ] {
            assert_eq!(in_crate(file), expected);
        }
    }
}
