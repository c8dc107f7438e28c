//! Which functions on a stack belong to the program.

use std::path::Path;

use crate::exporters::sentry::function_names::{crate_of_file, crates};
use crate::metrics::registry;

/// Parts of source paths of crates that the program only uses.
const OTHER_PATHS: [&str; 7] =
    ["/rustc/", "/rustlib/", "/registry/src/", "/git/checkouts/", "/vendor/", "obs-runtime", "obs-macros"];

/// Crates that never belong to the program.
const OTHER_CRATES: [&str; 29] = [
    "__rustc",
    "alloc",
    "anyhow",
    "backtrace",
    "clap",
    "color_eyre",
    "core",
    "eyre",
    "futures_core",
    "futures_executor",
    "futures_util",
    "hyper",
    "log",
    "mio",
    "obs_macros",
    "obs_runtime",
    "rayon",
    "rayon_core",
    "sentry",
    "sentry_backtrace",
    "sentry_core",
    "sentry_tracing",
    "sentry_types",
    "std",
    "test",
    "tokio",
    "tracing",
    "tracing_core",
    "tracing_subscriber",
];

/// Tells the functions of the program from those of other crates.
#[derive(Clone, Debug, Default)]
pub struct InApp {
    /// The program's crates: that of its `main`, and those with annotated functions.
    own: Vec<String>,
    /// Prefixes of names that the program has said belong to it.
    include: Vec<String>,
    /// Prefixes of names that the program has said do not.
    exclude: Vec<String>,
}

impl InApp {
    /// The rules of this program, with its own prefixes.
    pub fn new(include: Vec<String>, exclude: Vec<String>) -> Self {
        let crates =
            registry::callsites().into_iter().filter_map(|callsite| callsite.place().module.split("::").next());
        let program = std::env::current_exe().ok();
        let program =
            program.as_deref().and_then(|path| path.file_stem()).map(|name| name.to_string_lossy().replace('-', "_"));
        let own = crates.map(str::to_owned).chain(program);
        Self {
            own: own.filter(|name| !name.is_empty() && !OTHER_CRATES.contains(&&**name)).collect(),
            include,
            exclude,
        }
    }

    /// Whether a function belongs to the program. What the program says comes first, the longer prefix before the shorter one; then the
    /// crate in its name, then its source file. Without a source file, the crate has to be one of the program's.
    pub fn contains(&self, function: &str, file: Option<&str>) -> bool {
        // The name of an inlined function has no path.
        let of_file = if function.contains("::") { None } else { file.and_then(crate_of_file) };
        let path = function.trim_start_matches(['_', '<']);
        let has_prefix = |prefix: &&String| {
            path.starts_with(&***prefix)
                || of_file.as_ref().is_some_and(|name| prefix.strip_suffix("::").unwrap_or(prefix) == name)
        };
        let longest = |prefixes: &[String]| prefixes.iter().filter(has_prefix).map(String::len).max();
        let (included, excluded) = (longest(&self.include), longest(&self.exclude));
        if included.is_some() || excluded.is_some() {
            return included > excluded;
        }
        if crates(function).any(|name| self.own.iter().any(|own| own == name)) {
            return true;
        }
        // C libraries can have debug information too.
        let is_rust = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "rs");
        let is_elsewhere = |path: &str| !is_rust(path) || OTHER_PATHS.iter().any(|part| path.contains(part));
        !crates(function).any(|name| OTHER_CRATES.contains(&name)) && file.is_some_and(|path| !is_elsewhere(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_app(include: &[&str], exclude: &[&str]) -> InApp {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        InApp { own: owned(&["app"]), include: owned(include), exclude: owned(exclude) }
    }

    const LIBRARY: &str = "/home/u/.cargo/registry/src/index-1/my-library-1.0.0/src/lib.rs";

    #[test]
    fn functions_of_the_programs_crates_are_its_own_with_and_without_debug_information() {
        let rules = in_app(&[], &[]);
        for (function, file, expected) in [
            ("app::load", None, true),
            ("app::load", Some("/home/u/app/src/main.rs"), true),
            ("<alloc::vec::Vec<T> as app::Load>::load", None, true),
            ("load", Some("/home/u/app/src/main.rs"), true),
            ("other_member::load", Some("/home/u/other-member/src/lib.rs"), true),
            ("other_member::load", None, false),
            ("my_library::load", Some(LIBRARY), false),
            ("load", Some(LIBRARY), false),
            ("tokio::runtime::run", None, false),
            ("core::ops::function::FnOnce::call_once", Some("/home/u/rust/library/core/src/ops/function.rs"), false),
            ("<app::Loader as core::fmt::Display>::fmt", None, true),
            ("main", None, false),
            ("__libc_start_main_impl", Some("./csu/../csu/libc-start.c"), false),
            ("load", Some("/home/u/app/vendor/csv/src/lib.rs"), false),
        ] {
            assert_eq!(rules.contains(function, file), expected, "{function} {file:?}");
        }
    }

    #[test]
    fn what_the_program_says_comes_first_and_the_longer_prefix_before_the_shorter() {
        let rules = in_app(&["my_library::", "app::generated::kept"], &["app::generated::", "my_library::glue::"]);
        for (function, file, expected) in [
            ("my_library::load", Some(LIBRARY), true),
            ("my_library::load", None, true),
            ("<my_library::Loader as core::fmt::Display>::fmt", None, true),
            ("load", Some(LIBRARY), true),
            ("my_library::glue::load", Some(LIBRARY), false),
            ("app::generated::load", None, false),
            ("app::generated::kept::load", None, true),
            ("app::load", None, true),
        ] {
            assert_eq!(rules.contains(function, file), expected, "{function} {file:?}");
        }
    }
}
