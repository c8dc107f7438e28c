//! Which partitions can have rows that pass a filter.
//!
//! "If a query uses a qualifying filter on the value of the partitioning column, BigQuery can scan the partitions that
//! match the filter and skip the remaining partitions."
//! <https://cloud.google.com/bigquery/docs/querying-partitioned-tables>
//!
//! A filter that is not understood excludes nothing.

use jiff::civil::Date;
use sqlparser::ast::{BinaryOperator, DataType, DateTimeField, Expr, Function};

use crate::bigquery::estimate::constants::calls::{arguments, part};
use crate::bigquery::estimate::constants::fold::fold;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::constants::value::{Constant, Folded, micros, midnight, time_of, truncate};
use crate::bigquery::estimate::partitions::{Axis, Content};

/// A filter on the partitioning column of a table.
pub(super) struct Filter<'f> {
    pub(super) condition: &'f Expr,
    pub(super) axis: Axis,
    pub(super) settings: &'f Settings,
    /// Whether an expression is the partitioning column.
    pub(super) is_column: &'f dyn Fn(&Expr) -> bool,
}

/// The partitioning column, or a function of it that keeps the order.
enum Form {
    Column,
    /// The beginning of the part of time that contains the value.
    Truncated(String),
}

impl Filter<'_> {
    /// Whether rows of a partition can pass. False only if it is certain that none does.
    pub(super) fn may_pass(&self, content: Content) -> bool {
        self.may(self.condition, content)
    }

    /// Whether the filter excludes any partition that there could be.
    pub(super) fn excludes(&self) -> bool {
        let ends = match self.axis {
            Axis::Integers => (i64::MIN, i64::MAX),
            Axis::Days | Axis::Starts | Axis::Times => {
                let day = |year, month, day| Date::new(year, month, day).ok().and_then(|date| micros(midnight(date)));
                (day(1, 1, 1).unwrap_or(i64::MIN), day(9999, 12, 30).unwrap_or(i64::MAX))
            }
        };
        [ends.0, ends.1].into_iter().any(|end| !self.may_pass(Content::Between(end, end)))
    }

    fn may(&self, filter: &Expr, content: Content) -> bool {
        match filter {
            Expr::Nested(inner) => self.may(inner, content),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.may(left, content) && self.may(right, content)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                self.may(left, content) || self.may(right, content)
            }
            Expr::BinaryOp { left, op, right } => match (self.form(left), self.form(right)) {
                (Some(form), None) => self.compare(&form, op, right, content),
                (None, Some(form)) => turned(op).is_none_or(|op| self.compare(&form, &op, left, content)),
                _ => true,
            },
            Expr::Between { expr, negated: false, low, high } => {
                self.form(expr).is_none_or(|form| self.between(&form, low, high, content))
            }
            Expr::InList { expr, list, negated: false } => self
                .form(expr)
                .is_none_or(|form| list.iter().any(|value| self.compare(&form, &BinaryOperator::Eq, value, content))),
            // Rows in the streaming buffer have no value yet.
            Expr::IsNull(expr) if (self.is_column)(expr) => !matches!(content, Content::Between(..)),
            Expr::IsNotNull(expr) if (self.is_column)(expr) => content != Content::Null,
            _ => true,
        }
    }

    /// The last value for which the filter may ask, if it asks for values after `now`.
    pub(super) fn last_after(&self, now: i64) -> Option<i64> {
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        self.limits(self.condition, &mut lows, &mut highs);
        let latest = lows.iter().max().copied().filter(|latest| *latest > now)?;
        Some(highs.into_iter().max().unwrap_or(latest).max(latest))
    }

    /// The constants from which the filter asks for values, and those up to which it does.
    fn limits(&self, filter: &Expr, lows: &mut Vec<i64>, highs: &mut Vec<i64>) {
        let constant = |expr: &Expr| match fold(expr, self.settings) {
            Folded::Known(value) => self.place(&value),
            _ => None,
        };
        match filter {
            Expr::Nested(inner) => self.limits(inner, lows, highs),
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.limits(left, lows, highs);
                self.limits(right, lows, highs);
            }
            Expr::BinaryOp { left, op, right } => {
                let (value, op) = match (self.form(left), self.form(right)) {
                    (Some(_), None) => (constant(right), Some(op.clone())),
                    (None, Some(_)) => (constant(left), turned(op)),
                    _ => return,
                };
                match op {
                    Some(BinaryOperator::Lt | BinaryOperator::LtEq) => highs.extend(value),
                    Some(_) => lows.extend(value),
                    None => {}
                }
            }
            Expr::Between { expr, low, high, .. } if self.form(expr).is_some() => {
                lows.extend(constant(low));
                highs.extend(constant(high));
            }
            Expr::InList { expr, list, .. } if self.form(expr).is_some() => {
                lows.extend(list.iter().filter_map(constant));
            }
            _ => {}
        }
    }

    /// The form in which the column stands in an expression: alone, or in one of the functions that prune. Those that are read here
    /// are `DATE`, `CAST(… AS DATE)`, `EXTRACT(DATE FROM …)`, `DATE_TRUNC` and `TIMESTAMP_TRUNC`; all others, such as
    /// `DATETIME_TRUNC`, "require a full table scan":
    /// <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#isolate_the_partitioning_column_or_use_supported_functions>.
    /// A function of an integer column does not prune:
    /// <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_integer-range_partitioned_table>
    fn form(&self, expr: &Expr) -> Option<Form> {
        match expr {
            Expr::Nested(inner) => self.form(inner),
            _ if (self.is_column)(expr) => Some(Form::Column),
            _ if self.axis == Axis::Integers => None,
            Expr::Cast { expr, data_type: DataType::Date, format: None, .. } if (self.is_column)(expr) => {
                Some(Form::Truncated("DAY".to_owned()))
            }
            Expr::Extract { field: DateTimeField::Date, expr, .. } if (self.is_column)(expr) => {
                Some(Form::Truncated("DAY".to_owned()))
            }
            Expr::Function(function) => self.form_of_call(function),
            _ => None,
        }
    }

    fn form_of_call(&self, function: &Function) -> Option<Form> {
        let name = function.name.to_string().to_lowercase();
        match (name.as_str(), arguments(function)?.as_slice()) {
            ("date", [column]) if (self.is_column)(column) => Some(Form::Truncated("DAY".to_owned())),
            ("date_trunc" | "timestamp_trunc", [column, unit]) if (self.is_column)(column) => {
                Some(Form::Truncated(part(unit)))
            }
            _ => None,
        }
    }

    fn compare(&self, form: &Form, op: &BinaryOperator, value: &Expr, content: Content) -> bool {
        let value = match fold(value, self.settings) {
            Folded::Dynamic => return true,
            Folded::Unknown => None,
            Folded::Known(value) => self.place(&value),
        };
        let (least, most) = match content {
            Content::Any => return true,
            // A comparison with NULL is not true.
            Content::Null => return !is_comparison(op),
            Content::Between(least, most) => (least, most),
        };
        let (Some(value), Some((least, most))) = (value, values(form, least, most)) else { return true };
        match op {
            BinaryOperator::Eq => least <= value && value <= most,
            BinaryOperator::Lt => least < value,
            BinaryOperator::LtEq => least <= value,
            BinaryOperator::Gt => most > value,
            BinaryOperator::GtEq => most >= value,
            _ => true,
        }
    }

    /// A range prunes by both ends or not at all: with one that depends on rows it is a dynamic expression.
    fn between(&self, form: &Form, low: &Expr, high: &Expr, content: Content) -> bool {
        let ends = [fold(low, self.settings), fold(high, self.settings)];
        if ends.contains(&Folded::Dynamic) {
            return true;
        }
        self.compare(form, &BinaryOperator::GtEq, low, content)
            && self.compare(form, &BinaryOperator::LtEq, high, content)
    }

    /// A constant on the axis of the partitions.
    fn place(&self, value: &Constant) -> Option<i64> {
        match self.axis {
            Axis::Integers => value.int(),
            Axis::Days | Axis::Starts | Axis::Times => value.time().and_then(micros),
        }
    }
}

/// The least and the greatest value that a form of the column has where the column has these.
fn values(form: &Form, least: i64, most: i64) -> Option<(i64, i64)> {
    match form {
        Form::Column => Some((least, most)),
        Form::Truncated(unit) => {
            let start = |value| micros(truncate(time_of(value)?, unit)?);
            Some((start(least)?, start(most)?))
        }
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    turned(op).is_some() || *op == BinaryOperator::NotEq
}

/// The same comparison with its sides exchanged.
fn turned(op: &BinaryOperator) -> Option<BinaryOperator> {
    match op {
        BinaryOperator::Eq => Some(BinaryOperator::Eq),
        BinaryOperator::Gt => Some(BinaryOperator::Lt),
        BinaryOperator::GtEq => Some(BinaryOperator::LtEq),
        BinaryOperator::Lt => Some(BinaryOperator::Gt),
        BinaryOperator::LtEq => Some(BinaryOperator::GtEq),
        _ => None,
    }
}
