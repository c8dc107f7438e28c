//! Calls of functions: built in, temporary, and stored ones, which are not known.

use sqlparser::ast::{CreateFunction, CreateFunctionBody, Expr, Function, ObjectNamePart, Statement};

use crate::bigquery::estimate::sql::analyser::Analyser;
use crate::bigquery::estimate::sql::names::{Columns, Names, Relation};
use crate::bigquery::estimate::sql::reads::Reads;

/// The namespaces of built-in functions, in lower case:
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all>. The functions of `ML` and `AI` are not
/// here: they read models, or call services with a price of their own.
const NAMESPACES: [&str; 6] = ["aead", "hll_count", "keys", "kll_quantiles", "net", "safe"];

impl<'c> Analyser<'c> {
    /// Takes up a temporary function.
    pub(super) fn define(&mut self, statement: &Statement) {
        let Statement::CreateFunction(CreateFunction { name, args, function_body, .. }) = statement else { return };
        let mut names = Names::default();
        for arg in args.iter().flatten() {
            let name = arg.name.as_ref().map(|name| name.value.to_lowercase());
            names.relations.push(Relation::new(name, Columns::Value));
        }
        let reads = match function_body {
            Some(CreateFunctionBody::AsBeforeOptions { body, .. } | CreateFunctionBody::AsAfterOptions(body)) => {
                self.body(body, &names)
            }
            _ => Reads::not_known(format!("what the function `{name}` reads")),
        };
        self.functions.insert(name.to_string().to_lowercase(), reads);
    }

    /// What the body of a function reads. That of a function in JavaScript is text.
    fn body(&self, body: &Expr, names: &Names<'_, 'c>) -> Reads {
        if matches!(body, Expr::Value(_)) { Reads::default() } else { self.expr(body, names) }
    }

    /// What a function reads beyond its arguments. A stored function may read tables, and one that calls a service has a price of
    /// its own: <https://cloud.google.com/bigquery/docs/user-defined-functions>,
    /// <https://cloud.google.com/bigquery/docs/remote-functions>.
    pub(super) fn routine(&self, function: &Function) -> Reads {
        let parts = function.name.0.iter().filter_map(ObjectNamePart::as_ident);
        let parts: Vec<String> = parts.flat_map(|part| part.value.split('.')).map(str::to_lowercase).collect();
        let name = parts.join(".");
        if let Some(reads) = self.functions.get(&name) {
            return reads.clone();
        }
        let own = match parts.split_first() {
            Some((safe, rest)) if safe == "safe" => rest,
            _ => parts.as_slice(),
        };
        match own {
            [namespace, _] if NAMESPACES.contains(&namespace.as_str()) => Reads::default(),
            [_, _, ..] => {
                Reads::not_known(format!("what the function `{name}` reads: it is stored, or calls a service"))
            }
            _ => Reads::default(),
        }
    }
}
