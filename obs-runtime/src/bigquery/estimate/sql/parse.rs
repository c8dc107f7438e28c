//! Reads SQL text into statements.

use sqlparser::ast::{CreateFunction, Statement};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::bigquery::estimate::sql::tokens::Tokens;

/// Text that could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is not valid SQL.
    Invalid(Box<dyn std::error::Error + Send + Sync>),
    /// It is a statement other than a query, which begins so.
    NotAQuery(String),
    /// It may be a valid query: why it could not be read.
    Unknown(String),
}

/// The words that a query begins with.
const QUERIES: [&str; 4] = ["FROM", "GRAPH", "SELECT", "WITH"];

/// The words that other statements begin with:
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax>,
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language>,
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language>
const STATEMENTS: [&str; 29] = [
    "ALTER", "ANALYZE", "ASSERT", "BEGIN", "CALL", "CLONE", "COMMIT", "CREATE", "DECLARE", "DELETE", "DROP", "EXECUTE",
    "EXPORT", "FOR", "GRANT", "IF", "INSERT", "LOAD", "LOOP", "MERGE", "RAISE", "REPEAT", "REVOKE", "ROLLBACK", "SET",
    "TRUNCATE", "UNDROP", "UPDATE", "WHILE",
];

/// The statements in a text.
pub(super) fn statements(sql: &str) -> Result<Vec<Statement>, Unread> {
    let dialect = BigQueryDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location();
    let mut tokens = Tokens::new(tokens.map_err(|error| Unread::Invalid(error.into()))?);
    let kind = Kind::of(&tokens);
    tokens.rewrite();
    let parsed = Parser::new(&dialect).with_tokens_with_locations(tokens.into_inner()).parse_statements();
    parsed.map_err(|error| match kind {
        Kind::Query => Unread::Unknown(format!("the query is not understood: {error}")),
        Kind::Statement(start) => Unread::NotAQuery(start),
        Kind::Other => Unread::Invalid(error.into()),
    })
}

/// Whether a statement creates a function for the statements after it alone.
pub(super) fn is_temporary_function(statement: &Statement) -> bool {
    matches!(statement, Statement::CreateFunction(CreateFunction { temporary: true, .. }))
}

/// What a text is, as far as its words tell.
enum Kind {
    Query,
    /// Another statement, with its first words.
    Statement(String),
    Other,
}

impl Kind {
    fn of(tokens: &Tokens) -> Self {
        if !tokens.is_balanced() {
            return Self::Other;
        }
        let mut words = tokens.significant().skip_while(|token| **token == Token::LParen);
        let Some(Token::Word(first)) = words.next() else { return Self::Other };
        let first = first.value.to_uppercase();
        let second = words.next().map(|token| token.to_string().to_uppercase()).unwrap_or_default();
        let is_temporary = matches!(second.as_str(), "TEMP" | "TEMPORARY");
        match first.as_str() {
            "CREATE" if is_temporary && tokens.has_query_at_end() => Self::Query,
            first if QUERIES.contains(&first) => Self::Query,
            first if STATEMENTS.contains(&first) => Self::Statement(format!("{first} {second}")),
            _ => Self::Other,
        }
    }
}
