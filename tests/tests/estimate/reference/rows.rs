//! Random tables.

use rusqlite::types::Value;
use serde_json::json;

use super::Random;

/// When the sizes are read and the queries run.
pub const AS_OF: &str = "2024-02-01T00:00:00Z";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Text,
    Day,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: &'static str,
    pub kind: Type,
    is_required: bool,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    /// The column that it is partitioned by.
    partitioned_by: Option<usize>,
}

const WIDTH: i64 = 10;

/// A table partitioned by ranges of `id`, one by `day`, and one that is not partitioned.
pub fn tables(random: &mut Random) -> Vec<Table> {
    let column = |name, kind, is_required| Column { name, kind, is_required };
    let columns = |required: bool| {
        vec![
            column("id", Type::Int, true),
            column("day", Type::Day, true),
            column("a", Type::Int, required),
            column("s", Type::Text, false),
        ]
    };
    let mut table = |name, partitioned_by| {
        let columns = columns(random.is_one_in(2));
        let rows =
            (0..=random.below(9)).map(|_| columns.iter().map(|column| value(column, random)).collect()).collect();
        Table { name, columns, rows, partitioned_by }
    };
    vec![table("by_id", Some(0)), table("by_day", Some(1)), table("plain", None)]
}

fn value(column: &Column, random: &mut Random) -> Value {
    if !column.is_required && random.is_one_in(4) {
        return Value::Null;
    }
    match column.kind {
        Type::Int if column.name == "id" => Value::Integer(i64::try_from(random.below(40)).unwrap()),
        Type::Int => Value::Integer(i64::try_from(random.below(6)).unwrap()),
        Type::Text => Value::Text("x".repeat(random.below(5))),
        Type::Day => Value::Text(format!("2024-01-0{}", random.below(4) + 1)),
    }
}

impl Table {
    pub fn create(&self, database: &rusqlite::Connection) {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        database.execute(&format!("CREATE TABLE {} ({})", self.name, columns.join(", ")), []).unwrap();
        let mut insert = database.prepare(&format!("INSERT INTO {} VALUES ({marks})", self.name)).unwrap();
        for row in &self.rows {
            insert.execute(rusqlite::params_from_iter(row)).unwrap();
        }
    }

    /// The id of the partition of a row; the whole table without partitions.
    fn partition(&self, row: &[Value]) -> String {
        match self.partitioned_by.map(|column| &row[column]) {
            Some(Value::Integer(id)) => (id / WIDTH * WIDTH).to_string(),
            Some(Value::Text(day)) => day.replace('-', ""),
            _ => String::new(),
        }
    }

    pub fn partitions(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.rows.iter().map(|row| self.partition(row)).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The logical bytes of a column, in one partition or all.
    pub fn bytes(&self, partition: Option<&str>, column: usize) -> u64 {
        let rows = self.rows.iter().filter(|row| partition.is_none_or(|id| self.partition(row) == id));
        rows.map(|row| match (&row[column], self.columns[column].kind) {
            (Value::Null, _) => 0,
            (Value::Text(text), Type::Text) => 2 + text.len() as u64,
            _ => 8,
        })
        .sum()
    }

    /// Changes the values of a column in a partition, in one of three ways. Rows stay in their partition.
    pub fn change(&mut self, partition: &str, column: usize, change: i64) {
        let ids: Vec<String> = self.rows.iter().map(|row| self.partition(row)).collect();
        let is_key = self.partitioned_by == Some(column);
        let kind = self.columns[column].kind;
        for (row, id) in self.rows.iter_mut().zip(ids) {
            if id != partition {
                continue;
            }
            let new = match (&row[column], kind) {
                (Value::Integer(value), _) if is_key => {
                    Value::Integer(value / WIDTH * WIDTH + (value + change) % WIDTH)
                }
                (Value::Text(_), Type::Day) if is_key => continue,
                (Value::Integer(value), _) => Value::Integer((value + change) % 7 + change / 3 * 100),
                (_, Type::Int) => Value::Integer(change),
                (_, Type::Day) => Value::Text(format!("2024-01-0{change}")),
                (Value::Text(text), Type::Text) if change < 3 => Value::Text(format!("{text}{change}")),
                (_, Type::Text) => Value::Text("x".repeat(usize::try_from(change).unwrap())),
            };
            row[column] = new;
        }
    }
}

/// The tables as a catalogue.
pub fn catalogue(tables: &[Table]) -> String {
    let tables: Vec<serde_json::Value> = tables.iter().map(entry).collect();
    json!({ "tables": tables }).to_string()
}

fn entry(table: &Table) -> serde_json::Value {
    let bytes = |partition: Option<&str>| (0..table.columns.len()).map(|at| table.bytes(partition, at)).sum::<u64>();
    let columns: Vec<serde_json::Value> = table
        .columns
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Type::Int => "INT64",
                Type::Text => "STRING",
                Type::Day => "DATE",
            };
            let mode = if column.is_required { "REQUIRED" } else { "NULLABLE" };
            json!({ "name": column.name, "type": kind, "mode": mode })
        })
        .collect();
    let mut entry = json!({
        "name": format!("p.d.{}", table.name), "as_of": AS_OF, "rows": table.rows.len(), "bytes": bytes(None),
        "sources": { "rows": "random", "bytes": "random", "columns": "random" }, "columns": columns,
    });
    if let Some(column) = table.partitioned_by {
        let count = |id: &str| table.rows.iter().filter(|row| table.partition(row) == id).count();
        let partitions: Vec<serde_json::Value> = table
            .partitions()
            .iter()
            .map(|id| json!({ "id": id, "rows": count(id), "bytes": bytes(Some(id)) }))
            .collect();
        entry["partition_column"] = json!(table.columns[column].name);
        entry["partitions"] = json!(partitions);
        if table.columns[column].kind == Type::Int {
            entry["partition_width"] = json!(WIDTH);
        }
    }
    entry
}
