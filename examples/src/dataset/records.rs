//! Reads a file line by line, in constant memory.

use std::path::Path;

use super::column::{ColumnKind, LoadedColumn, snake_case};
use super::error::LoadError;

/// Reads the file once to infer its columns.
pub(super) fn survey(file: &Path) -> Result<Vec<LoadedColumn>, LoadError> {
    let mut reader = open(file)?;
    let headers = reader.headers().map_err(|e| malformed(file, &e))?.clone();
    let mut columns: Vec<LoadedColumn> = Vec::with_capacity(headers.len());
    for (i, header) in headers.iter().enumerate() {
        let name = snake_case(header);
        let what = if name.is_empty() {
            "a name needs a letter or a digit".to_owned()
        } else if let Some(j) = columns.iter().position(|c| c.name == name) {
            format!("column {} is named `{name}` too", j + 1)
        } else {
            columns.push(LoadedColumn { name, kind: ColumnKind::Integer, nulls: 0 });
            continue;
        };
        return Err(LoadError::Header { file: file.to_owned(), number: i + 1, header: header.to_owned(), what });
    }
    if columns.is_empty() {
        return Err(LoadError::Line { file: file.to_owned(), line: 1, what: "there is no header".to_owned() });
    }
    let mut rows = 0;
    for_each_record(file, |_, record| {
        rows += 1;
        for (column, text) in columns.iter_mut().zip(record) {
            column.widen(text);
        }
        Ok(())
    })?;
    for column in &mut columns {
        if column.nulls == rows {
            column.kind = ColumnKind::Text;
        }
    }
    Ok(columns)
}

fn open(file: &Path) -> Result<csv::Reader<std::fs::File>, LoadError> {
    csv::Reader::from_path(file).map_err(|error| malformed(file, &error))
}

pub(super) fn for_each_record(
    file: &Path,
    mut take: impl FnMut(u64, &csv::StringRecord) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let mut reader = open(file)?;
    let mut bytes = csv::ByteRecord::new();
    while reader.read_byte_record(&mut bytes).map_err(|e| malformed(file, &e))? {
        let line = bytes.position().map_or(0, csv::Position::line);
        let record = csv::StringRecord::from_byte_record(bytes).map_err(|error| {
            let column = error.utf8_error().field() + 1;
            LoadError::Line { file: file.to_owned(), line, what: format!("column {column} is not UTF-8") }
        })?;
        take(line, &record)?;
        bytes = record.into_byte_record();
    }
    Ok(())
}

fn malformed(file: &Path, error: &csv::Error) -> LoadError {
    let what = match error.kind() {
        csv::ErrorKind::Io(source) => {
            return LoadError::Read {
                file: file.to_owned(),
                source: std::io::Error::new(source.kind(), source.to_string()),
            };
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} values, but the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("column {} is not UTF-8", err.field() + 1),
        _ => error.to_string(),
    };
    LoadError::Line { file: file.to_owned(), line: error.position().map_or(0, csv::Position::line), what }
}
