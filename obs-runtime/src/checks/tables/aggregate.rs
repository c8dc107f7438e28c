//! Aggregates of a column.

use crate::checks::tables::expr::Expr;
use crate::checks::tables::table::Table;

/// An aggregate of a column, for [`aggregate`](crate::tables::aggregate) and [`distribution`](crate::tables::distribution).
/// `NULL` is ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    pub(super) function: Function,
    pub(super) column: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Average,
    Sum,
    Minimum,
    Maximum,
    Deviation,
    /// The smallest value that at least this share of the values does not exceed.
    Quantile(f64),
    /// The expression is an aggregate.
    Own,
}

macro_rules! aggregates {
    ($($(#[$doc:meta])* $name:ident => $function:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(column: impl Into<Expr>) -> Aggregate {
            Aggregate { function: Function::$function, column: column.into() }
        }
    )*};
}
aggregates! {
    /// The mean of a column.
    avg => Average;
    /// The sum of a column.
    sum => Sum;
    /// The smallest value of a column of numbers.
    min => Minimum;
    /// The largest value of a column of numbers.
    max => Maximum;
    /// The standard deviation of a column, of a sample (divided by n − 1). There is none of a single value.
    stddev => Deviation;
    /// An aggregate as SQL: `aggregate_of(expr("SUM(paid) / SUM(total)"))`. It becomes part of the statement as it is.
    aggregate_of => Own;
}

/// The median of a column: the smallest value that at least half of the values do not exceed.
pub fn median(column: impl Into<Expr>) -> Aggregate {
    quantile(column, 0.5)
}

/// A quantile of a column: the smallest value that at least this share of the values, from 0 to 1, does not exceed, as
/// `PERCENTILE_DISC` of SQL. The database sorts all values.
pub fn quantile(column: impl Into<Expr>, share: f64) -> Aggregate {
    Aggregate { function: Function::Quantile(share), column: column.into() }
}

impl Aggregate {
    /// The SQL over rows of `obs_value` with `obs_rank`, its place in the order of all, and `obs_count`.
    pub(super) fn sql<T: Table>(&self, table: &T, value: &str) -> String {
        match self.function {
            Function::Average => format!("AVG({value})"),
            Function::Sum => format!("SUM({value})"),
            Function::Minimum => format!("MIN({value})"),
            Function::Maximum => format!("MAX({value})"),
            Function::Deviation => format!("STDDEV_SAMP({value})"),
            Function::Quantile(share) => {
                format!("MIN(CASE WHEN obs_rank >= {share:?} * obs_count THEN {value} END)")
            }
            Function::Own => self.column.sql(table),
        }
    }

    /// Whether it has a value for any number of values but none.
    pub(super) const fn is_of_every_value(&self) -> bool {
        !matches!(self.function, Function::Own | Function::Deviation)
    }

    /// What is wrong with it, if it can have no sensible value.
    pub(super) fn misuse(&self) -> Option<String> {
        match self.function {
            Function::Quantile(share) if !(0.0..=1.0).contains(&share) => {
                Some(format!("a quantile has a share from 0 to 1, not {share}: 0.95 is that of 95 %"))
            }
            _ => None,
        }
    }

    /// As messages name it.
    pub(super) fn name(&self) -> String {
        let column = self.column.name();
        match self.function {
            Function::Average => format!("mean of {column}"),
            Function::Sum => format!("sum of {column}"),
            Function::Minimum => format!("smallest {column}"),
            Function::Maximum => format!("largest {column}"),
            Function::Deviation => format!("standard deviation of {column}"),
            Function::Quantile(share) => format!("{share} quantile of {column}"),
            Function::Own => column.to_owned(),
        }
    }
}
