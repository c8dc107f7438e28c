//! `generate`

use std::path::{Path, PathBuf};

use crate::program::cli::output::{OUTPUT_FAILED, OutputFailed, UNKNOWN, print, print_error, print_problems};
use crate::program::doctor::diagnosis::current;
use crate::program::generate::alertmanager::AlertmanagerOptions;
#[cfg(feature = "datadog")]
use crate::program::generate::datadog::target::DatadogOptions;
use crate::program::generate::declared::Declared;
use crate::program::generate::folder::{Difference, compare, write};
use crate::program::generate::grafana::target::GrafanaOptions;
use crate::program::generate::kubernetes::KubernetesOptions;
use crate::program::generate::prometheus::target::PrometheusOptions;
use crate::program::generate::systemd::SystemdOptions;
use crate::program::generate::target::{Target, repeated_name};
use crate::program::inventory::catalogue;

/// The commands of `generate`: one for each kind of files.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum GenerateCommand {
    /// Monitors, objectives and a dashboard for Datadog's API.
    #[cfg(feature = "datadog")]
    Datadog(GenerateArguments<DatadogOptions>),
    /// Recording and alerting rules for Prometheus, and their unit tests.
    Prometheus(GenerateArguments<PrometheusOptions>),
    /// Routes for Alertmanager by owner and severity, with receivers to fill in.
    Alertmanager(GenerateArguments<AlertmanagerOptions>),
    /// Dashboards for Grafana.
    Grafana(GenerateArguments<GrafanaOptions>),
    /// A `CronJob` for each command with a schedule, and a Deployment for a service.
    Kubernetes(GenerateArguments<KubernetesOptions>),
    /// A service and a timer for each command with a schedule.
    Systemd(GenerateArguments<SystemdOptions>),
}

/// Arguments of `generate …`.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateArguments<T: Target> {
    #[command(flatten)]
    destination: Destination,
    /// The name of the service, if not that of the configuration (`SERVICE_NAME`).
    #[arg(long, value_name = "NAME", global = false)]
    service: Option<String>,
    #[command(flatten)]
    options: T,
}

#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Destination {
    /// Write the files to this folder, which is created.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Write nothing: exit with 1 if the files in this folder are not those that would be written.
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,
}

/// Exit code of `--check` if a file does not fit.
const UNFIT: u8 = 1;

impl GenerateCommand {
    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        match self {
            #[cfg(feature = "datadog")]
            Self::Datadog(arguments) => arguments.run(),
            Self::Prometheus(arguments) => arguments.run(),
            Self::Alertmanager(arguments) => arguments.run(),
            Self::Grafana(arguments) => arguments.run(),
            Self::Kubernetes(arguments) => arguments.run(),
            Self::Systemd(arguments) => arguments.run(),
        }
    }

    /// The name of its span.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "datadog")]
            Self::Datadog(_) => "generate datadog",
            Self::Prometheus(_) => "generate prometheus",
            Self::Alertmanager(_) => "generate alertmanager",
            Self::Grafana(_) => "generate grafana",
            Self::Kubernetes(_) => "generate kubernetes",
            Self::Systemd(_) => "generate systemd",
        }
    }
}

impl<T: Target> GenerateArguments<T> {
    fn run(&self) -> Result<u8, OutputFailed> {
        let service = self.service.clone().unwrap_or_else(|| current().0.service_name);
        let declared = Declared::of_program(service);
        if print_problems(&catalogue().problems) {
            return Ok(UNKNOWN);
        }
        let files = match self.options.files(&declared) {
            Ok(files) => files,
            Err(error) => {
                print_error(&format!("generate {}: {error}", T::NAME));
                return Ok(UNKNOWN);
            }
        };
        if let Some(name) = repeated_name(&files) {
            print_error(&format!(
                "generate {}: two declarations would have the file {name}; give them other names",
                T::NAME
            ));
            return Ok(UNKNOWN);
        }
        let checks = self.destination.check.is_some();
        let folder = self.destination.output.as_deref().or(self.destination.check.as_deref()).unwrap_or(Path::new("."));
        let failed = |error: std::io::Error| {
            print_error(&format!("{}: {error}", folder.display()));
            OUTPUT_FAILED
        };
        let differences = match compare(folder, &declared, T::NAME, &files) {
            Ok(differences) => differences,
            Err(error) => return Ok(failed(error)),
        };
        if !checks && let Err(error) = write(folder, &files, &differences) {
            return Ok(failed(error));
        }
        let lines: Vec<String> = differences.iter().map(|(name, how)| line(&folder.join(name), how, checks)).collect();
        print(&lines.join("\n"))?;
        let is_fit = differences.iter().all(|(_, how)| *how == Difference::Same);
        if checks && !is_fit {
            print_error(&format!(
                "the files do not fit the code; run `generate {} --output {}` with the other arguments of this one, and remove what is no longer made",
                T::NAME,
                folder.display()
            ));
            return Ok(UNFIT);
        }
        Ok(0)
    }
}

fn line(path: &Path, how: &Difference, checks: bool) -> String {
    let how = match how {
        Difference::Same => "unchanged".to_owned(),
        Difference::Extra => "no longer made".to_owned(),
        Difference::Missing | Difference::At(_) if !checks => "written".to_owned(),
        Difference::Missing => "missing".to_owned(),
        Difference::At(number) => format!("differs at line {number}"),
    };
    format!("{}: {how}", path.display())
}
