//! Names of functions, as debug information and symbols have them.

/// A name without what the compiler adds to that of the source code: arguments of generic types and functions, and the parts of closures
/// and `async` blocks, as the body of an `async` function is one.
///
/// `app::load::{{closure}}::{{closure}}` → `app::load`, `with_mut<app::Stage<u8>>` → `with_mut`.
pub fn readable(name: &str) -> String {
    let name = without_arguments(name);
    let is_named = |part: &&str| !part.starts_with('{');
    let parts: Vec<_> = name.split("::").filter(is_named).collect();
    // An inlined closure has no other name.
    if parts.is_empty() { name } else { parts.join("::") }
}

/// Removes `<…>`, except where it is the name of an implementation: `<Type as Trait>::function`, `<impl Type>::function`.
fn without_arguments(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    // For each open bracket, whether it is kept. Within a removed one nothing is.
    let mut open: Vec<bool> = Vec::new();
    let mut previous = ' ';
    for (at, letter) in name.char_indices() {
        let is_removed = open.last() == Some(&false);
        match letter {
            '<' => {
                let is_at_start = kept.bytes().all(|byte| byte == b'<' || byte == b'_');
                let inside = name.get(at + 1..).unwrap_or_default();
                let is_kept = !is_removed && (is_at_start || inside.starts_with("impl "));
                if is_kept {
                    kept.push(letter);
                } else if !is_removed && kept.ends_with("::") {
                    kept.truncate(kept.len() - 2);
                }
                open.push(is_kept);
            }
            // Not that of `fn() -> T`.
            '>' if previous != '-' => {
                if open.pop().unwrap_or(true) {
                    kept.push(letter);
                }
            }
            _ if is_removed => {}
            _ => kept.push(letter),
        }
        previous = letter;
    }
    kept
}

/// The crates that a function can belong to: that of its path, or for `<Type as Trait>::function` those of the type and of the trait. None
/// for a name without a path, which symbols of C and inlined functions have.
pub fn crates(name: &str) -> impl Iterator<Item = &str> {
    let inside = name.trim_start_matches('_').strip_prefix('<').filter(|inside| !inside.starts_with("impl "));
    let (first, second) = match inside.and_then(split_implementation) {
        Some((of, by)) => (of, by),
        None => (inside.unwrap_or(name), ""),
    };
    [first, second].into_iter().filter_map(crate_of_path)
}

/// The type and the trait of `Type as Trait>::function`.
fn split_implementation(inside: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, letter) in inside.char_indices() {
        let (before, rest) = inside.split_at(at);
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' if !before.ends_with('-') => depth = depth.checked_sub(1)?,
            ' ' if depth == 0 && rest.starts_with(" as ") => return Some((before, rest.trim_start_matches(" as "))),
            _ => {}
        }
    }
    None
}

fn crate_of_path(path: &str) -> Option<&str> {
    let (name, _) = path.split_once("::")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

/// The crate of a source file in the layout of Cargo: `…/csv-1.3.0/src/reader.rs` → `csv`.
pub fn crate_of_file(path: &str) -> Option<String> {
    let (above, _) = path.rsplit_once("/src/")?;
    let folder = above.rsplit('/').next()?;
    let is_version = |version: &str| version.starts_with(|letter: char| letter.is_ascii_digit());
    let parts: Vec<_> = folder.split('-').collect();
    let version = parts.iter().position(|part| is_version(part)).unwrap_or(parts.len());
    Some(parts.get(..version)?.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_source_code() {
        for (name, expected) in [
            ("app::load", "app::load"),
            ("app::load::{{closure}}::{{closure}}", "app::load"),
            ("app::load::{closure#0}::{async_block#1}", "app::load"),
            ("{closure#1}", "{closure#1}"),
            ("{closure#0}<core::result::Result<(), app::Error>>", "{closure#0}"),
            ("with_mut<app::Stage<u8>, core::task::poll::Poll<()>>", "with_mut"),
            ("call<fn() -> core::result::Result<(), app::Error>, u8>", "call"),
            ("std::panic::catch_unwind::<&dyn core::ops::Fn<(), Output = i32>, i32>", "std::panic::catch_unwind"),
            ("<alloc::boxed::Box<F,A> as core::ops::Fn<Args>>::call", "<alloc::boxed::Box as core::ops::Fn>::call"),
            ("<app::Loader as app::Load<u8>>::load::{{closure}}", "<app::Loader as app::Load>::load"),
            ("core::bool::<impl bool>::then", "core::bool::<impl bool>::then"),
            ("<<app::A as app::B>::C as app::D>::run", "<<app::A as app::B>::C as app::D>::run"),
            ("tokio::task::Core<T,S>::poll", "tokio::task::Core::poll"),
            ("main", "main"),
            ("", ""),
        ] {
            assert_eq!(readable(name), expected, "{name}");
        }
    }

    #[test]
    fn the_crates_of_a_function_are_those_of_its_path_type_and_trait() {
        for (name, expected) in [
            ("app::load", &["app"][..]),
            ("<app::Loader as core::fmt::Display>::fmt", &["app", "core"]),
            ("<alloc::vec::Vec<T> as app::Load>::load", &["alloc", "app"]),
            ("_<app::Loader as app::Load>::load", &["app", "app"]),
            ("<T as core::any::Any>::type_id", &["core"]),
            ("<&mut app::Reader as std::io::Read>::read", &["std"]),
            ("<(app::A, u8) as app::Load>::load", &["app"]),
            ("<&dyn core::ops::Fn<()> + core::marker::Sync as core::ops::FnOnce<()>>::call_once", &["core"]),
            ("core::bool::<impl bool>::then", &["core"]),
            ("<impl app::Load for u8>::load", &[]),
            ("<app::Loader>::load", &["app"]),
            ("main", &[]),
        ] {
            assert_eq!(crates(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn the_crate_of_a_file_is_its_package() {
        for (path, expected) in [
            ("/home/u/.cargo/registry/src/index-1949cf/csv-1.3.0/src/reader.rs", Some("csv")),
            ("/home/u/.cargo/registry/src/index-1949cf/aws-lc-rs-1.3.0-beta.2/src/a/b.rs", Some("aws_lc_rs")),
            ("/home/u/my-app/src/main.rs", Some("my_app")),
            ("/home/u/my-app/build.rs", None),
        ] {
            assert_eq!(crate_of_file(path).as_deref(), expected, "{path}");
        }
    }
}
