//! Writes files to a folder, or compares them with those that are there.

use std::path::Path;
use std::{fs, io};

use crate::program::generate::declared::Declared;
use crate::program::generate::target::{GeneratedFile, file_name, mark};

/// How a file in the folder stands to the one that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is the same.
    Same,
    /// It is not there.
    Missing,
    /// It differs, first at this line, counted from 1.
    At(usize),
    /// It is there, but no longer made.
    Extra,
}

/// Compares the files of a target with those in a folder, by name. A file there whose name begins with that of the service, and which
/// says that this target has made it, is one of the target's.
///
/// # Errors
/// If the folder or a file cannot be read. A folder that is missing is empty.
pub fn compare(
    folder: &Path,
    declared: &Declared,
    target: &str,
    files: &[GeneratedFile],
) -> io::Result<Vec<(String, Difference)>> {
    let mut found = Vec::new();
    for file in files {
        found.push((file.name.clone(), difference(&folder.join(&file.name), file)?));
    }
    let prefix = format!("{}.", file_name(&declared.service));
    for name in names(folder)? {
        let is_made = files.iter().any(|file| file.name == name);
        if !is_made
            && name.starts_with(&prefix)
            && read(&folder.join(&name))?.is_some_and(|text| text.contains(&mark(target)))
        {
            found.push((name, Difference::Extra));
        }
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(found)
}

fn difference(path: &Path, file: &GeneratedFile) -> io::Result<Difference> {
    let Some(there) = read(path)? else { return Ok(Difference::Missing) };
    if there == with_users_part(file, &there) {
        return Ok(Difference::Same);
    }
    let same = there.split('\n').zip(file.text.split('\n')).take_while(|(left, right)| left == right);
    Ok(Difference::At(same.count().saturating_add(1)))
}

/// The text of a file that is there.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text to write: with the part of the user from the file that is there, if it has what it must have.
fn with_users_part(file: &GeneratedFile, there: &str) -> String {
    let kept = file.yours.as_ref().and_then(|(mark, needed)| {
        let (made, _) = file.text.split_once(mark)?;
        let (_, users) = there.split_once(mark)?;
        needed.iter().all(|word| has_line_with(users, word)).then(|| format!("{made}{mark}{users}"))
    });
    kept.unwrap_or_else(|| file.text.clone())
}

/// Whether a line ends with the word, in quotes or not.
fn has_line_with(text: &str, word: &str) -> bool {
    text.lines().any(|line| line.replace(['"', '\''], "").trim_end().ends_with(word))
}

/// The names of the files in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Writes the files whose text has changed. Creates the folder.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn write(folder: &Path, files: &[GeneratedFile], differences: &[(String, Difference)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let is_same =
        |file: &&GeneratedFile| differences.iter().any(|(name, how)| *name == file.name && *how == Difference::Same);
    for file in files.iter().filter(|file| !is_same(file)) {
        let path = folder.join(&file.name);
        let there = read(&path)?.unwrap_or_default();
        fs::write(path, with_users_part(file, &there))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str]) -> Vec<GeneratedFile> {
        names
            .iter()
            .map(|name| GeneratedFile { name: (*name).to_owned(), text: "a\nb\n".to_owned(), yours: None })
            .collect()
    }

    #[test]
    fn files_are_missing_the_same_different_or_no_longer_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/er");
        let declared = Declared { service: "etl".to_owned(), ..Declared::default() };
        let files = made(&["etl.a.rules.yml", "etl.b.rules.yml"]);
        let compared = |files: &[GeneratedFile]| {
            let found = compare(&path, &declared, "prometheus", files).unwrap();
            found.into_iter().map(|(_, difference)| difference).collect::<Vec<_>>()
        };
        assert_eq!(compared(&files), [Difference::Missing, Difference::Missing]);
        write(&path, &files, &[]).unwrap();
        assert_eq!(compared(&files), [Difference::Same, Difference::Same]);
        fs::write(path.join("etl.a.rules.yml"), "a\nc\n").unwrap();
        // These belong to the user, to another target, and to other programs.
        for (other, target) in [
            ("etl.users.rules.yml", "nothing"),
            ("etl.deployment.yml", "kubernetes"),
            ("etl2.c.rules.yml", "prometheus"),
            ("other.rules.yml", "prometheus"),
        ] {
            fs::write(path.join(other), format!("# {}\n", mark(target))).unwrap();
        }
        fs::create_dir(path.join("etl.folder.rules.yml")).unwrap();
        assert_eq!(compared(&files), [Difference::At(2), Difference::Same]);
        fs::write(path.join("etl.a.rules.yml"), format!("# {}\n", mark("prometheus"))).unwrap();
        assert_eq!(compared(&made(&["etl.b.rules.yml"])), [Difference::Extra, Difference::Same]);
    }

    #[test]
    fn the_part_of_the_user_is_kept_if_it_has_what_it_must_have() {
        let mut file = made(&["etl.a.yml"]).remove(0);
        file.text = "a\n# yours\nname: x\n".to_owned();
        file.yours = Some(("# yours\n", vec!["name: x".to_owned()]));
        let keeps = |there: &str| with_users_part(&file, there);
        assert_eq!(keeps("old\n# yours\n- name: 'x'\n  url: u\n"), "a\n# yours\n- name: 'x'\n  url: u\n");
        assert_eq!(keeps("old\n# yours\n- name: y\n"), file.text);
        assert_eq!(keeps("old"), file.text);
    }
}
