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
use crate::checks::quality::check::QualityCheck;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::partition::{MAX_PARTITIONS, Partition, PartitionUnit};
use crate::checks::quality::report::QualityResult;
use crate::checks::quality::status::QualityStatus;
use crate::checks::runner::details::shown_name;
use crate::pipeline::global;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The most partitions of a check that are kept, as many as a run may have.
const MAX_KEPT: usize = MAX_PARTITIONS;

/// What ran: a check, or a partition of it, as results name it: redacted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Named {
    dataset: String,
    check: String,
    /// Empty for a check without partitions.
    #[serde(default)]
    partition: String,
}

impl Named {
    fn of(instance: &CheckInstance) -> Self {
        let shown = |name: String| shown_name(name.into()).into_owned();
        let partition = instance.partition_name();
        Self { dataset: shown(instance.shown_dataset()), check: shown(instance.shown_name()), partition }
    }

    /// The declaration of an item, which has failed if its list could not be made or was empty.
    fn of_list(instance: &CheckInstance) -> Option<Self> {
        let shown = |name: &str| shown_name(name.to_owned().into()).into_owned();
        instance.is_item().then(|| Self {
            dataset: shown(instance.check.dataset_name()),
            check: shown(instance.check.name()),
            partition: instance.partition_name(),
        })
    }

    fn without_partition(self) -> Self {
        Self { partition: String::new(), ..self }
    }

    fn is_same_check(&self, other: &Self) -> bool {
        (&self.dataset, &self.check) == (&other.dataset, &other.check)
    }
}

/// What did not pass when it ran last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failed(BTreeSet<Named>);

impl Failed {
    /// Whether the declaration, or an item of it, can be part of it.
    pub fn may_hold(&self, check: &QualityCheck) -> bool {
        let name = shown_name(check.name().to_owned().into());
        self.0.iter().any(|failed| failed.check.starts_with(&*name))
    }

    /// Whether a check, or a partition of it, is part of it.
    pub fn holds(&self, instance: &CheckInstance) -> bool {
        self.of(instance).next().is_some()
    }

    /// The partitions of a check that are part of it, of this length. The last one that has ended stands for what had none, or some of another length.
    pub fn partitions(&self, instance: &CheckInstance, unit: PartitionUnit) -> BTreeSet<Partition> {
        let partition = |failed: &Named| Partition::named(&failed.partition, unit);
        self.of(instance).map(|failed| partition(failed).unwrap_or_else(|| Partition::latest(unit))).collect()
    }

    fn of<'f>(&'f self, instance: &CheckInstance) -> impl Iterator<Item = &'f Named> + use<'f> {
        let names = [Some(Named::of(instance)), Named::of_list(instance)];
        names.into_iter().flatten().flat_map(|name| self.of_check(name))
    }

    fn of_check(&self, name: Named) -> impl Iterator<Item = &Named> {
        let first = name.without_partition();
        self.0.range(first.clone()..).take_while(move |failed| failed.is_same_check(&first))
    }

    /// Notes whether a check has passed.
    fn note(&mut self, instance: &CheckInstance, has_passed: bool) {
        let own = Named::of(instance);
        let unit = instance.check.partition;
        // Once it runs, what is known of it without partitions, or with those of another length, is out of date.
        let is_outdated = |failed: &&Named| unit.is_none_or(|unit| Partition::named(&failed.partition, unit).is_none());
        let outdated: Vec<Named> = self.of_check(own.clone()).filter(is_outdated).cloned().collect();
        for failed in Named::of_list(instance).iter().chain(&outdated).chain([&own]) {
            self.0.remove(failed);
        }
        if has_passed {
            return;
        }
        self.0.insert(own.clone());
        let mut kept = self.of_check(own).cloned();
        let oldest = kept.next();
        if kept.count() >= MAX_KEPT
            && let Some(oldest) = oldest
        {
            self.0.remove(&oldest);
        }
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

/// What of this service and environment did not pass when it ran last.
///
/// # Errors
/// If there is no state folder, or its file cannot be read, as a sentence.
pub fn failed() -> Result<Failed, String> {
    let Some(file) = file() else {
        return Err("what failed last is not known: set OBS_STATE_DIR, and initialise obs".to_owned());
    };
    read(&file).map_err(|error| format!("what failed last cannot be read: {}: {error}", file.display()))
}

/// Keeps what of a run did not pass. What did not run stays. Warns if that is not possible.
pub fn keep<'r>(ran: impl Iterator<Item = (&'r CheckInstance, &'r QualityResult)>) {
    let Some(file) = file() else { return };
    if let Err(error) = update(&file, ran) {
        global::warn(format!("what failed last cannot be kept: {}: {error}", file.display()));
    }
}

fn update<'r>(file: &Path, ran: impl Iterator<Item = (&'r CheckInstance, &'r QualityResult)>) -> io::Result<()> {
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
    for (instance, result) in ran {
        failed.note(instance, result.status == QualityStatus::Passed);
    }
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

fn write(path: &Path, Failed(failed): &Failed) -> io::Result<()> {
    let mut file: File = shared_folder::create(path, 0o600)?;
    file.write_all(&serde_json::to_vec(failed)?)
}

fn read(path: &Path) -> io::Result<Failed> {
    let file = match shared_folder::open_to_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Failed::default()),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(Failed(serde_json::from_slice(&text)?))
}
