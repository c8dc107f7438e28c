//! What a table catalogue may say, and how a wrong one is told.

use obs_runtime::bigquery::estimate::{Catalogue, Mode};

/// A catalogue of one table with these further keys and this column.
fn with(keys: &str, column: &str) -> String {
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
fn the_shipped_catalogue_has_a_source_for_every_figure() {
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
    assert_eq!(with("", ID), "allowed");
    assert_eq!(with(r#""rows": 3,"#, ID), "allowed");
    for kind in ["INT64", "INTEGER", "FLOAT", "BOOLEAN", "BIGNUMERIC", "GEOGRAPHY", "JSON", "RANGE"] {
        let column = format!(r#"{{ "name": "c", "type": "{kind}", "mode": "REPEATED" }}"#);
        assert_eq!(with("", &column), "allowed");
    }
}

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
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
        let told = with(keys, column);
        assert!(told.starts_with("tables.json: "), "{told}");
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn bytes_cannot_be_less_than_those_of_the_columns() {
    let json = r#"{ "tables": [ { "name": "p.d.t", "bytes": 5,
        "sources": { "columns": "here", "bytes": "here" },
        "columns": [ { "name": "c", "type": "STRING", "logical_bytes": 8, "source": "here" } ] } ] }"#;
    let told = Catalogue::from_json(json, "tables.json").unwrap_err().to_string();
    assert!(told.contains("bytes `5` is not allowed; what is allowed is 8"), "{told}");
}

#[test]
fn a_table_stands_in_a_catalogue_once_and_with_its_full_name() {
    let table =
        |name: &str| format!(r#"{{ "name": "{name}", "sources": {{ "columns": "here" }}, "columns": [ {ID} ] }}"#);
    let told = |tables: &[&str]| {
        let tables: Vec<String> = tables.iter().map(|name| table(name)).collect();
        let json = format!(r#"{{ "tables": [ {} ] }}"#, tables.join(","));
        Catalogue::from_json(&json, "tables.json").unwrap_err().to_string()
    };
    assert!(told(&["p.d.t", "p.d.t"]).contains("each table once"));
    assert!(told(&["d.t"]).contains("project.dataset.table"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let told = Catalogue::load("nowhere.json").unwrap_err().to_string();
    assert!(told.starts_with("nowhere.json: cannot be read"), "{told}");
}
