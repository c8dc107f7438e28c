//! Loads of CSV files.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};

use obs_examples::dataset::{ColumnKind, LoadError, LoadReport, load_csv, load_folder};
use rusqlite::Connection;
use tempfile::TempDir;

fn penguins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/penguins_raw.csv")
}

/// A database in memory and a folder for files.
struct Fixture {
    connection: Connection,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { connection: Connection::open_in_memory().unwrap(), folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn load(&mut self, text: impl AsRef<[u8]>) -> Result<LoadReport, LoadError> {
        let file = self.file("t.csv", text);
        load_csv(&mut self.connection, "t", file)
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn names(report: &LoadReport) -> Vec<&str> {
    report.columns.iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn the_penguins_are_loaded_with_the_documented_defects() {
    let mut fixture = Fixture::new();
    let report = load_csv(&mut fixture.connection, "penguins", penguins()).unwrap();
    assert_eq!(report.rows, 344);
    assert!(!report.replaced);
    assert_eq!(
        names(&report),
        [
            "study_name",
            "sample_number",
            "species",
            "region",
            "island",
            "stage",
            "individual_id",
            "clutch_completion",
            "date_egg",
            "culmen_length_mm",
            "culmen_depth_mm",
            "flipper_length_mm",
            "body_mass_g",
            "sex",
            "delta_15_n_o_oo",
            "delta_13_c_o_oo",
            "comments",
        ]
    );
    let nulls: Vec<u64> = report.columns.iter().map(|column| column.nulls).collect();
    assert_eq!(nulls, [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 11, 14, 13, 290]);
    let kinds: Vec<ColumnKind> = report.columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds[1], ColumnKind::Integer);
    assert_eq!(kinds[8], ColumnKind::Text);
    assert_eq!(kinds[9], ColumnKind::Real);
    assert_eq!(kinds[11], ColumnKind::Integer);
    assert_eq!(fixture.one::<i64>("SELECT COUNT(*) FROM penguins WHERE sex IS NULL"), 11);
    assert_eq!(fixture.one::<i64>("SELECT COUNT(DISTINCT individual_id) FROM penguins"), 190);
    let repeated = "SELECT COUNT(*) FROM
        (SELECT 1 FROM penguins GROUP BY individual_id HAVING COUNT(*) > 1)";
    assert_eq!(fixture.one::<i64>(repeated), 114);
    assert_eq!(fixture.one::<String>("SELECT typeof(body_mass_g) FROM penguins"), "integer");
}

#[test]
fn a_second_run_replaces_the_table() {
    let mut fixture = Fixture::new();
    fixture.load("a,b\n1,2\n3,4\n").unwrap();
    let report = fixture.load("a\nx\n").unwrap();
    assert!(report.replaced);
    assert_eq!(report.rows, 1);
    assert_eq!(fixture.one::<String>("SELECT a FROM t"), "x");
    assert_eq!(fixture.one::<i64>("SELECT COUNT(*) FROM pragma_table_info('t')"), 1);
}

#[test]
fn a_failed_load_leaves_the_table_unchanged() {
    let mut fixture = Fixture::new();
    fixture.load("a\n1\n").unwrap();
    let error = fixture.load("a,b\n1,2\n3\n").unwrap_err();
    assert!(matches!(error, LoadError::Line { line: 3, .. }), "{error}");
    assert_eq!(fixture.one::<i64>("SELECT a FROM t"), 1);
}

#[test]
fn column_types_are_inferred_from_values() {
    let mut fixture = Fixture::new();
    let report = fixture
        .load("whole,number,text,zip,none,mixed,odd\n1,1,1,01234,NA,1,inf\n-2,2.5,x,56789,,x,1e3\nNA,NA,,NA,NA,NA,+1\n")
        .unwrap();
    let kinds: Vec<ColumnKind> = report.columns.iter().map(|column| column.kind).collect();
    let [integer, real, text] = [ColumnKind::Integer, ColumnKind::Real, ColumnKind::Text];
    assert_eq!(kinds, [integer, real, text, text, text, text, text]);
    assert_eq!(fixture.one::<String>("SELECT zip FROM t"), "01234");
    assert_eq!(fixture.one::<i64>("SELECT COUNT(*) FROM t WHERE none IS NULL"), 3);
    assert_eq!(fixture.one::<String>("SELECT typeof(number) FROM t"), "real");
}

#[test]
fn quoted_values_keep_their_commas_and_lines() {
    let mut fixture = Fixture::new();
    fixture.load("a,b\n\"x, y\",\"1\n2\"\n").unwrap();
    assert_eq!(fixture.one::<String>("SELECT a || b FROM t"), "x, y1\n2");
}

#[test]
fn a_byte_order_mark_is_not_part_of_a_name() {
    let mut fixture = Fixture::new();
    assert_eq!(names(&fixture.load("\u{feff}a,b\n1,2\n").unwrap()), ["a", "b"]);
}

#[test]
fn a_file_with_only_a_header_makes_an_empty_table() {
    let mut fixture = Fixture::new();
    let report = fixture.load("a,b\n").unwrap();
    assert_eq!((report.rows, report.columns.len()), (0, 2));
}

#[test]
fn errors_name_file_line_and_column() {
    for (text, expected) in [
        (&b"a,b\n1,2\n3\n"[..], "t.csv:3: 1 values, but the header has 2"),
        (b"a,b\n1,\xff\n", "t.csv:2: column 2 is not UTF-8"),
        (b"", "t.csv:1: there is no header"),
        (b"a,A\n1,2\n", "t.csv:1: column 2 `A`: column 1 is named `a` too"),
        (b"a,?\n1,2\n", "t.csv:1: column 2 `?`: a name needs a letter or a digit"),
    ] {
        let error = Fixture::new().load(text).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
    let mut connection = Connection::open_in_memory().unwrap();
    let missing = load_csv(&mut connection, "t", "nowhere.csv").unwrap_err();
    assert!(missing.to_string().starts_with("nowhere.csv: cannot be read"), "{missing}");
}

#[test]
fn names_cannot_inject_sql() {
    let mut fixture = Fixture::new();
    let file = fixture.file("t.csv", "a\n1\n");
    for table in ["", "t\"; DROP TABLE x; --", "a b"] {
        let error = load_csv(&mut fixture.connection, table, &file).unwrap_err();
        assert!(matches!(error, LoadError::Table { .. }), "{error}");
    }
    let report = fixture.load("\"a\"\"; DROP TABLE t; --\",select\n1,2\n").unwrap();
    assert_eq!(names(&report), ["a_drop_table_t", "select"]);
}

#[test]
fn every_csv_file_of_a_folder_becomes_a_table() {
    let mut fixture = Fixture::new();
    fixture.file("b.csv", "x\n1\n");
    fixture.file("Daily Sales.CSV", "x\n1\n2\n");
    fixture.file("notes.txt", "not a table\n");
    let reports = load_folder(&mut fixture.connection, fixture.folder.path()).unwrap();
    let tables: Vec<(&str, u64)> = reports.iter().map(|r| (r.table.as_str(), r.rows)).collect();
    assert_eq!(tables, [("b", 1), ("daily_sales", 2)]);

    fixture.file("B.csv", "x\n1\n");
    let error = load_folder(&mut fixture.connection, fixture.folder.path()).unwrap_err();
    assert!(matches!(&error, LoadError::Table { table, .. } if table == "b"), "{error}");
    let missing = load_folder(&mut fixture.connection, "nowhere").unwrap_err();
    assert!(matches!(missing, LoadError::Read { .. }), "{missing}");
}
