//! Checks of each row by itself.

use std::ops::Bound;

use crate::checks::tables::expr::Expr;
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::TableValue;
use crate::checks::tables::table::Table;

/// A range of values.
pub type Range = (Bound<TableValue>, Bound<TableValue>);

/// How two columns of a row compare: the left one is `AtLeast` the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    const fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Different => "<>",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// What each row is tested for. Rows with `NULL` in one of the columns are ignored.
#[derive(Clone, Debug)]
pub enum RowTest {
    In {
        column: Expr,
        values: Vec<TableValue>,
        negated: bool,
    },
    Within {
        column: Expr,
        range: Range,
    },
    Matches {
        column: Expr,
        pattern: String,
        negated: bool,
    },
    Length {
        column: Expr,
        range: Range,
    },
    Pair {
        columns: [Expr; 2],
        comparison: Comparison,
    },
    Pairs {
        columns: [Expr; 2],
        accepted: Vec<[TableValue; 2]>,
    },
    /// The sum of all columns but the first is the first.
    Sum {
        columns: Vec<Expr>,
    },
    Where(Sql),
}

impl RowTest {
    /// The columns that are read.
    pub fn columns(&self) -> Vec<&Expr> {
        match self {
            Self::In { column, .. }
            | Self::Within { column, .. }
            | Self::Matches { column, .. }
            | Self::Length { column, .. } => vec![column],
            Self::Pair { columns, .. } | Self::Pairs { columns, .. } => columns.iter().collect(),
            Self::Sum { columns } => columns.iter().collect(),
            Self::Where(_) => Vec::new(),
        }
    }

    /// The values that the database compares the column with.
    pub fn bounds(&self) -> Vec<&TableValue> {
        match self {
            Self::In { values, .. } => values.iter().collect(),
            Self::Within { range: (start, end), .. } => [start, end].into_iter().filter_map(value_of).collect(),
            _ => Vec::new(),
        }
    }

    /// The condition of a row that passes.
    pub fn fits<T: Table>(&self, table: &T, as_number: bool) -> Sql {
        let read = |column: &Expr| {
            let sql = column.sql(table);
            if as_number { table.as_number(&sql) } else { sql }
        };
        match self {
            Self::In { values, negated, .. } if values.is_empty() => if *negated { "TRUE" } else { "FALSE" }.into(),
            Self::In { column, values, negated } => {
                let (not, marks) = (if *negated { "NOT " } else { "" }, vec!["?"; values.len()].join(", "));
                Sql::new(format!("{} {not}IN ({marks})", read(column)), values.clone())
            }
            Self::Within { column, range } => within(&read(column), range),
            Self::Matches { column, pattern, negated } => {
                let matches = table.matches(&table.as_text(&column.sql(table)));
                let text = if *negated { format!("NOT {matches}") } else { matches };
                Sql::new(text, vec![pattern.as_str().into()])
            }
            Self::Length { column, range } => within(&table.length(&table.as_text(&column.sql(table))), range),
            Self::Pair { columns: [left, right], comparison } => {
                format!("{} {} {}", read(left), comparison.operator(), read(right)).into()
            }
            Self::Pairs { accepted, .. } if accepted.is_empty() => "FALSE".into(),
            Self::Pairs { columns: [left, right], accepted } => {
                let pair = format!("({} = ? AND {} = ?)", read(left), read(right));
                let values = accepted.iter().flatten().cloned().collect();
                Sql::new(vec![pair; accepted.len()].join(" OR "), values)
            }
            Self::Sum { columns } => {
                let mut columns = columns.iter().map(read);
                let total = columns.next().unwrap_or_else(|| "0".to_owned());
                let sum = columns.collect::<Vec<_>>().join(" + ");
                let sum = if sum.is_empty() { "0".to_owned() } else { sum };
                // Sums of fractions differ in their last digits.
                format!("ABS({sum} - {total}) <= 0.000000001 * (1 + ABS({total}))").into()
            }
            Self::Where(condition) => Sql::of("({})", [condition]),
        }
    }
}

/// The value of a bound.
const fn value_of(bound: &Bound<TableValue>) -> Option<&TableValue> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

/// The condition of a value in the range. A value that cannot be compared, such as NaN, is not.
fn within(sql: &str, (start, end): &Range) -> Sql {
    let mut parts = Vec::new();
    for (bound, inclusive, exclusive) in [(start, ">=", ">"), (end, "<=", "<")] {
        let operator = if matches!(bound, Bound::Included(_)) { inclusive } else { exclusive };
        if let Some(value) = value_of(bound) {
            parts.push(Sql::new(format!("{sql} {operator} ?"), vec![value.clone()]));
        }
    }
    if parts.is_empty() { "TRUE".into() } else { Sql::join(&parts, " AND ") }
}
