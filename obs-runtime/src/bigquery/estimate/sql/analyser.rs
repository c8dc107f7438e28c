//! Which columns of which tables a query reads.
//!
//! BigQuery bills the columns that a query needs, each once however often the query names it. A column that a subquery or a
//! query of `WITH` returns and that is not used is not read. So each column that a query returns has what must be read for
//! it ([`rows::Output`]), and what is read in any case, such as for `WHERE`, is apart from them ([`rows::Rows::always`]).
//!
//! A query is charged by the data of the columns that it selects, however few rows match:
//! <https://cloud.google.com/bigquery/pricing#on_demand_pricing>; `LIMIT` and filters on other columns than those of partitions and
//! clusters change nothing: <https://cloud.google.com/bigquery/docs/best-practices-costs>.
//!
//! The steps are: text → syntax tree → [`Rows`](rows::Rows) → [`Reads`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{Query, SelectItem, SetExpr, Statement, Visit, Visitor};

use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::error::EstimateError;
use crate::bigquery::estimate::sql::names::Names;
use crate::bigquery::estimate::sql::parse;
use crate::bigquery::estimate::sql::reads::{Reads, UseId};

/// What the query in `sql` reads, and whether it selects all columns of a table by `*`.
pub(in crate::bigquery::estimate) fn reads(
    sql: &str,
    catalogue: &Catalogue,
    settings: &Settings,
) -> Result<(Reads, bool), EstimateError> {
    let statements = match parse::statements(sql) {
        Ok(statements) => statements,
        Err(parse::Unread::Invalid(error)) => return Err(EstimateError::Parse(error)),
        Err(parse::Unread::NotAQuery(start)) => return Err(EstimateError::NotAQuery { start }),
        Err(parse::Unread::Unknown(why)) => return Ok((Reads::not_known(why), false)),
    };
    let (functions, query) = match statements.as_slice() {
        [Statement::Query(query)] => (&[][..], query),
        // Temporary functions and the query that calls them run as one query.
        [functions @ .., Statement::Query(query)] if functions.iter().all(parse::is_temporary_function) => {
            (functions, query)
        }
        [other] => return Err(EstimateError::NotAQuery { start: shown(other) }),
        several => return Err(EstimateError::Statements { count: several.len() }),
    };
    let mut analyser =
        Analyser { catalogue, settings, views: RefCell::default(), uses: Cell::new(0), functions: BTreeMap::new() };
    for function in functions {
        analyser.define(function);
    }
    let mut reads = analyser.query(query, &Names::default()).all();
    reads.settle(catalogue);
    Ok((reads, takes_all(query)))
}

/// Walks the syntax tree. Each of its methods is in the file of what it analyses.
pub(super) struct Analyser<'c> {
    pub(super) catalogue: &'c Catalogue,
    pub(super) settings: &'c Settings,
    /// The views that are being read, outermost first.
    pub(super) views: RefCell<Vec<String>>,
    /// How many uses of tables there are.
    uses: Cell<UseId>,
    /// What the temporary functions read, by their names in lower case.
    pub(super) functions: BTreeMap<String, Reads>,
}

impl Analyser<'_> {
    /// An id for a use of a table.
    pub(super) fn next_use(&self) -> UseId {
        let id = self.uses.get();
        self.uses.set(id.saturating_add(1));
        id
    }
}

/// Whether a query, or one inside, selects all columns by `*`.
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

/// The beginning of a piece of SQL, for messages.
pub(super) fn shown(sql: &impl ToString) -> String {
    let sql = sql.to_string();
    let words: Vec<&str> = sql.split_whitespace().take(4).collect();
    words.join(" ").chars().take(60).collect()
}
