//! Which columns of which tables a query reads.
//!
//! `BigQuery` bills the columns that a query needs, each once however often the query names it;
//! a column that a subquery or `WITH` hands out and nobody takes is not read. So what a query
//! hands out carries what must be read for it ([`rows::Output`]), and what is read in any case,
//! as by `WHERE`, goes beside it ([`rows::Rows::always`]).
//!
//! One way: text → syntax tree → [`Rows`](rows::Rows) → [`Reads`].

mod expr;
mod from;
mod names;
mod query;
mod reads;
mod rows;
mod select;

pub(super) use reads::Reads;

use sqlparser::ast::Statement;
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;

use super::catalogue::Catalogue;
use super::error::EstimateError;
use names::Names;

/// What the query in `sql` reads.
pub(super) fn reads(sql: &str, catalogue: &Catalogue) -> Result<Reads, EstimateError> {
    let statements = Parser::parse_sql(&BigQueryDialect {}, sql)?;
    match statements.as_slice() {
        [Statement::Query(query)] => {
            let rows = Analyser { catalogue }.query(query, &Names::default());
            Ok(rows.all())
        }
        [other] => Err(EstimateError::NotAQuery { start: shown(other) }),
        several => Err(EstimateError::Statements { count: several.len() }),
    }
}

/// Walks the syntax tree. Each of its methods stands in the file of what it analyses.
struct Analyser<'c> {
    catalogue: &'c Catalogue,
}

/// The start of a piece of SQL, to name it by.
fn shown(sql: &impl ToString) -> String {
    let sql = sql.to_string();
    let words: Vec<&str> = sql.split_whitespace().take(4).collect();
    words.join(" ").chars().take(60).collect()
}
