//! data-quality: checks any folder of CSV files or any SQLite file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use obs_examples::dataset::load_folder;
use obs_runtime::{QualityReport, dq_check, tracked_command};
use rusqlite::{Connection, OpenFlags};

/// Checks the tables of a folder of CSV files, or of an SQLite file. Exits with 1 when a critical check fails or a check
/// cannot run, with 2 when there is nothing to check.
#[derive(Parser)]
struct Arguments {
    /// A folder of CSV files with headers, or an SQLite file.
    source: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// The database that the checks read. CSV files are loaded into a temporary one first.
static DATABASE: OnceLock<PathBuf> = OnceLock::new();

struct Tables(Connection);

impl Tables {
    fn open() -> anyhow::Result<Self> {
        let path = DATABASE.get().context("no database was opened")?;
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self(connection))
    }

    fn names(&self) -> anyhow::Result<Vec<String>> {
        self.texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    }

    fn columns(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        for table in self.names()? {
            let columns = self.texts(&format!("SELECT name FROM pragma_table_info({})", literal(&table)))?;
            all.extend(columns.into_iter().map(|column| (table.clone(), column)));
        }
        Ok(all)
    }

    fn texts(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        let mut statement = self.0.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn number(&self, sql: &str) -> anyhow::Result<f64> {
        Ok(self.0.query_row(sql, [], |row| row.get::<_, Option<f64>>(0))?.unwrap_or(0.0))
    }

    /// The maximum of a measure over all columns.
    fn worst_column(&self, measure: impl Fn(&str) -> String) -> anyhow::Result<f64> {
        self.columns()?.iter().try_fold(0.0, |worst: f64, (table, column)| {
            let sql = format!("SELECT ({}) * 1.0 FROM {}", measure(&quoted(column)), quoted(table));
            Ok(worst.max(self.number(&sql)?))
        })
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[dq_check(fail_below = 1)]
fn tables() -> anyhow::Result<usize> {
    Ok(Tables::open()?.names()?.len())
}

#[dq_check(fail_above = 0)]
fn empty_tables() -> anyhow::Result<usize> {
    let tables = Tables::open()?;
    let counts =
        tables.names()?.into_iter().map(|name| tables.number(&format!("SELECT count(*) * 1.0 FROM {}", quoted(&name))));
    Ok(counts.collect::<anyhow::Result<Vec<f64>>>()?.into_iter().filter(|count| *count < 1.0).count())
}

#[dq_check(severity = "warning", fail_above = 0)]
fn repeated_rows() -> anyhow::Result<f64> {
    let tables = Tables::open()?;
    tables.names()?.iter().try_fold(0.0, |sum, name| {
        let name = quoted(name);
        let sql = format!(
            "SELECT (SELECT count(*) FROM {name}) - (SELECT count(*) FROM (SELECT DISTINCT * FROM {name})) * 1.0"
        );
        Ok(sum + tables.number(&sql)?)
    })
}

#[dq_check(severity = "warning", warn_above = 0.1, fail_above = 0.9)]
fn share_of_nulls_in_the_worst_column() -> anyhow::Result<f64> {
    Tables::open()?.worst_column(|column| format!("avg({column} IS NULL)"))
}

#[dq_check(severity = "info", fail_above = 0)]
fn values_with_spaces_around() -> anyhow::Result<f64> {
    Tables::open()?.worst_column(|column| format!("sum({column} IS NOT NULL AND {column} <> trim({column}))"))
}

#[tracked_command(name = "data-quality", args(source = source.display()))]
fn check(source: &Path, scratch: &Path) -> anyhow::Result<QualityReport> {
    let database = if source.is_dir() {
        let copy = scratch.join("tables.sqlite");
        let loaded = load_folder(&mut Connection::open(&copy)?, source)?;
        anyhow::ensure!(!loaded.is_empty(), "no CSV file in {}", source.display());
        copy
    } else {
        anyhow::ensure!(source.is_file(), "{} is neither a folder nor a file", source.display());
        source.to_owned()
    };
    DATABASE.get_or_init(|| database);
    Ok(obs_runtime::run_dq_checks().wait())
}

fn run() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let _guard = obs_examples::tool("data-quality").init()?;
    let scratch = tempfile::tempdir()?;
    let report = check(&arguments.source, scratch.path())?;
    match arguments.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Format::Text => print!("{}", obs_examples::summary::quality(&report)),
    }
    Ok(ExitCode::from(u8::from(!report.passed())))
}

fn main() -> ExitCode {
    if let Some(code) = obs_examples::generate() {
        return code;
    }
    run().unwrap_or_else(|error| {
        eprintln!("data-quality: {error:#}");
        ExitCode::from(2)
    })
}
