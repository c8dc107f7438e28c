//! Expressions: the columns they name and the queries inside them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Visit, Visitor,
};

use crate::bigquery::estimate::sql::analyser::Analyser;
use crate::bigquery::estimate::sql::names::Names;
use crate::bigquery::estimate::sql::reads::Reads;

impl<'c> Analyser<'c> {
    /// What an expression reads.
    pub(super) fn expr(&self, expr: &Expr, names: &Names<'_, 'c>) -> Reads {
        let mut finder =
            Finder { analyser: self, names, reads: Reads::default(), inside_queries: 0, passed_over: BTreeSet::new() };
        let _ = expr.visit(&mut finder);
        finder.reads
    }

    /// What reading the column at `path` reads; a column that is nowhere is said to be unknown.
    pub(super) fn column(path: &[String], names: &Names<'_, 'c>) -> Reads {
        names.column(path).unwrap_or_else(|| {
            let path = path.join(".");
            let tables = names.tables();
            if tables.is_empty() {
                return Reads::not_known(format!("`{path}` is no column of anything here"));
            }
            let why = format!("`{path}` is no column of any table here");
            let doubts = tables.into_iter().map(|table| Reads::doubt(table, why.clone()));
            doubts.fold(Reads::default(), Reads::plus)
        })
    }
}

/// The name under which an expression without an alias is handed out.
pub(super) fn name(expr: &Expr) -> Option<String> {
    column_path(expr).and_then(|path| path.last().cloned())
}

/// The names of a column, or of a field of one; what stands behind an array's index is left out.
fn column_path(expr: &Expr) -> Option<Vec<String>> {
    let lower = |ident: &Ident| ident.value.to_lowercase();
    match expr {
        Expr::Identifier(ident) => Some(vec![lower(ident)]),
        Expr::CompoundIdentifier(idents) => Some(idents.iter().map(lower).collect()),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut path = column_path(root)?;
            for access in access_chain {
                match access {
                    AccessExpr::Dot(Expr::Identifier(ident)) => path.push(lower(ident)),
                    AccessExpr::Dot(_) | AccessExpr::Subscript(_) => {}
                }
            }
            Some(path)
        }
        _ => None,
    }
}

struct Finder<'f, 's, 'c> {
    analyser: &'f Analyser<'c>,
    names: &'f Names<'s, 'c>,
    reads: Reads,
    /// How deep in queries inside the expression: they are analysed as a whole when met.
    inside_queries: usize,
    /// Parts of the tree that need no look of their own, by where they are.
    passed_over: BTreeSet<*const ()>,
}

impl Finder<'_, '_, '_> {
    fn pass_over<T>(&mut self, part: &T) {
        self.passed_over.insert(std::ptr::from_ref(part).cast());
    }

    fn is_passed_over<T>(&self, part: &T) -> bool {
        self.passed_over.contains(&std::ptr::from_ref(part).cast())
    }

    fn pass_over_arguments(&mut self, function: &Function) {
        if let FunctionArguments::List(list) = &function.args {
            for arg in &list.args {
                if let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg {
                    self.pass_over(arg);
                }
            }
        }
    }

    fn function(&mut self, function: &Function) {
        let FunctionArguments::List(list) = &function.args else {
            return;
        };
        let name = function.name.to_string().to_lowercase();
        for (place, arg) in list.args.iter().enumerate() {
            let (FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. }) = arg;
            match arg {
                FunctionArgExpr::Expr(part) if is_date_part(&name, place) => {
                    self.pass_over(part);
                    // The MONDAY of WEEK(MONDAY).
                    if let Expr::Function(part) = part {
                        self.pass_over_arguments(part);
                    }
                }
                FunctionArgExpr::QualifiedWildcard(of) => {
                    self.reads.add(Reads::not_known(format!("`{of}.*` in `{name}`")));
                }
                FunctionArgExpr::Expr(_) | FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {}
            }
        }
    }
}

/// Whether the argument at this place, counted from 0, is a part of a date, as `MONTH`.
fn is_date_part(function: &str, place: usize) -> bool {
    match function {
        "date_trunc" | "datetime_trunc" | "timestamp_trunc" | "time_trunc" | "last_day" => place == 1,
        "date_diff" | "datetime_diff" | "timestamp_diff" | "time_diff" => place == 2,
        _ => false,
    }
}

impl Visitor for Finder<'_, '_, '_> {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if self.inside_queries == 0 {
            let rows = self.analyser.query(query, self.names);
            // Whether there is a row does not depend on the columns handed out.
            self.reads.add(if self.is_passed_over(query) { rows.always } else { rows.all() });
        }
        self.inside_queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Self::Break> {
        self.inside_queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        if self.inside_queries > 0 || self.is_passed_over(expr) {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Exists { subquery, .. } => self.pass_over(&**subquery),
            Expr::CompoundFieldAccess { root, access_chain } => {
                if let Some(path) = column_path(expr) {
                    self.reads.add(Analyser::column(&path, self.names));
                    self.pass_over(&**root);
                }
                for access in access_chain {
                    if let AccessExpr::Dot(field @ Expr::Identifier(_)) = access {
                        self.pass_over(field);
                    }
                }
            }
            // A parameter or a variable of the system.
            Expr::Identifier(ident) if ident.value.starts_with('@') => {}
            Expr::CompoundIdentifier(idents) if idents.first().is_some_and(|i| i.value.starts_with('@')) => {}
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                if let Some(path) = column_path(expr) {
                    self.reads.add(Analyser::column(&path, self.names));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
