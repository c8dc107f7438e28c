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
    /// `JUnit` XML, as continuous integration reads it.
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
    /// `JUnit` XML, as continuous integration reads it.
    Junit,
    /// An event of `OpenLineage`, as data catalogues take it.
    Openlineage,
}

/// Parses a duration above zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; allowed is a number and a unit, as 500ms, 5s or 1m")),
    }
}
