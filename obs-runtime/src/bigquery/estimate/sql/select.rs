//! One `SELECT`: its columns, and the clauses around them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, NamedWindowExpr, ObjectName, OrderByKind, Select, SelectFlavor,
    SelectItem, SelectItemQualifiedWildcardKind, Value, ValueTableMode, Visit, Visitor, WildcardAdditionalOptions,
};

use crate::bigquery::estimate::sql::analyser::{Analyser, shown};
use crate::bigquery::estimate::sql::expr;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::query::all_of;
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::{Output, Rows};

/// BigQuery returns no more columns than this: <https://cloud.google.com/bigquery/quotas#query_jobs>. A chain of `SELECT *` from joins of one query with itself would double them
/// at every step.
const MOST_COLUMNS: usize = 10_000;

impl<'c> Analyser<'c> {
    pub(super) fn select(&self, select: &Select, order_by: Option<&OrderByKind>, around: &Names<'_, 'c>) -> Rows<'c> {
        let mut names = Names::inside(around);
        let mut rows = Rows { always: not_understood(select), ..Rows::default() };
        for table in &select.from {
            let read = self.table_with_joins(table, &mut names, around);
            rows.always.add(read);
        }
        if let Some(selection) = &select.selection {
            rows.always.add(self.expr(selection, &names));
            let is_kept = |at: &usize| names.relations.get(*at).is_some_and(|relation| !relation.nullable);
            let kept: Vec<usize> = (0..names.relations.len()).filter(is_kept).collect();
            self.restrict(&mut rows.always, selection, &kept, &names);
            if is_false(selection) {
                rows.always.set_at_most();
            }
        }
        for item in &select.projection {
            self.select_item(item, &names, &mut rows);
        }
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            for relation in &names.relations {
                self.wildcard(relation.rows(), &WildcardAdditionalOptions::default(), &names, &mut rows);
            }
        }
        if computes_over_rows(select) {
            rows.forget_uses();
        }
        if rows.outputs.len() > MOST_COLUMNS {
            rows.outputs_as_one();
        }
        if matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
            rows.take_all();
        }

        // From here on the columns of SELECT can be named too.
        names.relations.push(Relation::new(None, Columns::Rows(Rows { open: None, ..rows.clone() })));
        let mut read = self.group_by(&select.group_by, &rows.outputs, &names);
        for expr in [&select.having, &select.qualify].into_iter().flatten() {
            read.add(self.expr(expr, &names));
        }
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = &window.1 {
                let order_by = window.order_by.iter().map(|order_by| &order_by.expr);
                for expr in window.partition_by.iter().chain(order_by) {
                    read.add(self.expr(expr, &names));
                }
            }
        }
        if let Some(order_by) = order_by {
            read.add(self.order_by(order_by, &rows.outputs, &names));
        }
        rows.always.add(read);
        if select.value_table_mode.is_some_and(is_one_value) {
            rows.open = Some(all_of(&rows.outputs));
            rows.forget_uses();
        }
        rows
    }

    pub(super) fn select_item(&self, item: &SelectItem, names: &Names<'_, 'c>, rows: &mut Rows<'c>) {
        match item {
            SelectItem::UnnamedExpr(expr) => rows.outputs.push(self.output(expr, expr::name(expr), names)),
            SelectItem::ExprWithAlias { expr, alias } => {
                rows.outputs.push(self.output(expr, Some(alias.value.to_lowercase()), names));
            }
            SelectItem::ExprWithAliases { expr, .. } => {
                rows.always.add(self.expr(expr, names));
                rows.always.add(Reads::not_known(format!("several aliases for `{}`", shown(expr))));
            }
            SelectItem::Wildcard(options) => {
                for relation in &names.relations {
                    self.wildcard(relation.rows(), options, names, rows);
                }
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                let of = self.wildcard_of(kind, names);
                self.wildcard(of, options, names, rows);
            }
        }
    }

    /// An expression in the list of columns.
    pub(super) fn output(&self, expr: &Expr, name: Option<String>, names: &Names<'_, 'c>) -> Output<'c> {
        let reads = self.expr(expr, names);
        match expr::plain_path(expr).and_then(|path| names.origin(&path)) {
            Some(origin) => Output::column(name, reads, origin),
            None => Output::new(name, reads),
        }
    }

    /// What stands before `.*`: a relation, or a `STRUCT`, whose fields are not followed by name.
    fn wildcard_of(&self, kind: &SelectItemQualifiedWildcardKind, names: &Names<'_, 'c>) -> Rows<'c> {
        let reads = match kind {
            SelectItemQualifiedWildcardKind::Expr(expr) => self.expr(expr, names),
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let path = path(name);
                if let [name] = path.as_slice()
                    && let Some(relation) = names.relation(name)
                {
                    return relation.rows();
                }
                Self::column(&path, names)
            }
        };
        Rows { open: Some(reads), ..Rows::default() }
    }

    fn wildcard(&self, of: Rows<'c>, options: &WildcardAdditionalOptions, names: &Names<'_, 'c>, rows: &mut Rows<'c>) {
        let except = options.opt_except.iter().flat_map(|except| {
            let first = std::iter::once(&except.first_element);
            first.chain(&except.additional_elements)
        });
        let except: Vec<String> = except.map(|name| name.value.to_lowercase()).collect();
        let replace = options.opt_replace.iter().flat_map(|replace| &replace.items);
        let replace: Vec<(String, Reads)> =
            replace.map(|item| (item.column_name.value.to_lowercase(), self.expr(&item.expr, names))).collect();
        for mut output in of.outputs {
            let name = output.name.as_ref();
            if name.is_some_and(|name| except.contains(name)) {
                continue;
            }
            if let Some((_, reads)) = replace.iter().find(|(column, _)| Some(column) == name) {
                output = Output::new(output.name.clone(), reads.clone());
            }
            rows.outputs.push(output);
        }
        if let Some(mut open) = of.open {
            if !except.is_empty() || !replace.is_empty() {
                open.set_at_most();
            }
            for (_, reads) in replace {
                open.add(reads);
            }
            rows.open.get_or_insert_default().add(open);
        }
        rows.always.add(of.always);
        if options.opt_ilike.is_some() || options.opt_exclude.is_some() || options.opt_rename.is_some() {
            rows.always.add(Reads::not_known(format!("`*{options}` is not BigQuery's")));
        }
    }

    fn group_by(&self, group_by: &GroupByExpr, outputs: &[Output<'_>], names: &Names<'_, 'c>) -> Reads {
        let (mut read, modifiers) = match group_by {
            GroupByExpr::All(modifiers) => (all_of(outputs), modifiers),
            GroupByExpr::Expressions(exprs, modifiers) => (self.by_place(exprs.iter(), outputs, names), modifiers),
        };
        for modifier in modifiers {
            if let GroupByWithModifier::GroupingSets(expr) = modifier {
                read.add(self.expr(expr, names));
            }
        }
        read
    }
}

/// Whether there is a window function.
pub(super) fn has_window(items: &impl Visit) -> bool {
    struct Windows(bool);
    impl Visitor for Windows {
        type Break = std::convert::Infallible;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
            self.0 |= matches!(expr, Expr::Function(function) if function.over.is_some());
            ControlFlow::Continue(())
        }
    }
    let mut windows = Windows(false);
    let _ = items.visit(&mut windows);
    windows.0
}

/// Whether columns are computed over several rows, so that a filter on them cannot move before that: by windows, `ROLLUP`
/// and the like.
fn computes_over_rows(select: &Select) -> bool {
    let has_sets = match &select.group_by {
        GroupByExpr::All(modifiers) => !modifiers.is_empty(),
        GroupByExpr::Expressions(exprs, modifiers) => {
            let is_set = |expr: &Expr| matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
            !modifiers.is_empty() || exprs.iter().any(is_set)
        }
    };
    has_window(&select.projection) || has_sets || select.qualify.is_some()
}

/// Clauses that BigQuery does not have, or that are not followed.
fn not_understood(select: &Select) -> Reads {
    let clauses = [
        (select.flavor == SelectFlavor::FromFirst, "SELECT after FROM"),
        (!select.lateral_views.is_empty(), "LATERAL VIEW"),
        (!select.connect_by.is_empty(), "CONNECT BY"),
        (select.prewhere.is_some(), "PREWHERE"),
        (select.into.is_some(), "SELECT INTO"),
        (select.exclude.is_some(), "EXCLUDE"),
        (select.top.is_some(), "TOP"),
        (!select.cluster_by.is_empty(), "CLUSTER BY"),
        (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!select.sort_by.is_empty(), "SORT BY"),
    ];
    let found = clauses.into_iter().filter(|(is_there, _)| *is_there);
    found.fold(Reads::default(), |reads, (_, clause)| reads.plus(Reads::not_known(format!("what {clause} reads"))))
}

/// `SELECT AS VALUE`: the columns that come out are the fields of the value.
fn is_one_value(mode: ValueTableMode) -> bool {
    matches!(mode, ValueTableMode::AsValue | ValueTableMode::DistinctAsValue)
}

/// `WHERE FALSE`, which need not read anything.
fn is_false(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Boolean(false))
}

pub(super) fn path(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    parts.map(|part| part.value.to_lowercase()).collect()
}
