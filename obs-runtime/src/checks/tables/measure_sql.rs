//! The SQL that measures.

use crate::checks::tables::aggregate::{Aggregate, Function};
use crate::checks::tables::expr::sql_of;
use crate::checks::tables::row_test::RowTest;
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::subject::{Distance, OtherTable, Reading, Step, Subject};
use crate::checks::tables::table::Table;

/// How many of the groups with the largest values, and how many of those with the smallest, are told.
pub const MAX_GROUPS: usize = 10;

/// What is selected, and from what.
pub struct Selection {
    pub found: Sql,
    pub of: Sql,
    /// How many values the database would compare as something else than they are.
    pub mismatches: Option<Sql>,
    /// ` FROM …`
    pub from: Sql,
    /// What rows are grouped by, as it is named in `from`.
    pub groups: Vec<String>,
    /// Whether `from` is a query, in which the values are named `obs_value`.
    is_nested: bool,
}

impl Subject {
    /// A query that returns one row: the measured number, the total and, if the database would not refuse to compare values
    /// of different types, how many there are. With groups it returns a row for each of the groups with the largest and
    /// smallest values, with the number of all groups and the group's values at its end.
    pub fn measure<T: Table>(&self, table: &T, reading: &Reading) -> Statement {
        let selection = self.selection(table, reading);
        let sql = if reading.groups.is_empty() { selection.one_row() } else { selection.row_of_each(table, self) };
        sql.at(reading.place)
    }

    fn selection<T: Table>(&self, table: &T, reading: &Reading) -> Selection {
        let source = Source { table, reading, columns: sql_of(self.columns(), table) };
        let column = source.columns.join(", ");
        match self {
            Self::Rows => source.flat("COUNT(*)", "COUNT(*)", &[]),
            Self::FailingRows { .. } => {
                let mut selection = source.flat("COUNT(*)", "COUNT(*)", &[]);
                selection.from = source.present_rows(&self.name(table), &[]);
                selection
            }
            Self::Age { .. } => {
                let age = table.seconds_since(&column);
                source.flat(format!("MIN({age})"), format!("COUNT({column})"), &[])
            }
            Self::Nulls { .. } => source.flat(format!("COUNT(*) - COUNT({column})"), "COUNT(*)", &[]),
            Self::Repeated { .. } | Self::Distinct { .. } => {
                let mut inner = source.inner(&[("COUNT(*)".to_owned(), "obs_rows")]);
                inner.append(&source.present_rows(&self.name(table), &source.columns));
                let groups = sql_of(&reading.groups, table);
                inner.push(&format!(" GROUP BY {}", [&*groups, &*source.columns].concat().join(", ")));
                let found =
                    if matches!(self, Self::Repeated { .. }) { "COALESCE(SUM(obs_rows - 1), 0)" } else { "COUNT(*)" };
                source.nested(found, "COALESCE(SUM(obs_rows), 0)", &inner, "obs_groups")
            }
            Self::Test(test) => {
                let fits = test.fits(table, reading.as_number);
                let found = Sql::of("COALESCE(SUM(CASE WHEN {} THEN 0 ELSE 1 END), 0)", [&fits]);
                let mut selection = source.flat(found, "COUNT(*)", &source.columns);
                selection.mismatches = self.mismatches(table, reading, &source.columns);
                selection.from = source.tested(&self.name(table), test);
                selection
            }
            Self::Orphans { other, .. } => {
                let found = "COALESCE(SUM(CASE WHEN obs_key IS NULL THEN 1 ELSE 0 END), 0)";
                let mut selection = source.flat(found, "COUNT(*)", &[]);
                let name = Sql::of("{}{}", [&self.name(table), &joined(table, &column, other)]);
                selection.from = source.present_rows(&name, &source.columns);
                selection
            }
            Self::Aggregate(aggregate) => {
                let mut selection = source.aggregates(&[aggregate], &column);
                selection.mismatches = self.mismatches_of(table, reading, &selection, &column);
                selection
            }
            Self::Absent { required, .. } => {
                let (count, value) = (required.len(), compared(table, &column, reading));
                let found = format!("{count} - COUNT(DISTINCT {value})");
                let mut selection = source.flat(found, format!("{count}"), &[]);
                selection.from = source.restricted(&self.name(table), &[is_one_of(&value, required)]);
                selection
            }
            Self::Disorder { order, .. } => {
                let found =
                    format!("COALESCE(SUM(CASE WHEN obs_value {} obs_before THEN 1 ELSE 0 END), 0)", order.broken_by());
                source.nested(found, "COUNT(*)", &self.in_order(table, reading, &[]), "obs_ordered")
            }
            Self::Gaps { step, .. } => {
                let (distance, step) = (distance(table, *step), step.length());
                let found = format!(
                    "COALESCE(SUM(CASE WHEN {distance} > 1.5 * {step:?} THEN ROUND({distance} / {step:?}) - 1 ELSE 0 END), 0)"
                );
                let mut selection =
                    source.nested(found, "COUNT(*)", &self.in_order(table, reading, &[]), "obs_ordered");
                selection.mismatches = self.mismatches(table, reading, &["obs_value".to_owned()]);
                selection
            }
        }
    }

    /// The name of what is read.
    pub fn name<T: Table>(&self, table: &T) -> Sql {
        match self {
            Self::FailingRows { query } => Sql::of("({}) AS obs_query", [query]),
            _ => Sql::new(table.sql_name(), table.values()),
        }
    }

    /// As [`Selection::mismatches`], for one column.
    pub fn mismatches_of<T: Table>(
        &self,
        table: &T,
        reading: &Reading,
        selection: &Selection,
        column: &str,
    ) -> Option<Sql> {
        let value = if selection.is_nested { "obs_value" } else { column };
        self.mismatches(table, reading, &[value.to_owned()])
    }

    fn mismatches<T: Table>(&self, table: &T, reading: &Reading, columns: &[String]) -> Option<Sql> {
        let kind = self.kind().filter(|_| !reading.as_number)?;
        let of_columns: Vec<String> = columns.iter().filter_map(|column| table.mismatch(column, &kind)).collect();
        let any = of_columns.join(" OR ");
        (!any.is_empty()).then(|| format!("COALESCE(SUM(CASE WHEN {any} THEN 1 ELSE 0 END), 0)").into())
    }

    /// A query for the values in their order, each with the one before or after it. `more` are further columns of it.
    pub fn in_order<T: Table>(&self, table: &T, reading: &Reading, more: &[(String, String)]) -> Sql {
        let source = Source { table, reading, columns: sql_of(self.columns(), table) };
        let value = compared(table, &source.columns.join(", "), reading);
        let partition = partition_by(table, &sql_of(&reading.groups, table));
        let mut present = source.columns.clone();
        let (other, name) = match self {
            Self::Disorder { order_by, .. } => {
                let order_by = order_by.sql(table);
                present.push(order_by.clone());
                (format!("LAG({value}) OVER ({partition}ORDER BY {order_by})"), "obs_before")
            }
            _ => (format!("LEAD({value}) OVER ({partition}ORDER BY {value})"), "obs_next"),
        };
        let mut columns = vec![(value, "obs_value"), (other, name)];
        columns.extend(more.iter().map(|(sql, name)| (sql.clone(), &**name)));
        let mut inner = source.inner(&columns);
        inner.append(&source.present_rows(&self.name(table), &present));
        inner
    }
}

/// Whether an expression has one of these values.
pub fn is_one_of(sql: &str, values: &[TableValue]) -> Sql {
    match values {
        [] => "FALSE".into(),
        values => Sql::new(format!("{sql} IN ({})", vec!["?"; values.len()].join(", ")), values.to_vec()),
    }
}

/// Whether there is a gap between a value and the next one, in the rows of [`Subject::in_order`].
pub fn has_gap<T: Table>(table: &T, step: Step) -> String {
    format!("{} > 1.5 * {:?}", distance(table, step), step.length())
}

fn distance<T: Table>(table: &T, step: Step) -> String {
    match step.0 {
        Distance::Number(_) => "(obs_next - obs_value)".to_owned(),
        Distance::Seconds(_) => {
            format!("(({}) - ({}))", table.seconds_since("obs_value"), table.seconds_since("obs_next"))
        }
    }
}

impl Step {
    const fn length(self) -> f64 {
        let (Distance::Number(length) | Distance::Seconds(length)) = self.0;
        length
    }
}

/// `PARTITION BY` these, with a space at its end; empty for none.
pub fn partition_by<T: Table>(table: &T, columns: &[String]) -> String {
    let keys: Vec<String> = columns.iter().map(|column| table.partition_key(column)).collect();
    if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) }
}

/// The column as it is compared.
pub fn compared<T: Table>(table: &T, column: &str, reading: &Reading) -> String {
    if reading.as_number { table.as_number(column) } else { column.to_owned() }
}

/// Joins the distinct keys of the other table. It adds no name but `obs_key`.
pub fn joined<T: Table>(table: &T, column: &str, other: &OtherTable) -> Sql {
    let key = other.key.sql(table);
    let mut sql = Sql::from(format!(" LEFT JOIN (SELECT DISTINCT {key} AS obs_key FROM "));
    sql.append(&other.sql);
    sql.push(&format!(" WHERE {key} IS NOT NULL) AS obs_keys ON {column} = obs_key"));
    sql
}

/// What a check reads.
pub struct Source<'s, T> {
    pub table: &'s T,
    pub reading: &'s Reading,
    /// The SQL of the columns.
    pub columns: Vec<String>,
}

impl<T: Table> Source<'_, T> {
    /// ` FROM` this, with the rows whose columns are not `NULL` and that meet the conditions.
    pub fn present_rows(&self, name: &Sql, present: &[String]) -> Sql {
        let present: Vec<Sql> = present.iter().map(|column| format!("{column} IS NOT NULL").into()).collect();
        self.restricted(name, &present)
    }

    /// As [`present_rows`](Self::present_rows), with the rows that can be tested.
    pub fn tested(&self, name: &Sql, test: &RowTest) -> Sql {
        match test {
            RowTest::Where(condition) => self.restricted(name, &[Sql::of("({}) IS NOT NULL", [condition])]),
            _ => self.present_rows(name, &self.columns),
        }
    }

    /// ` FROM` this, with the rows that meet these conditions and those of the check.
    pub fn restricted(&self, name: &Sql, also: &[Sql]) -> Sql {
        let own = self.reading.conditions.iter().map(|condition| Sql::of("({})", [condition]));
        let parts: Vec<Sql> = also.iter().cloned().chain(own).collect();
        if parts.is_empty() {
            Sql::of(" FROM {}", [name])
        } else {
            Sql::of(" FROM {} WHERE {}", [name, &Sql::join(&parts, " AND ")])
        }
    }

    fn flat(&self, found: impl Into<Sql>, of: impl Into<Sql>, present: &[String]) -> Selection {
        let from = self.present_rows(&Sql::new(self.table.sql_name(), self.table.values()), present);
        let groups = sql_of(&self.reading.groups, self.table);
        Selection { found: found.into(), of: of.into(), mismatches: None, from, groups, is_nested: false }
    }

    /// `SELECT` of these columns and the groups, each with a name.
    fn inner(&self, columns: &[(String, &str)]) -> Sql {
        let mut parts: Vec<String> = columns.iter().map(|(sql, name)| format!("{sql} AS {name}")).collect();
        let groups = sql_of(&self.reading.groups, self.table);
        parts.extend(groups.iter().enumerate().map(|(index, sql)| format!("{sql} AS obs_by_{index}")));
        format!("SELECT {}", parts.join(", ")).into()
    }

    /// From a query that [`inner`](Self::inner) began.
    fn nested(&self, found: impl Into<Sql>, of: impl Into<Sql>, inner: &Sql, name: &str) -> Selection {
        let groups = (0..self.reading.groups.len()).map(|index| format!("obs_by_{index}")).collect();
        let from = Sql::of(&format!(" FROM ({{}}) AS {name}"), [inner]);
        Selection { found: found.into(), of: of.into(), mismatches: None, from, groups, is_nested: true }
    }

    /// These aggregates of one column, separated by commas, as what is found.
    pub fn aggregates(&self, aggregates: &[&Aggregate], column: &str) -> Selection {
        let value = compared(self.table, column, self.reading);
        let list = |value: &str| {
            aggregates.iter().map(|aggregate| aggregate.sql(self.table, value)).collect::<Vec<_>>().join(", ")
        };
        if column.is_empty() {
            return self.flat(list(""), "COUNT(*)", &[]);
        }
        if !aggregates.iter().any(|aggregate| matches!(aggregate.function, Function::Quantile(_))) {
            return self.flat(list(&value), format!("COUNT({value})"), &[]);
        }
        let partition = partition_by(self.table, &sql_of(&self.reading.groups, self.table));
        let mut inner = self.inner(&[
            (value.clone(), "obs_value"),
            (format!("ROW_NUMBER() OVER ({partition}ORDER BY {value})"), "obs_rank"),
            (format!("COUNT(*) OVER ({})", partition.trim_end()), "obs_count"),
        ]);
        let name = Sql::new(self.table.sql_name(), self.table.values());
        inner.append(&self.present_rows(&name, &self.columns));
        self.nested(list("obs_value"), "COUNT(*)", &inner, "obs_values")
    }
}

impl Selection {
    pub fn one_row(&self) -> Sql {
        let mismatches = self.mismatches.as_ref().map(|sql| Sql::of(", {}", [sql])).unwrap_or_default();
        Sql::of("SELECT {}, {}{}{}", [&self.found, &self.of, &mismatches, &self.from])
    }

    /// A row for each of the groups with the largest and the smallest values.
    fn row_of_each<T: Table>(&self, table: &T, subject: &Subject) -> Sql {
        let names: Vec<String> = (0..self.groups.len()).map(|index| format!("obs_by_{index}")).collect();
        let groups = self.groups.iter().zip(&names);
        let group_columns = groups.map(|(sql, name)| format!(", {sql} AS {name}")).collect::<Vec<_>>().concat().into();
        let mismatches = match &self.mismatches {
            Some(sql) => Sql::of(", {} AS obs_mismatches", [sql]),
            None => Sql::default(),
        };
        let by = format!(" GROUP BY {}", self.groups.join(", ")).into();
        let of_each = Sql::of(
            "SELECT {} AS obs_found, {} AS obs_of{}{}{}{}",
            [&self.found, &self.of, &mismatches, &group_columns, &self.from, &by],
        );
        let rate =
            if subject.is_ratio() { "CASE WHEN obs_of > 0 THEN 1.0 * obs_found / obs_of END" } else { "obs_found" };
        let list = names.iter().map(|name| format!(", {}", table.as_text(name))).collect::<Vec<_>>().concat();
        let of_all = if self.mismatches.is_some() { "SUM(obs_mismatches) OVER ()" } else { "0" };
        let mut sql = Sql::from(format!(
            "SELECT obs_found, obs_of, obs_mismatched, obs_all{list} FROM (SELECT obs_counted.*, \
             ROW_NUMBER() OVER (ORDER BY obs_rate DESC) AS obs_down, ROW_NUMBER() OVER (ORDER BY obs_rate) AS obs_up, \
             COUNT(*) OVER () AS obs_all, {of_all} AS obs_mismatched FROM (SELECT obs_each.*, {rate} AS obs_rate FROM ("
        ));
        sql.append(&of_each);
        sql.push(&format!(
            ") AS obs_each) AS obs_counted) AS obs_ranked WHERE obs_down <= {MAX_GROUPS} OR obs_up <= {MAX_GROUPS} \
             ORDER BY obs_down"
        ));
        sql
    }
}
