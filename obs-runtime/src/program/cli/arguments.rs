//! Values of arguments that several commands take.

use std::time::Duration;

/// How a list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// How results of health checks are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
    /// `JUnit` XML, for continuous integration.
    Junit,
}

/// How results of data-quality checks are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum QualityFormat {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
    /// `JUnit` XML, for continuous integration.
    Junit,
    /// An event of `OpenLineage`, for data catalogues.
    Openlineage,
    /// Markdown, for the summary of a job and comments on pull requests.
    Markdown,
}

/// Parses a duration above zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; expected a number and a unit, such as 500ms, 5s or 1m")),
    }
}
