//! Which columns of which tables a query reads.
//!
//! `BigQuery` bills the columns that a query needs, each once however often the query names it;
//! a column that a subquery or `WITH` hands out and nobody takes is not read. So what a query
//! hands out carries what must be read for it ([`rows::Output`]), and what is read in any case,
//! as by `WHERE`, goes beside it ([`rows::Rows::always`]).
//!
//! One way: text → syntax tree → [`Rows`](rows::Rows) → [`Reads`].

use std::cell::RefCell;

use std::ops::ControlFlow;

use sqlparser::ast::{Query, SelectItem, SetExpr, Statement, Visit, Visitor};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;

use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::error::EstimateError;
use crate::bigquery::estimate::sql::names::Names;
use crate::bigquery::estimate::sql::reads::Reads;

/// What the query in `sql` reads, and whether it says `*` of a table.
pub(in crate::bigquery::estimate) fn reads(sql: &str, catalogue: &Catalogue) -> Result<(Reads, bool), EstimateError> {
    let statements = Parser::parse_sql(&BigQueryDialect {}, sql).map_err(|error| EstimateError::Parse(error.into()))?;
    match statements.as_slice() {
        [Statement::Query(query)] => {
            let rows = Analyser { catalogue, views: RefCell::default() }.query(query, &Names::default());
            Ok((rows.all(), takes_all(query)))
        }
        [other] => Err(EstimateError::NotAQuery { start: shown(other) }),
        several => Err(EstimateError::Statements { count: several.len() }),
    }
}

/// Walks the syntax tree. Each of its methods stands in the file of what it analyses.
pub(super) struct Analyser<'c> {
    pub(super) catalogue: &'c Catalogue,
    /// The views that are being read, outermost first.
    pub(super) views: RefCell<Vec<String>>,
}

/// Whether a query, or one inside, takes all columns of what it selects from.
fn takes_all(query: &Query) -> bool {
    struct Stars(bool);
    impl Visitor for Stars {
        type Break = std::convert::Infallible;

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
            if let SetExpr::Select(select) = &*query.body {
                let is_star =
                    |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
                self.0 |= select.projection.iter().any(is_star);
            }
            ControlFlow::Continue(())
        }
    }
    let mut stars = Stars(false);
    let _ = query.visit(&mut stars);
    stars.0
}

/// The start of a piece of SQL, to name it by.
pub(super) fn shown(sql: &impl ToString) -> String {
    let sql = sql.to_string();
    let words: Vec<&str> = sql.split_whitespace().take(4).collect();
    words.join(" ").chars().take(60).collect()
}
