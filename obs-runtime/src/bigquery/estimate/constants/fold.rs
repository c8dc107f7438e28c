//! Folds constant expressions.
//!
//! "To limit the partitions that are scanned in a query, use a constant expression in your filter. If you use dynamic
//! expressions in your query filter, BigQuery must scan all of the partitions."
//! <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression>

use sqlparser::ast::{BinaryOperator, DataType, Expr, UnaryOperator, Value};

use crate::bigquery::estimate::constants::calls;
use crate::bigquery::estimate::constants::intervals::moved;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::constants::value::{Constant, Folded, parse_time, span};

/// The value of an expression, if it is constant.
pub(in crate::bigquery::estimate) fn fold(expr: &Expr, settings: &Settings) -> Folded {
    match expr {
        Expr::Nested(inner) => fold(inner, settings),
        Expr::Value(value) => literal(&value.value),
        Expr::TypedString(typed) => match literal(&typed.value.value) {
            Folded::Known(Constant::Text(text)) => Folded::of(typed_text(&text, &typed.data_type)),
            other => other,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match fold(expr, settings) {
            Folded::Known(Constant::Int(value)) => Folded::of(value.checked_neg().map(Constant::Int)),
            Folded::Known(_) => Folded::Unknown,
            other => other,
        },
        Expr::BinaryOp { left, op, right } => binary(left, op, right, settings),
        Expr::Cast { expr, data_type, format: None, .. } => match fold(expr, settings) {
            Folded::Known(value) => Folded::of(cast(&value, data_type)),
            other => other,
        },
        Expr::Identifier(ident) if ident.value.starts_with('@') => parameter(&ident.value, settings),
        Expr::CompoundIdentifier(idents) if idents.first().is_some_and(|first| first.value.starts_with('@')) => {
            Folded::Unknown
        }
        Expr::Function(function) => calls::call(function, settings, &|expr| fold(expr, settings)),
        _ => Folded::Dynamic,
    }
}

fn parameter(name: &str, settings: &Settings) -> Folded {
    let name = name.trim_start_matches('@').to_lowercase();
    Folded::of(settings.parameters.get(&name).cloned().map(Constant::Text))
}

fn literal(value: &Value) -> Folded {
    match value {
        Value::Number(number, _) => Folded::of(number.parse().ok().map(Constant::Int)),
        // A backslash may begin an escape sequence.
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) if !text.contains('\\') => {
            Folded::Known(Constant::Text(text.clone()))
        }
        Value::SingleQuotedRawStringLiteral(text) | Value::DoubleQuotedRawStringLiteral(text) => {
            Folded::Known(Constant::Text(text.clone()))
        }
        _ => Folded::Unknown,
    }
}

fn typed_text(text: &str, data_type: &DataType) -> Option<Constant> {
    match data_type {
        DataType::Date => Constant::Text(text.to_owned()).date().map(Constant::Date),
        DataType::Datetime(_) => parse_time(text).map(Constant::Datetime),
        DataType::Timestamp(..) => parse_time(text).map(Constant::Timestamp),
        _ => None,
    }
}

/// A conversion of `CAST`.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast>
fn cast(value: &Constant, data_type: &DataType) -> Option<Constant> {
    match data_type {
        DataType::Date => value.date().map(Constant::Date),
        DataType::Datetime(_) => value.time().map(Constant::Datetime),
        DataType::Timestamp(..) => value.time().map(Constant::Timestamp),
        DataType::Int64 | DataType::Int(_) | DataType::Integer(_) | DataType::BigInt(_) => {
            value.int().map(Constant::Int)
        }
        DataType::String(_) => match value {
            Constant::Text(text) => Some(Constant::Text(text.clone())),
            Constant::Int(value) => Some(Constant::Text(value.to_string())),
            Constant::Date(date) => Some(Constant::Text(date.to_string())),
            Constant::Datetime(_) | Constant::Timestamp(_) => None,
        },
        _ => None,
    }
}

/// Sums and differences of integers, dates and intervals, and joined text.
fn binary(left: &Expr, op: &BinaryOperator, right: &Expr, settings: &Settings) -> Folded {
    if let Expr::Interval(interval) = right {
        let sign = match op {
            BinaryOperator::Plus => 1,
            BinaryOperator::Minus => -1,
            _ => return Folded::Dynamic,
        };
        return moved(left, interval, sign, &|expr| fold(expr, settings));
    }
    let (left, right) = match (fold(left, settings), fold(right, settings)) {
        (Folded::Dynamic, _) | (_, Folded::Dynamic) => return Folded::Dynamic,
        (Folded::Known(left), Folded::Known(right)) => (left, right),
        _ => return Folded::Unknown,
    };
    // Only literals are coerced: `DATE + INT64` adds days.
    // <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#date_arithmetics_operators>
    Folded::of(match (left, op, right) {
        (Constant::Int(a), BinaryOperator::Plus, Constant::Int(b)) => a.checked_add(b).map(Constant::Int),
        (Constant::Int(a), BinaryOperator::Minus, Constant::Int(b)) => a.checked_sub(b).map(Constant::Int),
        (Constant::Int(a), BinaryOperator::Multiply, Constant::Int(b)) => a.checked_mul(b).map(Constant::Int),
        (Constant::Date(date), BinaryOperator::Plus, Constant::Int(days))
        | (Constant::Int(days), BinaryOperator::Plus, Constant::Date(date)) => {
            span(days, "DAY").and_then(|span| date.checked_add(span).ok()).map(Constant::Date)
        }
        (Constant::Date(date), BinaryOperator::Minus, Constant::Int(days)) => {
            span(days, "DAY").and_then(|span| date.checked_sub(span).ok()).map(Constant::Date)
        }
        (Constant::Text(a), BinaryOperator::StringConcat, Constant::Text(b)) => Some(Constant::Text(a + &b)),
        _ => None,
    })
}
