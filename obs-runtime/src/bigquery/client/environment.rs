//! BigQuery's settings in the environment: the emulator, the project, and whether there are credentials.

use crate::bigquery::client::error::BigQueryError;
use crate::config::validated::Config;

pub fn emulator_of_environment() -> Result<Option<String>, BigQueryError> {
    const NAME: &str = "BIGQUERY_EMULATOR_HOST";
    let config = Config::from_lookup(|name| (name == NAME).then(|| std::env::var_os(NAME)).flatten());
    config.map(|config| config.bigquery_emulator_host).map_err(|error| BigQueryError::Usage(error.to_string()))
}

pub fn project_of_environment() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let of_file = || {
        let file = std::fs::read_to_string(variable("GOOGLE_APPLICATION_CREDENTIALS")?).ok()?;
        let file: serde_json::Value = serde_json::from_str(&file).ok()?;
        ["project_id", "quota_project_id"].iter().find_map(|key| file[key].as_str().map(str::to_owned))
    };
    variable("GOOGLE_CLOUD_PROJECT").or_else(|| variable("GCLOUD_PROJECT")).or_else(of_file)
}

/// Whether the environment configures BigQuery: it sets an emulator or credentials, and a project.
pub fn is_configured(config: &Config) -> bool {
    let named = || std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").is_some_and(|value| !value.is_empty());
    (config.bigquery_emulator_host.is_some() || named()) && project_of_environment().is_some()
}

/// Whether there are credentials in a file: the file named by `GOOGLE_APPLICATION_CREDENTIALS` (whether it exists or
/// not), or the file written by `gcloud auth application-default login`. The metadata server of a machine in Google's
/// cloud is not asked.
#[must_use]
pub fn has_credentials() -> bool {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let folder = || {
        let folder =
            if cfg!(windows) { variable("APPDATA") } else { variable("HOME").map(|home| home.join(".config")) };
        folder.map(|folder| folder.join("gcloud/application_default_credentials.json"))
    };
    variable("GOOGLE_APPLICATION_CREDENTIALS").is_some() || folder().is_some_and(|file| file.is_file())
}
