//! Pipe syntax: `FROM t |> WHERE … |> AGGREGATE …`.
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax>

use sqlparser::ast::{
    AssignmentTarget, Expr, ExprWithAliasAndOrderBy, Ident, PipeOperator, Query, SelectFlavor, SelectItem, SetExpr,
    SetOperator, SetQuantifier,
};

use crate::bigquery::estimate::sql::analyser::{Analyser, shown};
use crate::bigquery::estimate::sql::expr;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::query::combined;
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::{Output, Rows};
use crate::bigquery::estimate::sql::select::{has_window, path};
use crate::bigquery::estimate::sql::tokens;

/// The table between two pipes.
struct Pipe<'s, 'c> {
    names: Names<'s, 'c>,
    /// What is read whichever columns are used.
    always: Reads,
}

impl<'c> Analyser<'c> {
    /// What a query with pipes returns and reads, where `around` are the names that it can see.
    pub(super) fn piped(&self, query: &Query, around: &Names<'_, 'c>) -> Rows<'c> {
        let mut pipe = Pipe { names: Names::inside(around), always: Reads::default() };
        match &*query.body {
            SetExpr::Select(select) if select.flavor == SelectFlavor::FromFirstNoSelect => {
                for table in &select.from {
                    pipe.always.add(self.table_with_joins(table, &mut pipe.names, around));
                }
            }
            body => {
                let rows = self.set(body, around);
                pipe.always.add(rows.always.clone());
                pipe.names.relations.push(Relation::new(None, Columns::Rows(rows)));
            }
        }
        for operator in &query.pipe_operators {
            self.pipe(&mut pipe, operator, around);
        }
        let Rows { outputs, open, .. } = pipe.rows();
        Rows { outputs, open, always: pipe.always }
    }

    fn pipe(&self, pipe: &mut Pipe<'_, 'c>, operator: &PipeOperator, around: &Names<'_, 'c>) {
        match operator {
            PipeOperator::Where { expr } => {
                pipe.always.add(self.expr(expr, &pipe.names));
                let relations = &pipe.names.relations;
                let kept = relations.iter().enumerate().filter(|(_, relation)| !relation.nullable);
                let kept: Vec<usize> = kept.map(|(at, _)| at).collect();
                self.restrict(&mut pipe.always, expr, &kept, &pipe.names);
            }
            PipeOperator::OrderBy { exprs } => {
                for order_by in exprs {
                    pipe.always.add(self.expr(&order_by.expr, &pipe.names));
                }
            }
            PipeOperator::Limit { .. } => pipe.forget_uses(),
            PipeOperator::TableSample { .. } => pipe.always.set_at_most(),
            PipeOperator::Select { exprs } => {
                let rows = self.items(exprs, pipe);
                pipe.become_rows(rows, None);
            }
            PipeOperator::Extend { exprs } => {
                let Rows { outputs, open, .. } = self.items(exprs, pipe);
                let added = Rows { outputs, open, ..Rows::default() };
                pipe.names.relations.push(Relation::new(None, Columns::Rows(added)));
            }
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                self.aggregate(pipe, group_by_expr, full_table_exprs);
            }
            PipeOperator::Join(join) => {
                let right = pipe.names.relations.len();
                let mut reads = self.table(&join.relation, &mut pipe.names, around);
                reads.add(std::mem::take(&mut pipe.always));
                self.join(join, [0, right], &mut reads, &mut pipe.names);
                pipe.always = reads;
            }
            PipeOperator::Union { set_quantifier, queries } => {
                self.combine(pipe, SetOperator::Union, *set_quantifier, queries, around);
            }
            PipeOperator::Intersect { set_quantifier, queries } => {
                self.combine(pipe, SetOperator::Intersect, *set_quantifier, queries, around);
            }
            PipeOperator::Except { set_quantifier, queries } => {
                self.combine(pipe, SetOperator::Except, *set_quantifier, queries, around);
            }
            PipeOperator::As { alias } if alias.value == tokens::DISTINCT => {
                let mut rows = pipe.rows();
                rows.take_all();
                pipe.always.add(std::mem::take(&mut rows.always));
                pipe.become_rows(rows, pipe.only_name());
            }
            PipeOperator::As { alias } => {
                let rows = pipe.rows();
                pipe.become_rows(rows, Some(lower(alias)));
            }
            PipeOperator::Set { assignments } => {
                let mut rows = pipe.rows();
                for assignment in assignments {
                    let reads = self.expr(&assignment.value, &pipe.names);
                    let AssignmentTarget::ColumnName(name) = &assignment.target else { continue };
                    let name = path(name).pop();
                    for output in rows.outputs.iter_mut().filter(|output| output.name == name) {
                        *output = Output::new(output.name.clone(), reads.clone());
                    }
                    if let Some(open) = &mut rows.open {
                        open.add(reads);
                    }
                }
                pipe.become_rows(rows, pipe.only_name());
            }
            PipeOperator::Drop { columns } => {
                let dropped: Vec<Option<String>> = columns.iter().map(|column| Some(lower(column))).collect();
                let mut rows = pipe.rows();
                rows.outputs.retain(|output| !dropped.contains(&output.name));
                pipe.become_rows(rows, pipe.only_name());
            }
            PipeOperator::Rename { mappings } => {
                let mut rows = pipe.rows();
                for mapping in mappings {
                    let old = Some(lower(&mapping.ident));
                    for output in rows.outputs.iter_mut().filter(|output| output.name == old) {
                        output.name = Some(lower(&mapping.alias));
                    }
                }
                pipe.become_rows(rows, pipe.only_name());
            }
            PipeOperator::Pivot { alias, .. } | PipeOperator::Unpivot { alias, .. } => {
                let mut read = pipe.rows().all();
                read.set_at_most();
                pipe.always.add(read);
                let rows = Rows { open: Some(Reads::default()), ..Rows::default() };
                pipe.become_rows(rows, alias.as_ref().map(lower));
            }
            PipeOperator::Call { alias, .. } => {
                pipe.always.add(Reads::not_known(format!("what `{}` reads", shown(operator))));
                let rows = Rows { open: Some(Reads::default()), ..Rows::default() };
                pipe.become_rows(rows, alias.as_ref().map(lower));
            }
        }
    }

    /// The columns of `SELECT` and `EXTEND`.
    fn items(&self, items: &[SelectItem], pipe: &mut Pipe<'_, 'c>) -> Rows<'c> {
        let mut rows = Rows::default();
        for item in items {
            self.select_item(item, &pipe.names, &mut rows);
        }
        pipe.always.add(std::mem::take(&mut rows.always));
        if has_window(&items.to_vec()) {
            rows.forget_uses();
            pipe.forget_uses();
        }
        rows
    }

    fn aggregate(
        &self,
        pipe: &mut Pipe<'_, 'c>,
        keys: &[ExprWithAliasAndOrderBy],
        aggregates: &[ExprWithAliasAndOrderBy],
    ) {
        let mut rows = Rows::default();
        for item in keys.iter().chain(aggregates) {
            let expr: &Expr = &item.expr.expr;
            let name = item.expr.alias.as_ref().map(lower).or_else(|| expr::name(expr));
            rows.outputs.push(self.output(expr, name, &pipe.names));
        }
        for key in rows.outputs.iter().take(keys.len()) {
            pipe.always.add(key.reads.clone());
        }
        pipe.become_rows(rows, None);
    }

    fn combine(
        &self,
        pipe: &mut Pipe<'_, 'c>,
        operator: SetOperator,
        quantifier: SetQuantifier,
        queries: &[Query],
        around: &Names<'_, 'c>,
    ) {
        let mut rows = pipe.rows();
        for query in queries {
            rows = combined(rows, operator, quantifier, self.query(query, around));
        }
        pipe.always.add(std::mem::take(&mut rows.always));
        pipe.become_rows(rows, None);
    }
}

impl<'c> Pipe<'_, 'c> {
    /// All columns.
    fn rows(&self) -> Rows<'c> {
        let mut all = Rows::default();
        for relation in &self.names.relations {
            let rows = relation.rows();
            all.outputs.extend(rows.outputs);
            if let Some(open) = rows.open {
                all.open.get_or_insert_default().add(open);
            }
        }
        all
    }

    fn become_rows(&mut self, rows: Rows<'c>, name: Option<String>) {
        self.names.relations = vec![Relation::new(name, Columns::Rows(rows))];
        self.names.shared.clear();
    }

    /// The name of the table, if it has one.
    fn only_name(&self) -> Option<String> {
        match self.names.relations.as_slice() {
            [only] => only.name.clone(),
            _ => None,
        }
    }

    /// Separates the rows from those of the tables: a filter that follows filters none of the tables.
    fn forget_uses(&mut self) {
        self.names.relations.iter_mut().for_each(|relation| relation.nullable = true);
    }
}

fn lower(name: &Ident) -> String {
    name.value.to_lowercase()
}
