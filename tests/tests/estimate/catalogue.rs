//! Table catalogues: what is allowed, and the errors for what is not.

use obs_runtime::bigquery::estimate::{Catalogue, Mode};

/// Parses a catalogue of one table with these further keys and this column, and returns `allowed` or the error.
fn parse(keys: &str, column: &str) -> String {
    let json = format!(
        r#"{{ "tables": [ {{ "name": "p.d.t", {keys}
             "sources": {{ "columns": "here", "rows": "here" }}, "columns": [ {column} ] }} ] }}"#
    );
    match Catalogue::from_json(&json, "tables.json") {
        Ok(_) => "allowed".to_owned(),
        Err(error) => format!("{:#}", anyhow::Error::from(error)),
    }
}

const ID: &str = r#"{ "name": "id", "type": "INT64" }"#;

#[test]
fn the_shipped_catalogue_has_a_source_for_every_number() {
    let catalogue = Catalogue::shipped().unwrap();
    let names: Vec<&str> = catalogue.tables.iter().map(|t| t.name.as_str()).collect();
    assert!(names.contains(&"bigquery-public-data.samples.shakespeare"), "{names:?}");
    for table in &catalogue.tables {
        assert!(table.rows.is_some() && table.sources.rows.is_some(), "{}", table.name);
        assert_eq!(table.bytes.is_some(), table.sources.bytes.is_some(), "{}", table.name);
        assert!(table.sources.columns.starts_with("https://"), "{}", table.name);
    }
    let shakespeare = catalogue.table(names[0]).unwrap();
    assert!(shakespeare.columns.iter().all(|c| c.mode == Mode::Required));
}

#[test]
fn a_small_catalogue_is_allowed() {
    assert_eq!(parse("", ID), "allowed");
    assert_eq!(parse(r#""rows": 3,"#, ID), "allowed");
    for kind in ["INT64", "INTEGER", "FLOAT", "BOOLEAN", "BIGNUMERIC", "GEOGRAPHY", "JSON", "RANGE"] {
        let column = format!(r#"{{ "name": "c", "type": "{kind}", "mode": "REPEATED" }}"#);
        assert_eq!(parse("", &column), "allowed");
    }
}

#[test]
fn errors_name_the_value_and_what_is_allowed() {
    for (keys, column, expected) in [
        ("", r#"{ "name": "c", "type": "INT" }"#, "unknown variant `INT`, expected one of `INT64`"),
        ("", r#"{ "name": "c", "type": "INT64", "mode": "MAYBE" }"#, "unknown variant `MAYBE`"),
        ("", r#"{ "name": "c", "type": "INT64", "size": 8 }"#, "unknown field `size`, expected one of"),
        (r#""rows": -1,"#, ID, "invalid value: integer `-1`, expected u64"),
        (r#""bytes": 8,"#, ID, "table `p.d.t`: sources.bytes `` is not allowed; what is allowed is where"),
        (
            "",
            r#"{ "name": "c", "type": "STRING", "logical_bytes": 8 }"#,
            "table `p.d.t`, column `c`: source `` is not allowed; what is allowed is where",
        ),
        (
            r#""rows": 3,"#,
            r#"{ "name": "c", "type": "INT64", "nulls": 4, "source": "here" }"#,
            "column `c`: nulls `4` is not allowed; what is allowed is 0 to 3, the table's rows",
        ),
        ("", r#"{ "name": "c", "type": "INT64", "nulls": 4, "source": "here" }"#, "none while rows is not given"),
        (
            "",
            r#"{ "name": "c", "type": "INT64", "mode": "REQUIRED", "nulls": 0, "source": "here" }"#,
            "none where the mode is not NULLABLE",
        ),
        ("", r#"{ "name": "c", "type": "RECORD" }"#, "fields for a STRUCT, and for it alone"),
        ("", r#"{ "name": "c", "type": "INT64" }, { "name": "C", "type": "DATE" }"#, "column `C`: name `C`"),
        ("", "", "all the table's columns"),
        (r#""partition_column": "day","#, ID, "`day` is not allowed; what is allowed is a column"),
    ] {
        let error = parse(keys, column);
        assert!(error.starts_with("tables.json: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_table_cannot_have_fewer_bytes_than_its_columns() {
    let json = r#"{ "tables": [ { "name": "p.d.t", "bytes": 5,
        "sources": { "columns": "here", "bytes": "here" },
        "columns": [ { "name": "c", "type": "STRING", "logical_bytes": 8, "source": "here" } ] } ] }"#;
    let error = Catalogue::from_json(json, "tables.json").unwrap_err().to_string();
    assert!(error.contains("bytes `5` is not allowed; what is allowed is 8"), "{error}");
}

#[test]
fn table_names_are_unique_and_complete() {
    let table =
        |name: &str| format!(r#"{{ "name": "{name}", "sources": {{ "columns": "here" }}, "columns": [ {ID} ] }}"#);
    let error = |tables: &[&str]| {
        let tables: Vec<String> = tables.iter().map(|name| table(name)).collect();
        let json = format!(r#"{{ "tables": [ {} ] }}"#, tables.join(","));
        Catalogue::from_json(&json, "tables.json").unwrap_err().to_string()
    };
    assert!(error(&["p.d.t", "p.d.t"]).contains("each table once"));
    assert!(error(&["d.t"]).contains("project.dataset.table"));
}

#[test]
fn the_error_for_a_missing_file_names_it() {
    let error = Catalogue::load("nowhere.json").unwrap_err().to_string();
    assert!(error.starts_with("nowhere.json: cannot be read"), "{error}");
}
