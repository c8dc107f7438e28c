//! Whole queries: `WITH`, set operations, `ORDER BY`, `LIMIT`.

use sqlparser::ast::{Cte, Expr, LimitClause, OrderByKind, Query, SetExpr, SetOperator, SetQuantifier, Value, With};

use crate::bigquery::estimate::sql::analyser::{Analyser, shown};
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::{Output, Rows};

impl<'c> Analyser<'c> {
    /// What a query returns and reads, where `around` are the names that it can see.
    pub(super) fn query(&self, query: &Query, around: &Names<'_, 'c>) -> Rows<'c> {
        let mut names = Names::inside(around);
        if let Some(with) = &query.with {
            self.with(with, &mut names);
        }
        if !query.pipe_operators.is_empty() {
            return self.piped(query, &names);
        }
        let order_by = query.order_by.as_ref().map(|order_by| &order_by.kind);
        let mut rows = match &*query.body {
            SetExpr::Select(select) => self.select(select, order_by, &names),
            body => {
                let mut rows = self.set(body, &names);
                if let Some(order_by) = order_by {
                    let mut outputs = Names::inside(&names);
                    outputs.relations.push(Relation::new(None, Columns::Rows(rows.clone())));
                    let read = self.order_by(order_by, &rows.outputs, &outputs);
                    rows.always.add(read);
                }
                rows
            }
        };
        let is_limited = query.limit_clause.is_some();
        if order_by.is_some() && !is_limited && around.is_inside() {
            // The order is lost, so that the rows may never be sorted.
            rows.always.set_at_most();
        }
        if is_limited {
            rows.forget_uses();
        }
        if is_limited_to_nothing(query.limit_clause.as_ref()) {
            rows.always.set_at_most();
        }
        rows
    }

    fn with(&self, with: &With, names: &mut Names<'_, 'c>) {
        if with.recursive {
            for cte in &with.cte_tables {
                let name = cte.alias.name.value.to_lowercase();
                // <https://cloud.google.com/bigquery/docs/recursive-ctes>
                let why = format!("how often the recursive `{name}` reads its tables");
                let rows = Rows { open: Some(Reads::default()), always: Reads::not_known(why), ..Rows::default() };
                names.queries.push((name, rows));
            }
        }
        for cte in &with.cte_tables {
            let rows = self.cte(cte, names);
            names.queries.push((cte.alias.name.value.to_lowercase(), rows));
        }
    }

    fn cte(&self, cte: &Cte, names: &Names<'_, 'c>) -> Rows<'c> {
        let columns = cte.alias.columns.iter().map(|c| c.name.value.to_lowercase());
        let columns: Vec<String> = columns.collect();
        self.query(&cte.query, names).renamed(&columns)
    }

    pub(super) fn set(&self, body: &SetExpr, names: &Names<'_, 'c>) -> Rows<'c> {
        match body {
            SetExpr::Select(select) => self.select(select, None, names),
            SetExpr::Query(query) => self.query(query, names),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                combined(self.set(left, names), *op, *set_quantifier, self.set(right, names))
            }
            SetExpr::Values(values) => {
                let mut rows = Rows::default();
                for expr in values.rows.iter().flat_map(|row| &row.content) {
                    rows.always.add(self.expr(expr, names));
                }
                rows.open = Some(Reads::default());
                rows
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) | SetExpr::Table(_) => {
                Rows { always: Reads::not_known(format!("`{}` in a query", shown(body))), ..Rows::default() }
            }
        }
    }

    pub(super) fn order_by(&self, order_by: &OrderByKind, outputs: &[Output<'_>], names: &Names<'_, 'c>) -> Reads {
        match order_by {
            OrderByKind::Expressions(exprs) => {
                let exprs = exprs.iter().map(|order_by| &order_by.expr);
                self.by_place(exprs, outputs, names)
            }
            OrderByKind::All(_) => all_of(outputs),
        }
    }

    /// Expressions in which an integer is the place of a column.
    pub(super) fn by_place<'e>(
        &self,
        exprs: impl Iterator<Item = &'e Expr>,
        outputs: &[Output<'_>],
        names: &Names<'_, 'c>,
    ) -> Reads {
        exprs
            .map(|expr| match (place(expr), expr) {
                (Some(place), _) => match place.checked_sub(1).and_then(|i| outputs.get(i)) {
                    Some(output) => output.reads.clone(),
                    None => all_of(outputs),
                },
                // `ORDER BY ALL`; the word is reserved.
                (None, Expr::Identifier(ident))
                    if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("all") =>
                {
                    all_of(outputs)
                }
                // The places may be inside.
                (None, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)) => {
                    self.expr(expr, names).plus(all_of(outputs))
                }
                (None, _) => self.expr(expr, names),
            })
            .fold(Reads::default(), Reads::plus)
    }
}

/// The rows of two queries under a set operation.
pub(super) fn combined<'c>(
    mut left: Rows<'c>,
    operator: SetOperator,
    quantifier: SetQuantifier,
    mut right: Rows<'c>,
) -> Rows<'c> {
    if operator != SetOperator::Union || quantifier != SetQuantifier::All {
        // Whole rows are compared, or columns are matched by name.
        for rows in [&mut left, &mut right] {
            rows.take_all();
            rows.forget_uses();
        }
    }
    left.under(right)
}

pub(super) fn all_of(outputs: &[Output<'_>]) -> Reads {
    let reads = outputs.iter().map(|output| output.reads.clone());
    reads.fold(Reads::default(), Reads::plus)
}

fn place(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// `LIMIT 0`, which need not read anything. The documentation does not say that it is free, so what it reads counts as an upper bound:
/// <https://cloud.google.com/bigquery/docs/best-practices-costs>.
fn is_limited_to_nothing(limit: Option<&LimitClause>) -> bool {
    let limit = match limit {
        Some(LimitClause::LimitOffset { limit, .. }) => limit.as_ref(),
        Some(LimitClause::OffsetCommaLimit { limit, .. }) => Some(limit),
        None => None,
    };
    limit.and_then(place) == Some(0)
}
