//! Expressions: the columns they name and the queries inside them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Visit,
    Visitor,
};

use crate::bigquery::estimate::sql::analyser::Analyser;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;

impl<'c> Analyser<'c> {
    /// What an expression reads.
    pub(super) fn expr(&self, expr: &Expr, names: &Names<'_, 'c>) -> Reads {
        let mut finder =
            Finder { analyser: self, names, reads: Reads::default(), inside_queries: 0, passed_over: BTreeSet::new() };
        let _ = expr.visit(&mut finder);
        finder.reads
    }

    /// What reading the column at `path` reads. A column that does not exist is unknown.
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

/// The name of the column that an expression without an alias is.
pub(super) fn name(expr: &Expr) -> Option<String> {
    column_path(expr).and_then(|path| path.last().cloned())
}

/// The names of a column, or of a field of one; an index into an array is left out.
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

/// The names of a column, or of a field of one, without an index into an array.
pub(super) fn plain_path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Nested(inner) => plain_path(inner),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => column_path(expr),
        _ => None,
    }
}

struct Finder<'f, 's, 'c> {
    analyser: &'f Analyser<'c>,
    names: &'f Names<'s, 'c>,
    reads: Reads,
    /// The depth in queries inside the expression, which are analysed as a whole.
    inside_queries: usize,
    /// Parts of the tree that are not looked at, by their address.
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

    /// `e -> e + 1`: the names before the arrow are elements of an array that is read already.
    fn lambda(&mut self, parameters: &Expr, body: &Expr) {
        let parameters = match parameters {
            Expr::Tuple(parameters) => parameters.iter().collect(),
            Expr::Nested(parameter) => vec![&**parameter],
            parameter => vec![parameter],
        };
        let mut names = Names::inside(self.names);
        for parameter in parameters {
            names.relations.push(Relation::new(name(parameter), Columns::Value));
        }
        self.reads.add(self.analyser.expr(body, &names));
    }

    fn function(&mut self, function: &Function) {
        self.reads.add(self.analyser.routine(function));
        let FunctionArguments::List(list) = &function.args else {
            return;
        };
        let name = function.name.to_string().to_lowercase();
        // The length of an array may be known without its values.
        if name == "array_length" {
            self.reads.set_at_most();
        }
        for (place, arg) in list.args.iter().enumerate() {
            let (FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. }) = arg;
            match arg {
                FunctionArgExpr::Expr(part) if is_word(&name, place) => {
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

/// Whether the argument at this place, counted from 0, is a word such as `MONTH`.
fn is_word(function: &str, place: usize) -> bool {
    match function {
        "date_trunc"
        | "datetime_trunc"
        | "last_day"
        | "normalize"
        | "normalize_and_casefold"
        | "time_trunc"
        | "timestamp_trunc" => place == 1,
        "date_diff" | "datetime_diff" | "timestamp_diff" | "time_diff" => place == 2,
        _ => false,
    }
}

impl Visitor for Finder<'_, '_, '_> {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if self.inside_queries == 0 {
            let rows = self.analyser.query(query, self.names);
            // Whether there is a row does not depend on its columns.
            self.reads.add(if self.is_passed_over(query) { rows.always } else { rows.all() });
        }
        self.inside_queries = self.inside_queries.saturating_add(1);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Self::Break> {
        self.inside_queries = self.inside_queries.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        if matches!(expr, Expr::BinaryOp { op: BinaryOperator::Arrow, .. }) {
            self.inside_queries = self.inside_queries.saturating_sub(1);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        let is_lambda = matches!(expr, Expr::BinaryOp { op: BinaryOperator::Arrow, .. });
        if self.inside_queries > 0 && is_lambda {
            self.inside_queries = self.inside_queries.saturating_add(1);
        }
        if self.inside_queries > 0 || self.is_passed_over(expr) {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::BinaryOp { left, op: BinaryOperator::Arrow, right } => {
                self.lambda(left, right);
                self.inside_queries = self.inside_queries.saturating_add(1);
            }
            Expr::Exists { subquery, .. } => self.pass_over(&**subquery),
            Expr::CompoundFieldAccess { root, access_chain } => {
                if let Some(path) = column_path(expr) {
                    self.reads.add(Analyser::column(&path, self.names));
                    self.pass_over(&**root);
                } else {
                    // A field of an expression: the others may stay unread.
                    self.reads.set_at_most();
                }
                for access in access_chain {
                    match access {
                        AccessExpr::Dot(field @ Expr::Identifier(_)) => self.pass_over(field),
                        // `AI.GENERATE(…).result`
                        AccessExpr::Dot(Expr::Function(function)) => {
                            let name = format!("{root}.{}", function.name).to_lowercase();
                            self.reads.add(Reads::not_known(format!("what the function `{name}` reads")));
                        }
                        _ => {}
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
