//! `FROM`: tables, joins, subqueries, arrays.

use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Statement, TableAlias, TableFactor,
    TableWithJoins,
};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::partitions::Selection;
use crate::bigquery::estimate::sql::analyser::{Analyser, shown};
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::Rows;
use crate::bigquery::estimate::sql::select::path;

impl<'c> Analyser<'c> {
    /// Adds the relations to `names`; returns what is read whichever of their columns are taken.
    pub(super) fn table_with_joins(
        &self,
        table: &TableWithJoins,
        names: &mut Names<'_, 'c>,
        around: &Names<'_, 'c>,
    ) -> Reads {
        let mut reads = self.table(&table.relation, names, around);
        for join in &table.joins {
            reads.add(self.table(&join.relation, names, around));
            reads.add(match constraint(&join.join_operator) {
                Some(JoinConstraint::None) => Reads::default(),
                Some(JoinConstraint::On(expr)) => self.expr(expr, names),
                Some(JoinConstraint::Using(columns)) => {
                    let mut reads = Reads::default();
                    for column in columns {
                        let path = path(column);
                        names.shared.extend(path.iter().cloned());
                        reads.add(Self::column(&path, names));
                    }
                    reads
                }
                Some(JoinConstraint::Natural) | None => Reads::not_known(format!("what `{}` reads", shown(join))),
            });
        }
        reads
    }

    fn table(&self, table: &TableFactor, names: &mut Names<'_, 'c>, around: &Names<'_, 'c>) -> Reads {
        match table {
            TableFactor::Table { name, alias, args: None, version, sample, .. } => {
                let mut reads = self.named(name, alias.as_ref(), names);
                if version.is_some() {
                    let why = format!("how large `{name}` was at another time");
                    reads.add(Reads::not_known(why));
                }
                if sample.is_some() {
                    reads.set_at_most();
                }
                reads
            }
            TableFactor::Derived { subquery, alias, sample, .. } => {
                let mut rows = self.query(subquery, around);
                if sample.is_some() {
                    rows.always.set_at_most();
                }
                add_rows(rows, alias.as_ref(), None, names)
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, .. } => {
                let alias = alias.as_ref().map(|alias| &alias.name);
                let reads = self.unnest(array_exprs.iter(), alias, names);
                if *with_offset {
                    let name = with_offset_alias.as_ref();
                    let name = name.map_or_else(|| "offset".to_owned(), lower);
                    names.relations.push(Relation { name: Some(name), columns: Columns::Value });
                }
                reads
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.table_with_joins(table_with_joins, names, around)
            }
            TableFactor::Pivot { table, alias, .. } | TableFactor::Unpivot { table, alias, .. } => {
                self.turned(table, alias.as_ref(), names, around)
            }
            other => {
                let alias = match other {
                    TableFactor::Table { alias, .. }
                    | TableFactor::Function { alias, .. }
                    | TableFactor::TableFunction { alias, .. } => alias.as_ref(),
                    _ => None,
                };
                let rows = Rows {
                    open: Some(Reads::default()),
                    always: Reads::not_known(format!("what `{}` reads", shown(other))),
                    ..Rows::default()
                };
                add_rows(rows, alias, None, names)
            }
        }
    }

    /// A name in `FROM`: a query of `WITH`, an array of a relation before it, or a table.
    fn named(&self, name: &ObjectName, alias: Option<&TableAlias>, names: &mut Names<'_, 'c>) -> Reads {
        let parts = parts(name);
        let path: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
        if let [name] = path.as_slice()
            && let Some(rows) = names.query(name)
        {
            let rows = rows.clone();
            return add_rows(rows, alias, Some(name), names);
        }
        if let [first, _, ..] = path.as_slice()
            && names.relation(first).is_some()
        {
            let reads = array(Self::column(&path, names));
            names.relations.push(Relation {
                name: alias.map(|a| lower(&a.name)).or(path.last().cloned()),
                columns: Columns::Value,
            });
            return reads;
        }
        let full = parts.join(".");
        let name = alias.map(|a| lower(&a.name)).or(path.last().cloned());
        let columns = match self.catalogue.table(&full) {
            Some(Table { view: Some(sql), .. }) => {
                let rows = self.view(&full, sql);
                return add_rows(rows, alias, path.last(), names);
            }
            Some(table) => Columns::Table(table),
            None => Columns::Missing(full.clone()),
        };
        names.relations.push(Relation { name, columns });
        Reads::table(&full)
    }

    /// What a view hands out and reads.
    fn view(&self, name: &str, sql: &str) -> Rows {
        let not_known =
            |why: String| Rows { open: Some(Reads::default()), always: Reads::not_known(why), ..Rows::default() };
        if self.views.borrow().iter().any(|open| open == name) {
            return not_known(format!("the view `{name}` names itself"));
        }
        let query = match Parser::parse_sql(&BigQueryDialect {}, sql).as_deref() {
            Ok([Statement::Query(query)]) => query.clone(),
            _ => return not_known(format!("what the view `{name}` reads: its query is not understood")),
        };
        self.views.borrow_mut().push(name.to_owned());
        let rows = self.query(&query, &Names::default());
        self.views.borrow_mut().pop();
        rows
    }

    fn unnest<'e>(
        &self,
        arrays: impl Iterator<Item = &'e Expr>,
        alias: Option<&Ident>,
        names: &mut Names<'_, 'c>,
    ) -> Reads {
        let reads = arrays.map(|expr| array(self.expr(expr, names)));
        let reads = reads.fold(Reads::default(), Reads::plus);
        names.relations.push(Relation { name: alias.map(lower), columns: Columns::Value });
        reads
    }

    /// `PIVOT` and `UNPIVOT` group by all columns that they do not name, so all are read.
    fn turned(
        &self,
        table: &TableFactor,
        alias: Option<&TableAlias>,
        names: &mut Names<'_, 'c>,
        around: &Names<'_, 'c>,
    ) -> Reads {
        let mut inner = Names::inside(around);
        let mut always = self.table(table, &mut inner, around);
        for relation in &inner.relations {
            always.add(relation.rows().all());
            if let Columns::Table(table) = &relation.columns {
                always.add(Reads::partitions(&table.name, Selection::All));
            }
        }
        always.set_at_most();
        let rows = Rows { open: Some(Reads::default()), always, ..Rows::default() };
        add_rows(rows, alias, None, names)
    }
}

/// Adds what a query hands out as a relation; returns what is read in any case.
fn add_rows(rows: Rows, alias: Option<&TableAlias>, name: Option<&String>, names: &mut Names<'_, '_>) -> Reads {
    let columns = alias.iter().flat_map(|alias| &alias.columns);
    let columns: Vec<String> = columns.map(|column| lower(&column.name)).collect();
    let rows = rows.renamed(&columns);
    let always = rows.always.clone();
    names
        .relations
        .push(Relation { name: alias.map(|alias| lower(&alias.name)).or(name.cloned()), columns: Columns::Rows(rows) });
    always
}

/// What going through an array reads; of an array of `STRUCT`s perhaps not every field.
fn array(mut reads: Reads) -> Reads {
    let fields: usize = reads.tables().map(|table| reads.columns_of(table).len()).sum();
    if fields > 1 {
        reads.set_at_most();
    }
    reads
}

fn lower(name: &Ident) -> String {
    name.value.to_lowercase()
}

/// The parts of a table's name; one pair of backticks may be around several.
fn parts(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(ObjectNamePart::as_ident);
    let parts = parts.flat_map(|part| part.value.split('.'));
    parts.map(str::to_owned).collect()
}

/// How a join says which rows meet; `None` for joins that are not `BigQuery`'s.
fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}
