//! A file with the keys of failing rows, one JSON object a line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::shared_folder;
use crate::checks::tables::failing_keys::FailingKeys;

/// A line of the file.
#[derive(Serialize)]
struct Line<'k> {
    run_id: &'k str,
    found_at: &'k str,
    check_name: &'k str,
    table_name: &'k str,
    keys: &'k BTreeMap<String, String>,
}

/// What of a line tells whose it is.
#[derive(Deserialize)]
struct Owner {
    run_id: String,
    found_at: String,
    check_name: String,
    table_name: String,
}

/// Adds the keys. If more than are kept would stand there of this check, the file is replaced by one without its oldest runs. The
/// files of two processes do not mix: a file beside it with the end `.lock` is locked meanwhile.
pub fn keep(path: &Path, failing: &FailingKeys) -> io::Result<()> {
    // The lock of the file does not hold between threads on all systems.
    static OWN: Mutex<()> = Mutex::new(());
    let _own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let lock = shared_folder::open_or_create(&beside(path, ".lock"), 0o600)?;
    lock.lock()?;
    let added = lines(failing)?;
    let before = read(path)?;
    match without_oldest(&before, failing) {
        None => {
            let mut file = shared_folder::open_or_create(path, 0o600)?;
            // A write that was cut off must not spoil this one.
            let separator = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
            file.write_all(format!("{separator}{added}").as_bytes())
        }
        Some(kept) => {
            let temporary = beside(path, &format!(".{}.tmp", Uuid::now_v7().simple()));
            let mut file = shared_folder::create(&temporary, 0o600)?;
            let written = file.write_all((kept + &added).as_bytes()).and_then(|()| fs::rename(&temporary, path));
            if written.is_err() {
                let _ = fs::remove_file(&temporary);
            }
            written
        }
    }
}

fn beside(path: &Path, end: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn lines(failing: &FailingKeys) -> io::Result<String> {
    let mut text = String::new();
    for keys in &failing.keys {
        let FailingKeys { run_id, time, check, table, .. } = failing;
        let line = Line { run_id, found_at: time, check_name: check, table_name: table, keys };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

fn read(path: &Path) -> io::Result<String> {
    let file = match shared_folder::open_to_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened?,
    };
    let mut text = Vec::new();
    (&file).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What stays of the file; `None` if all of it does.
fn without_oldest(text: &str, failing: &FailingKeys) -> Option<String> {
    let owner = |line: &str| {
        let owner: Owner = serde_json::from_str(line).ok()?;
        let is_own = owner.check_name == failing.check && owner.table_name == failing.table;
        is_own.then_some((owner.run_id, owner.found_at))
    };
    let lines: Vec<_> = text.lines().map(|line| (line, owner(line))).collect();
    let (mut room, mut dropped, mut at) = (failing.keep.saturating_sub(failing.keys.len()), 0, None);
    let mut keep = vec![true; lines.len()];
    let own: Vec<usize> = (0..lines.len()).filter(|index| lines[*index].1.is_some()).collect();
    // From the newest run to the oldest. A run that does not fit as a whole goes, and all before it.
    for index in own.iter().rev() {
        let run = &lines[*index].1;
        if at != Some(run) {
            let length = own.iter().filter(|other| lines[**other].1 == *run).count();
            dropped += usize::from(dropped > 0 || length > room);
            room = room.saturating_sub(length);
            at = Some(run);
        }
        keep[*index] = dropped == 0;
    }
    if dropped == 0 {
        return None;
    }
    let kept = lines.iter().zip(keep).filter(|(_, keep)| *keep).map(|((line, _), _)| format!("{line}\n"));
    Some(kept.collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(run: u32, count: usize, check: &str) -> FailingKeys {
        let key = |id: usize| BTreeMap::from([("id".to_owned(), id.to_string())]);
        FailingKeys {
            run_id: format!("run{run}"),
            time: format!("2026-11-{run:02}T00:00:00Z"),
            check: check.to_owned(),
            table: "orders".to_owned(),
            keys: (0..count).map(key).collect(),
            keep: 5,
        }
    }

    #[test]
    fn the_oldest_runs_of_a_check_go_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made").join("failures.jsonl");
        let runs = |check: &str| {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<Owner> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let own = lines.into_iter().filter(|line| line.check_name == check);
            own.map(|line| line.run_id.trim_start_matches("run").parse::<u32>().unwrap()).collect::<Vec<_>>()
        };
        keep(&path, &failing(1, 3, "other")).unwrap();
        for (run, count, expected) in [
            (1, 2, vec![1, 1]),
            (2, 3, vec![1, 1, 2, 2, 2]),
            (3, 1, vec![2, 2, 2, 3]),
            (4, 1, vec![2, 2, 2, 3, 4]),
            (5, 2, vec![3, 4, 5, 5]),
            (6, 5, vec![6, 6, 6, 6, 6]),
        ] {
            keep(&path, &failing(run, count, "rows")).unwrap();
            assert_eq!(runs("rows"), expected);
        }
        assert_eq!(runs("other"), [1, 1, 1]);
        assert!(fs::read_to_string(&path).unwrap().ends_with("\"keys\":{\"id\":\"4\"}}\n"));
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"cut off").unwrap();
        keep(&path, &failing(7, 1, "third")).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("{\"cut off\n{"));
    }
}
