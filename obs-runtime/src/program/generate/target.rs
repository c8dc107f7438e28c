//! What makes files, and the files.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::program::generate::declared::Declared;

/// A kind of files for one system, with the arguments of its command.
pub trait Target: clap::Args {
    /// The word after `generate`.
    const NAME: &'static str;

    /// Makes the files.
    ///
    /// # Errors
    /// A sentence that says what cannot be made of the declarations or the arguments.
    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String>;
}

/// A file, in the folder that the user names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// The name of the file. It begins with the name of the service and a dot.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// A line after which the file belongs to its user, and what must stand there.
    pub yours: Option<(&'static str, Vec<String>)>,
}

impl GeneratedFile {
    /// A file of the program: `<service>.<rest>`.
    pub fn of(declared: &Declared, rest: &str, text: String) -> Self {
        Self { name: format!("{}.{rest}", file_name(&declared.service)), text, yours: None }
    }
}

/// The name that two of the files have, because names of what they are of differ only in characters that names of files cannot have.
pub fn repeated_name(files: &[GeneratedFile]) -> Option<&str> {
    let mut names = BTreeSet::new();
    files.iter().map(|file| file.name.as_str()).find(|name| !names.insert(*name))
}

/// The text with only letters, digits, `-` and `_`, for names of files and of resources.
pub fn file_name(text: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
    text.chars().map(plain).collect()
}

/// The name in at most so many characters: one that is longer ends with a hash of it.
pub fn shortened(name: String, most: usize) -> String {
    if name.len() <= most {
        return name;
    }
    let begin: String = name.chars().take(most.saturating_sub(9)).collect();
    format!("{begin}-{:08x}", fnv_1a(&name))
}

/// A hash that is the same on each machine.
fn fnv_1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The lines above a file that has comments by `#`.
pub fn heading(target: &str, declared: &Declared) -> String {
    format!("# {}\n", made_by(target, declared))
}

/// What a file says of itself.
pub fn made_by(target: &str, declared: &Declared) -> String {
    let service = declared.service.replace(char::is_control, " ");
    format!("{} of {service} from the attributes in its code; changes here are lost.", mark(target))
}

/// What every file of a target has, by which `--check` knows it.
pub fn mark(target: &str) -> String {
    format!("Made by `generate {target}`")
}

/// The address of a page, as an argument of a command.
///
/// # Errors
/// If it is none, or has credentials in it: it stands in the files.
pub fn address(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("contains credentials; remove what stands before `@`");
    }
    let is_address = !host.is_empty() && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    if is_address { Ok(text.to_owned()) } else { Err("expected an address that begins with https:// or http://") }
}

/// The value as YAML, with block scalars for texts of several lines.
///
/// # Errors
/// If it has no form in YAML.
pub fn yaml(value: &impl Serialize) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}

/// The value as JSON, indented, with a line break at the end.
///
/// # Errors
/// If it has no form in JSON.
pub fn pretty_json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_a_page_without_credentials() {
        for text in ["https://wiki.example/nightly?of=a@b#c", "http://wiki"] {
            assert_eq!(address(text).as_deref(), Ok(text));
        }
        for text in ["", "wiki", "https://", "https:///page", "ftp://wiki", "https://wiki/a page", "https://wiki/\u{7}"]
        {
            assert!(address(text).unwrap_err().contains("https://"), "{text}");
        }
        assert!(address("https://me:pass@wiki/page").unwrap_err().contains("credentials"));
    }

    #[test]
    fn two_files_of_one_name_are_found() {
        let declared = Declared { service: "etl".to_owned(), ..Declared::default() };
        let file = |of: &str| GeneratedFile::of(&declared, &file_name(of), String::new());
        assert_eq!(repeated_name(&[file("load users"), file("load_users")]), None);
        assert_eq!(repeated_name(&[file("load users"), file("load.users")]), Some("etl.load-users"));
    }
}
