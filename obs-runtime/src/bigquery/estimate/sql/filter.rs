//! `WHERE` and `ON`: which partitions of the tables in `FROM` can have rows that pass.

use sqlparser::ast::Expr;

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::growth;
use crate::bigquery::estimate::partitions::{Axis, Selection};
use crate::bigquery::estimate::pruning::Filter;
use crate::bigquery::estimate::sql::analyser::Analyser;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::suffixes;

/// The columns by which BigQuery names the partition or the table of a row.
const BY_INGESTION: [&str; 2] = ["_PARTITIONTIME", "_PARTITIONDATE"];
const BY_SUFFIX: [&str; 1] = ["_TABLE_SUFFIX"];

impl<'c> Analyser<'c> {
    /// Restricts the uses of tables, of which `FROM` names these relations, to the partitions that a filter reads. A filter
    /// outside of a subquery, view or query of `WITH` also applies to the table inside, if the column passes through
    /// unchanged.
    pub(super) fn restrict(&self, reads: &mut Reads, filter: &Expr, relations: &[usize], names: &Names<'_, 'c>) {
        for relation in relations.iter().filter_map(|at| names.relations.get(*at)) {
            match &relation.columns {
                Columns::Table(table, id) => {
                    for column in partition_columns(table) {
                        let is_column = |expr: &Expr| is_column(expr, column, relation, names);
                        reads.restrict(*id, self.selection(table, filter, &is_column));
                    }
                }
                Columns::Rows(rows) => {
                    for output in &rows.outputs {
                        let Some(name) = &output.name else { continue };
                        for origin in &output.origins {
                            let (Some(id), [path]) = (origin.use_id, origin.path.as_slice()) else { continue };
                            if partition_columns(origin.table).any(|column| column.eq_ignore_ascii_case(path)) {
                                let is_column = |expr: &Expr| is_column(expr, name, relation, names);
                                reads.restrict(id, self.selection(origin.table, filter, &is_column));
                            }
                        }
                    }
                }
                Columns::Missing(_) | Columns::Elements(..) | Columns::Value => {}
            }
        }
    }

    /// The partitions of a table, or the tables of a wildcard, that can have rows which pass the filter.
    fn selection(&self, table: &Table, condition: &Expr, is_column: &dyn Fn(&Expr) -> bool) -> Selection {
        if table.members.is_empty() {
            let filter = Filter { condition, axis: Axis::of(table), settings: self.settings, is_column };
            growth::selected(table, &filter)
        } else {
            suffixes::selected(table, condition, self.settings, is_column)
        }
    }
}

/// The columns by which a table is divided.
fn partition_columns(table: &Table) -> impl Iterator<Item = &str> {
    let names: &[&str] = match () {
        () if !table.members.is_empty() => &BY_SUFFIX,
        () if table.is_by_ingestion() => &BY_INGESTION,
        () => &[],
    };
    let own = table.partition_column.as_deref().filter(|_| names.is_empty());
    names.iter().copied().chain(own)
}

/// Whether an expression is this column of a relation. A name alone is, if no other relation may have one of that name.
fn is_column(expr: &Expr, column: &str, relation: &Relation<'_>, names: &Names<'_, '_>) -> bool {
    let mut others = names.relations.iter().filter(|other| !std::ptr::eq(*other, relation));
    match expr {
        Expr::Nested(inner) => is_column(inner, column, relation, names),
        Expr::Identifier(ident) => {
            ident.value.eq_ignore_ascii_case(column) && others.all(|other| !may_have(other, column))
        }
        Expr::CompoundIdentifier(idents) => match idents.as_slice() {
            [of, name] => {
                relation.is_named(&of.value.to_lowercase())
                    && name.value.eq_ignore_ascii_case(column)
                    && others.all(|other| other.name != relation.name)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a relation may have a column of that name.
fn may_have(relation: &Relation<'_>, column: &str) -> bool {
    let path = [column.to_lowercase()];
    match &relation.columns {
        Columns::Table(..) | Columns::Elements(..) => relation.origin(&path).is_some(),
        Columns::Missing(_) => true,
        Columns::Rows(rows) => {
            let named = |name: &Option<String>| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(column));
            rows.open.is_some() || rows.outputs.iter().any(|output| named(&output.name))
        }
        Columns::Value => relation.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(column)),
    }
}
