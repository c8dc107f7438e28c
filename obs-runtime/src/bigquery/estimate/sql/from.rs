//! `FROM`: tables, joins, subqueries, arrays.

use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Statement, TableAlias, TableFactor,
    TableWithJoins,
};

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::sql::analyser::{Analyser, shown};
use crate::bigquery::estimate::sql::expr::plain_path;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::parse;
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::{Origin, Rows};
use crate::bigquery::estimate::sql::select::path;

impl<'c> Analyser<'c> {
    /// Adds the relations to `names`. Returns what is read whichever of their columns are used.
    pub(super) fn table_with_joins(
        &self,
        table: &TableWithJoins,
        names: &mut Names<'_, 'c>,
        around: &Names<'_, 'c>,
    ) -> Reads {
        let start = names.relations.len();
        let mut reads = self.table(&table.relation, names, around);
        for join in &table.joins {
            let right = names.relations.len();
            reads.add(self.table(&join.relation, names, around));
            self.join(join, [start, right], &mut reads, names);
        }
        reads
    }

    /// How the relations from the first place on are joined with those from the second place on.
    pub(super) fn join(&self, join: &Join, [start, right]: [usize; 2], reads: &mut Reads, names: &mut Names<'_, 'c>) {
        match constraint(&join.join_operator) {
            Some(JoinConstraint::None) => {}
            Some(JoinConstraint::On(expr)) => {
                reads.add(self.expr(expr, names));
                // Rows of a side that an outer join preserves are read whether or not they meet the condition.
                let is_filtered = |at: &usize| {
                    let is_right = *at >= right;
                    let is_preserved = match outer(&join.join_operator) {
                        Some(side) => side.preserves(is_right),
                        None => false,
                    };
                    !is_preserved && names.relations.get(*at).is_some_and(|relation| !relation.nullable)
                };
                let filtered: Vec<usize> = (start..names.relations.len()).filter(is_filtered).collect();
                self.restrict(reads, expr, &filtered, names);
            }
            Some(JoinConstraint::Using(columns)) => {
                for column in columns {
                    let path = path(column);
                    names.shared.extend(path.iter().cloned());
                    reads.add(Self::column(&path, names));
                }
            }
            Some(JoinConstraint::Natural) | None => {
                reads.add(Reads::not_known(format!("what `{}` reads", shown(join))));
            }
        }
        if let Some(side) = outer(&join.join_operator) {
            for (at, relation) in names.relations.iter_mut().enumerate().skip(start) {
                relation.nullable |= !side.preserves(at >= right) || side == Outer::Full;
            }
        }
    }

    pub(super) fn table(&self, table: &TableFactor, names: &mut Names<'_, 'c>, around: &Names<'_, 'c>) -> Reads {
        match table {
            TableFactor::Table { name, alias, args: None, version, sample, .. } => {
                let mut reads = self.named(name, alias.as_ref(), names);
                if version.is_some() {
                    // Time travel: <https://cloud.google.com/bigquery/docs/time-travel>
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
                let reads = self.unnest(array_exprs, alias, names);
                if *with_offset {
                    let name = with_offset_alias.as_ref();
                    let name = name.map_or_else(|| "offset".to_owned(), lower);
                    names.relations.push(Relation::new(Some(name), Columns::Value));
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
            let rows = rows.clone().fresh(|| self.next_use());
            return add_rows(rows, alias, Some(name), names);
        }
        let called = alias.map(|alias| lower(&alias.name)).or(path.last().cloned());
        if let [first, _, ..] = path.as_slice()
            && names.relation(first).is_some()
        {
            return Self::elements(&path, Self::column(&path, names), called, names);
        }
        let full = self.full_name(&parts);
        let table = self.catalogue.table(&full);
        if let Some(Table { view: Some(sql), .. }) = table {
            let rows = self.view(&full, sql);
            return add_rows(rows, alias, path.last(), names);
        }
        let id = self.next_use();
        let mut reads = Reads::table(&full, id);
        if let Some(Table { materialized_view: Some(sql), .. }) = table {
            // "Queries … read … delta changes from the base tables" on top of what the view has stored:
            // <https://cloud.google.com/bigquery/docs/materialized-views-intro>
            reads.add(self.view(&full, sql).all());
            reads.set_at_most();
        }
        names.relations.push(Relation::new(
            called,
            match table {
                Some(table) => Columns::Table(table, id),
                None => Columns::Missing(full),
            },
        ));
        reads
    }

    /// The full name of a table, for which the project may be given by the settings or the view around it.
    fn full_name(&self, parts: &[String]) -> String {
        let view = self.views.borrow().last().and_then(|view| view.split('.').next()).map(str::to_owned);
        match (parts, view.or_else(|| self.settings.project.clone())) {
            ([dataset, table], Some(project)) => format!("{project}.{dataset}.{table}"),
            _ => parts.join("."),
        }
    }

    /// What a view returns and reads: its query runs, and what that reads of the tables below is billed.
    /// <https://cloud.google.com/bigquery/docs/views-intro>
    fn view(&self, name: &str, sql: &str) -> Rows<'c> {
        let not_known =
            |why: String| Rows { open: Some(Reads::default()), always: Reads::not_known(why), ..Rows::default() };
        if self.views.borrow().iter().any(|open| open == name) {
            return not_known(format!("the view `{name}` names itself"));
        }
        let query = match parse::statements(sql).as_deref() {
            Ok([Statement::Query(query)]) => query.clone(),
            _ => return not_known(format!("what the view `{name}` reads: its query is not understood")),
        };
        self.views.borrow_mut().push(name.to_owned());
        let rows = self.query(&query, &Names::default());
        self.views.borrow_mut().pop();
        rows
    }

    fn unnest(&self, arrays: &[Expr], alias: Option<&Ident>, names: &mut Names<'_, 'c>) -> Reads {
        let alias = alias.map(lower);
        if let [array] = arrays
            && let Some(path) = plain_path(array)
        {
            return Self::elements(&path, self.expr(array, names), alias, names);
        }
        let reads = arrays.iter().map(|expr| array(self.expr(expr, names)));
        let reads = reads.fold(Reads::default(), Reads::plus);
        names.relations.push(Relation::new(alias, Columns::Value));
        reads
    }

    /// Goes through the array at a path. Of an array of `STRUCT`s, each field is a column that is read if it is used.
    fn elements(path: &[String], whole: Reads, alias: Option<String>, names: &mut Names<'_, 'c>) -> Reads {
        let (reads, columns) = match names.origin(path) {
            Some(Origin { table, path, .. }) => {
                let of_structs = table.column_at(&path).filter(|(_, column)| !column.fields.is_empty());
                let reads = of_structs.map_or(whole, |(found, _)| Reads::array(&table.name, found));
                (reads, Columns::Elements(table, path))
            }
            None => (array(whole), Columns::Value),
        };
        names.relations.push(Relation::new(alias, columns));
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
        }
        always.set_at_most();
        let rows = Rows { open: Some(Reads::default()), always, ..Rows::default() };
        add_rows(rows, alias, None, names)
    }
}

/// Adds what a query returns as a relation. Returns what is read in any case.
pub(super) fn add_rows<'c>(
    rows: Rows<'c>,
    alias: Option<&TableAlias>,
    name: Option<&String>,
    names: &mut Names<'_, 'c>,
) -> Reads {
    let columns = alias.iter().flat_map(|alias| &alias.columns);
    let columns: Vec<String> = columns.map(|column| lower(&column.name)).collect();
    let rows = rows.renamed(&columns);
    let always = rows.always.clone();
    let name = alias.map(|alias| lower(&alias.name)).or(name.cloned());
    names.relations.push(Relation::new(name, Columns::Rows(rows)));
    always
}

/// The rows of an outer join that are kept without a match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outer {
    Left,
    Right,
    Full,
}

impl Outer {
    /// Whether the rows of a side are kept.
    fn preserves(self, right: bool) -> bool {
        match self {
            Self::Left => !right,
            Self::Right => right,
            Self::Full => true,
        }
    }
}

fn outer(operator: &JoinOperator) -> Option<Outer> {
    match operator {
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => Some(Outer::Left),
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Some(Outer::Right),
        JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => None,
        _ => Some(Outer::Full),
    }
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

/// The parts of a table's name. One pair of backticks may enclose several.
fn parts(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(ObjectNamePart::as_ident);
    let parts = parts.flat_map(|part| part.value.split('.'));
    parts.map(str::to_owned).collect()
}

/// The condition of a join; `None` for joins that BigQuery does not have.
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
