//! What did not pass when it ran last, in a file of the state folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::shared_folder;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::report::QualityResult;
use crate::checks::quality::status::QualityStatus;
use crate::checks::runner::details::shown_name;
use crate::pipeline::global;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A check, as results name it: redacted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    pub dataset: String,
    pub check: String,
}

impl Named {
    pub fn of(instance: &CheckInstance) -> Self {
        let shown = |name: String| shown_name(name.into()).into_owned();
        Self { dataset: shown(instance.shown_dataset()), check: shown(instance.shown_name()) }
    }

    fn of_result(result: &QualityResult) -> Self {
        Self { dataset: result.dataset.to_string(), check: result.check.to_string() }
    }
}

/// The file of this program; none if `OBS_STATE_DIR` is not set.
fn file() -> Option<PathBuf> {
    let pipeline = global::pipeline()?;
    let config = pipeline.config();
    let folder = config.state_dir.as_ref()?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let part = |text: &str| text.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect::<String>();
    let name = format!("{}.{}.json", part(&config.service_name), part(&config.environment));
    Some(folder.join("data-quality").join(name))
}

/// The checks of this service and environment that did not pass when they ran last.
///
/// # Errors
/// If there is no state folder, or its file cannot be read, as a sentence.
pub fn failed() -> Result<BTreeSet<Named>, String> {
    let Some(file) = file() else {
        return Err("what failed last is not known: set OBS_STATE_DIR, and initialise obs".to_owned());
    };
    read(&file).map_err(|error| format!("what failed last cannot be read: {}: {error}", file.display()))
}

/// Keeps which checks of a run did not pass. What other checks did when they ran last stays. Warns if that is not possible.
pub fn keep(results: &[QualityResult]) {
    let Some(file) = file() else { return };
    if let Err(error) = update(&file, results) {
        global::warn(format!("what failed last cannot be kept: {}: {error}", file.display()));
    }
}

fn update(file: &Path, results: &[QualityResult]) -> io::Result<()> {
    // The lock of the file does not hold between threads on all systems.
    static OWN: Mutex<()> = Mutex::new(());
    let _own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let lock = shared_folder::open_or_create(&file.with_extension("lock"), 0o600)?;
    lock.lock()?;
    let before = read(file)?;
    let mut failed = before.clone();
    let (passed, others): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.status == QualityStatus::Passed);
    for result in passed {
        failed.remove(&Named::of_result(result));
    }
    // A check of which one partition did not pass has not passed.
    failed.extend(others.into_iter().map(Named::of_result));
    if failed == before {
        return Ok(());
    }
    let temporary = file.with_extension(format!("{}.tmp", Uuid::now_v7().simple()));
    let written = write(&temporary, &failed).and_then(|()| fs::rename(&temporary, file));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, failed: &BTreeSet<Named>) -> io::Result<()> {
    let mut file: File = shared_folder::create(path, 0o600)?;
    file.write_all(&serde_json::to_vec(failed)?)
}

fn read(path: &Path) -> io::Result<BTreeSet<Named>> {
    let file = match shared_folder::open_to_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
