//! What a check measures.

use std::panic::Location;
use std::time::Duration;

use crate::checks::tables::aggregate::{Aggregate, Function};
use crate::checks::tables::expr::Expr;
use crate::checks::tables::row_test::RowTest;
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::TableValue;

/// What a check measures.
#[derive(Clone, Debug)]
pub enum Subject {
    Rows,
    Age { column: Expr },
    Nulls { column: Expr },
    Repeated { columns: Vec<Expr> },
    Test(RowTest),
    Orphans { column: Expr, other: OtherTable },
    FailingRows { query: Sql },
    Aggregate(Aggregate),
    Distinct { columns: Vec<Expr>, is_ratio: bool },
    Absent { column: Expr, required: Vec<TableValue> },
    Disorder { column: Expr, order_by: Expr, order: Order },
    Gaps { column: Expr, step: Step },
}

/// The order of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// No value is below the one before it.
    Increasing,
    /// Each value is above the one before it.
    StrictlyIncreasing,
    /// No value is above the one before it.
    Decreasing,
    /// Each value is below the one before it.
    StrictlyDecreasing,
}

impl Order {
    /// The operator between a value and the one before it that breaks the order.
    pub(super) const fn broken_by(self) -> &'static str {
        match self {
            Self::Increasing => "<",
            Self::StrictlyIncreasing => "<=",
            Self::Decreasing => ">",
            Self::StrictlyDecreasing => ">=",
        }
    }
}

/// The distance of one value to the next: a number, or a [`Duration`] between times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step(pub(super) Distance);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Distance {
    Number(f64),
    Seconds(f64),
}

macro_rules! steps {
    ($($from:ty),+) => {$(
        impl From<$from> for Step {
            fn from(number: $from) -> Self {
                Self(Distance::Number(number.into()))
            }
        }
    )+};
}
steps!(i32, u32, f64);

impl From<Duration> for Step {
    fn from(duration: Duration) -> Self {
        Self(Distance::Seconds(duration.as_secs_f64()))
    }
}

/// The table with the keys of `referential_integrity`.
#[derive(Clone, Debug)]
pub struct OtherTable {
    pub name: String,
    /// The quoted name, with the values of a query.
    pub sql: Sql,
    pub key: Expr,
    /// Why it cannot be read in the same statement.
    pub unreadable: Option<String>,
}

/// How a check reads its column, and what it says of failing rows.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Where the check was made.
    pub place: &'static Location<'static>,
    /// Conditions that restrict the rows.
    pub conditions: Vec<Sql>,
    /// Whether values are compared as numbers.
    pub as_number: bool,
    /// The columns that identify a row.
    pub keys: Vec<String>,
    /// What rows are grouped by.
    pub groups: Vec<Expr>,
}

impl Subject {
    /// The columns that are read.
    pub fn columns(&self) -> Vec<&Expr> {
        match self {
            Self::Rows | Self::FailingRows { .. } | Self::Aggregate(Aggregate { function: Function::Own, .. }) => {
                Vec::new()
            }
            Self::Test(test) => test.columns(),
            Self::Aggregate(Aggregate { column, .. })
            | Self::Age { column }
            | Self::Nulls { column }
            | Self::Absent { column, .. }
            | Self::Disorder { column, .. }
            | Self::Gaps { column, .. }
            | Self::Orphans { column, .. } => vec![column],
            Self::Repeated { columns } | Self::Distinct { columns, .. } => columns.iter().collect(),
        }
    }

    /// The column, or the columns, as messages name them.
    pub fn column_names(&self) -> String {
        match self {
            Self::Aggregate(aggregate) => aggregate.name(),
            _ => self.columns().into_iter().map(Expr::name).collect::<Vec<_>>().join(", "),
        }
    }

    /// A value of the kind that the values of the column must have, so that the database compares them as they are.
    pub fn kind(&self) -> Option<TableValue> {
        const NUMBER: TableValue = TableValue::Integer(0);
        match self {
            Self::Test(RowTest::Sum { .. }) | Self::Gaps { step: Step(Distance::Number(_)), .. } => Some(NUMBER),
            Self::Test(test) => {
                let bounds = test.bounds();
                // A list of both compares each value as it is.
                let is_mixed =
                    bounds.iter().any(|value| value.is_number()) && bounds.iter().any(|value| !value.is_number());
                bounds.first().filter(|_| !is_mixed).map(|value| (*value).clone())
            }
            Self::Aggregate(aggregate) => (aggregate.function != Function::Own).then_some(NUMBER),
            _ => None,
        }
    }

    /// What is wrong with the arguments of the check, if it can measure nothing in any table.
    pub fn misuse(&self) -> Option<String> {
        match self {
            Self::Repeated { columns } | Self::Distinct { columns, .. } if columns.is_empty() => {
                Some("the check needs a column".to_owned())
            }
            Self::Test(RowTest::Sum { columns }) if columns.len() < 2 => Some("a sum needs a column to add".to_owned()),
            Self::Gaps { step: Step(Distance::Number(step) | Distance::Seconds(step)), .. }
                if !(step.is_finite() && *step > 0.0) =>
            {
                Some(format!("the step from one value to the next must be above 0, not {step}"))
            }
            Self::Aggregate(aggregate) => aggregate.misuse(),
            _ => None,
        }
    }

    /// Whether a part of all rows is measured, otherwise a number.
    pub const fn is_ratio(&self) -> bool {
        match self {
            Self::Rows | Self::Age { .. } | Self::FailingRows { .. } | Self::Aggregate(_) | Self::Gaps { .. } => false,
            Self::Distinct { is_ratio, .. } => *is_ratio,
            _ => true,
        }
    }
}
