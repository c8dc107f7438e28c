//! Which checks `dq run` and `dq list` are about.

use crate::checks::quality::run::{QualityRun, run_dq_checks};
use crate::checks::quality::status::Severity;

/// Which checks a command is about. `*` stands for any letters, `?` for one. One of each kind is enough; a check must fit each kind.
#[derive(Clone, Debug, clap::Args)]
pub struct SelectionArguments {
    /// Only these checks: `rows[users]`, all items of `rows`, or `null_*`.
    #[arg(value_name = "CHECK")]
    only: Vec<String>,
    /// Only the checks of this data set. Can be repeated.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Only the checks with this tag: `tier`, or `tier=gold`. Can be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only the checks of this owner. Can be repeated.
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,
    /// Only the checks of this severity. Can be repeated.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    severity: Vec<SeverityArgument>,
    /// Not these checks. Can be repeated.
    #[arg(long, value_name = "CHECK")]
    exclude: Vec<String>,
    /// The part of the data for checks with partitions: 2026-11-28, 2026-11 or 2026-11-28T05, in UTC. The default is the last one that
    /// has ended.
    #[arg(long, value_name = "PARTITION", conflicts_with = "since")]
    partition: Option<String>,
    /// All parts of the data from this one on that have ended.
    #[arg(long, value_name = "PARTITION")]
    since: Option<String>,
    /// Only the checks, and their partitions, that did not pass when they ran last, as the state folder (`OBS_STATE_DIR`) says.
    #[arg(long)]
    failed_last: bool,
}

/// A severity as an argument.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SeverityArgument {
    Info,
    Warning,
    Critical,
}

impl From<SeverityArgument> for Severity {
    fn from(argument: SeverityArgument) -> Self {
        match argument {
            SeverityArgument::Info => Self::Info,
            SeverityArgument::Warning => Self::Warning,
            SeverityArgument::Critical => Self::Critical,
        }
    }
}

impl SelectionArguments {
    /// A run of these checks.
    pub fn run(&self) -> QualityRun {
        let run = run_dq_checks().exclude(&self.exclude);
        let run = if self.only.is_empty() { run } else { run.only(&self.only) };
        let run = self.dataset.iter().fold(run, QualityRun::dataset);
        let run = self.tag.iter().fold(run, QualityRun::tag);
        let run = self.owner.iter().fold(run, QualityRun::owner);
        let run = self.severity.iter().fold(run, |run, severity| run.severity((*severity).into()));
        let run = self.partition.iter().fold(run, QualityRun::partition);
        let run = self.since.iter().fold(run, QualityRun::since);
        if self.failed_last { run.failed_last() } else { run }
    }
}
