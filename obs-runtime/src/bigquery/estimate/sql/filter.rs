//! `WHERE`: which partitions of the tables in `FROM` can have rows that pass.

use sqlparser::ast::{Expr, JoinOperator, Select, TableFactor, TableWithJoins};

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::partitions;
use crate::bigquery::estimate::partitions::Selection;
use crate::bigquery::estimate::sql::analyser::Analyser;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::suffixes;
use crate::bigquery::estimate::suffixes::TABLE_SUFFIX;

impl<'c> Analyser<'c> {
    /// The partitions of each table that `FROM` names here.
    pub(super) fn partitions(select: &Select, names: &Names<'_, 'c>) -> Reads {
        let mut reads = Reads::default();
        for relation in &names.relations {
            if let Columns::Table(table) = &relation.columns {
                let selection = match &select.selection {
                    Some(filter) if is_filtered(relation, &select.from) => select_of(table, relation, filter, names),
                    _ => Selection::All,
                };
                reads.add(Reads::partitions(&table.name, selection));
            }
        }
        reads
    }
}

/// The partitions of one relation, or the tables of a wildcard, that can have rows which pass the filter.
fn select_of(table: &Table, relation: &Relation<'_>, filter: &Expr, names: &Names<'_, '_>) -> Selection {
    let is_wildcard = !table.members.is_empty();
    let partition_column = match &table.partition_column {
        _ if is_wildcard => TABLE_SUFFIX,
        Some(column) => column.as_str(),
        None => return Selection::All,
    };
    // A name alone means this table's column when no other relation may have one of that name.
    let others = names.relations.iter().filter(|other| !std::ptr::eq(*other, relation));
    let is_alone = others.clone().all(|other| !may_have(other, partition_column));
    let name_is_alone = others.clone().all(|other| other.name != relation.name);
    let is_column = |expr: &Expr| match expr {
        Expr::Identifier(ident) => is_alone && ident.value.eq_ignore_ascii_case(partition_column),
        Expr::CompoundIdentifier(idents) => match idents.as_slice() {
            [of, column] => {
                name_is_alone
                    && relation.is_named(&of.value.to_lowercase())
                    && column.value.eq_ignore_ascii_case(partition_column)
            }
            _ => false,
        },
        _ => false,
    };
    if is_wildcard {
        suffixes::selected(table, filter, &is_column)
    } else {
        partitions::selected(table, filter, &is_column)
    }
}

/// Whether a relation may hand out a column of that name.
fn may_have(relation: &Relation<'_>, column: &str) -> bool {
    match &relation.columns {
        Columns::Table(table) => table.columns.iter().any(|known| known.name.eq_ignore_ascii_case(column)),
        Columns::Missing(_) => true,
        Columns::Rows(rows) => {
            let named = |name: &Option<String>| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(column));
            rows.open.is_some() || rows.outputs.iter().any(|output| named(&output.name))
        }
        Columns::Value => relation.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(column)),
    }
}

/// Whether the rows of a relation are all held against `WHERE` before they are joined: so not where an outer join may put
/// `NULL` in their place.
fn is_filtered(relation: &Relation<'_>, from: &[TableWithJoins]) -> bool {
    let is_outer = |join: &JoinOperator| {
        !matches!(join, JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_))
    };
    from.iter().all(|table| {
        let outer: Vec<&JoinOperator> =
            table.joins.iter().map(|join| &join.join_operator).filter(|join| is_outer(join)).collect();
        let is_left = |join: &&JoinOperator| matches!(join, JoinOperator::Left(_) | JoinOperator::LeftOuter(_));
        outer.is_empty() || outer.iter().all(is_left) && is_first(relation, &table.relation)
    })
}

/// Whether a relation is the one that a chain of joins begins with.
fn is_first(relation: &Relation<'_>, first: &TableFactor) -> bool {
    let TableFactor::Table { name, alias, .. } = first else { return false };
    let last = || name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.as_str());
    let called = alias.as_ref().map(|alias| alias.name.value.as_str()).or_else(last);
    let called = called.map(|called| called.rsplit('.').next().unwrap_or(called).to_lowercase());
    called.is_some() && called == relation.name
}
