//! Which partitions of a table a query reads, told from the constants that it compares the partitioning column with.
//!
//! What is not understood selects all: a figure is never too low.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use sqlparser::ast::{BinaryOperator, DataType, Expr, UnaryOperator, Value};

use crate::bigquery::estimate::catalogue::tables::{Partition, Table};

/// Which partitions of a table are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    /// Not all; which is not known, as the catalogue does not have them.
    Fewer,
    /// Those with these ids.
    Some(BTreeSet<String>),
}

impl Selection {
    /// What two uses of one table read together.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(mut ids), Self::Some(more)) => {
                ids.extend(more);
                Self::Some(ids)
            }
            (Self::Fewer, Self::Fewer) => Self::Fewer,
            _ => Self::All,
        }
    }
}

/// What a value of the partitioning column must be.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Between(Option<i64>, Option<i64>),
    OneOf(Vec<i64>),
}

/// The partitions that rows with `filter` may be in; `is_column` says whether an expression is the partitioning column.
pub(super) fn selected(table: &Table, filter: &Expr, is_column: &dyn Fn(&Expr) -> bool) -> Selection {
    let mut conditions = Vec::new();
    gather(filter, is_column, &mut conditions);
    if conditions.is_empty() {
        return Selection::All;
    }
    if table.partitions.is_empty() {
        return Selection::Fewer;
    }
    let holds = |partition: &&Partition| match range(partition, table.partition_width) {
        // What is just streamed in, or in no partition of its own, may be anything.
        None => partition.id != "__NULL__",
        Some((from, to)) => conditions.iter().all(|condition| match condition {
            Condition::Between(low, high) => low.is_none_or(|low| low < to) && high.is_none_or(|high| high >= from),
            Condition::OneOf(values) => values.iter().any(|value| (from..to).contains(value)),
        }),
    };
    Selection::Some(table.partitions.iter().filter(holds).map(|partition| partition.id.clone()).collect())
}

/// Whether an id is one that a table partitioned by time, or by ranges of this width, can have.
pub(super) fn is_id(id: &str, width: Option<u64>) -> bool {
    let partition = Partition { id: id.to_owned(), rows: 0, bytes: 0 };
    matches!(id, "__NULL__" | "__UNPARTITIONED__") || range(&partition, width).is_some()
}

/// The conditions that all hold together.
fn gather(filter: &Expr, is_column: &dyn Fn(&Expr) -> bool, conditions: &mut Vec<Condition>) {
    match filter {
        Expr::Nested(inner) => gather(inner, is_column, conditions),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            gather(left, is_column, conditions);
            gather(right, is_column, conditions);
        }
        Expr::BinaryOp { left, op, right } => {
            let found = if is_column(left) {
                constant(right).and_then(|value| compared(op, value))
            } else if is_column(right) {
                constant(left).zip(turned(op)).and_then(|(value, op)| compared(&op, value))
            } else {
                None
            };
            conditions.extend(found);
        }
        Expr::Between { expr, negated: false, low, high } if is_column(expr) => {
            conditions.push(Condition::Between(constant(low), constant(high)));
        }
        Expr::InList { expr, list, negated: false } if is_column(expr) => {
            let values: Option<Vec<i64>> = list.iter().map(constant).collect();
            conditions.extend(values.map(Condition::OneOf));
        }
        _ => {}
    }
}

fn compared(op: &BinaryOperator, value: i64) -> Option<Condition> {
    match op {
        BinaryOperator::Eq => Some(Condition::OneOf(vec![value])),
        BinaryOperator::Gt | BinaryOperator::GtEq => Some(Condition::Between(Some(value), None)),
        BinaryOperator::Lt | BinaryOperator::LtEq => Some(Condition::Between(None, Some(value))),
        _ => None,
    }
}

/// The same comparison with its sides changed.
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

/// A constant on the axis of partitions: seconds since 1970 in UTC, or the whole number itself.
fn constant(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::TypedString(typed)
            if matches!(typed.data_type, DataType::Date | DataType::Datetime(_) | DataType::Timestamp(..)) =>
        {
            moment(&typed.value.value)
        }
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            text => moment(text),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => constant(expr).map(|value| -value),
        _ => None,
    }
}

/// Seconds of a date or time without a zone of its own; one with a zone is not understood.
fn moment(value: &Value) -> Option<i64> {
    let (Value::SingleQuotedString(text) | Value::DoubleQuotedString(text)) = value else { return None };
    let text =
        text.trim().trim_end_matches(" UTC").trim_end_matches('Z').trim_end_matches("+00:00").trim_end_matches("+00");
    // `2024-01-02` has ten characters.
    let has_zone = text.chars().skip(10).any(|letter| matches!(letter, '+' | '-'));
    let time: DateTime = match text.parse::<Date>() {
        Ok(date) if text.len() <= 10 => date.at(0, 0, 0, 0),
        _ if has_zone => return None,
        _ => text.parse().ok()?,
    };
    seconds(time)
}

fn seconds(time: DateTime) -> Option<i64> {
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

/// From where to where a partition goes, its end not included; none for those that have no range.
fn range(partition: &Partition, width: Option<u64>) -> Option<(i64, i64)> {
    let id = partition.id.as_str();
    if let Some(width) = width {
        let from = id.parse::<i64>().ok()?;
        return Some((from, from.saturating_add_unsigned(width)));
    }
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| id.get(from..to).and_then(|digits| digits.parse::<i8>().ok());
    let year = id.get(0..4)?.parse::<i16>().ok()?;
    let at = |month, day, hour| Date::new(year, month, day).ok().map(|date| date.at(hour, 0, 0, 0)).and_then(seconds);
    match id.len() {
        4 => Some((at(1, 1, 0)?, seconds(Date::new(year + 1, 1, 1).ok()?.at(0, 0, 0, 0))?)),
        6 => {
            let month = part(4, 6)?;
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            Some((at(month, 1, 0)?, seconds(Date::new(next_year, next, 1).ok()?.at(0, 0, 0, 0))?))
        }
        8 => at(part(4, 6)?, part(6, 8)?, 0).map(|from| (from, from + 24 * 3600)),
        10 => at(part(4, 6)?, part(6, 8)?, part(8, 10)?).map(|from| (from, from + 3600)),
        _ => None,
    }
}
