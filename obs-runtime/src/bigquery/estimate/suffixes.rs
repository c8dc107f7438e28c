//! Which tables of a wildcard a query reads, told from the constants that it compares `_TABLE_SUFFIX` with.
//!
//! What is not understood selects all: a figure is never too low.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr, Value};

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::partitions::Selection;

/// What the `*` of a wildcard stands for, in each of its tables.
pub(super) const TABLE_SUFFIX: &str = "_TABLE_SUFFIX";

/// The tables of a wildcard whose rows may pass `filter`; `is_suffix` says whether an expression is `_TABLE_SUFFIX`.
pub(super) fn selected(wildcard: &Table, filter: &Expr, is_suffix: &dyn Fn(&Expr) -> bool) -> Selection {
    let read = |member: &&String| suffix(wildcard, member).is_none_or(|suffix| may_pass(filter, suffix, is_suffix));
    let read: BTreeSet<String> = wildcard.members.iter().filter(read).cloned().collect();
    if read.len() == wildcard.members.len() { Selection::All } else { Selection::Some(read) }
}

/// What stands in the name of a table where its wildcard has the `*`.
fn suffix<'m>(wildcard: &Table, member: &'m str) -> Option<&'m str> {
    member.strip_prefix(wildcard.name.strip_suffix('*')?)
}

/// Whether rows of the table with this suffix may pass: false only where that is sure.
fn may_pass(filter: &Expr, suffix: &str, is_suffix: &dyn Fn(&Expr) -> bool) -> bool {
    match filter {
        Expr::Nested(inner) => may_pass(inner, suffix, is_suffix),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            may_pass(left, suffix, is_suffix) && may_pass(right, suffix, is_suffix)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            may_pass(left, suffix, is_suffix) || may_pass(right, suffix, is_suffix)
        }
        Expr::BinaryOp { left, op, right } if is_suffix(left) => {
            constant(right).is_none_or(|value| compare(suffix, op, value))
        }
        Expr::BinaryOp { left, op, right } if is_suffix(right) => {
            constant(left).is_none_or(|value| compare(value, op, suffix))
        }
        Expr::Between { expr, negated: false, low, high } if is_suffix(expr) => {
            constant(low).is_none_or(|low| suffix >= low) && constant(high).is_none_or(|high| suffix <= high)
        }
        Expr::InList { expr, list, negated: false } if is_suffix(expr) => {
            list.iter().any(|value| constant(value).is_none_or(|value| suffix == value))
        }
        Expr::Like { negated: false, expr, pattern, escape_char: None, any: false } if is_suffix(expr) => {
            constant(pattern).is_none_or(|pattern| is_like(suffix, pattern))
        }
        Expr::Function(function) => starts_with(function, is_suffix).is_none_or(|prefix| suffix.starts_with(prefix)),
        _ => true,
    }
}

fn compare(left: &str, op: &BinaryOperator, right: &str) -> bool {
    match op {
        BinaryOperator::Eq => left == right,
        BinaryOperator::Lt => left < right,
        BinaryOperator::LtEq => left <= right,
        BinaryOperator::Gt => left > right,
        BinaryOperator::GtEq => left >= right,
        // `!=` leaves so little out that it is not worth a thought.
        _ => true,
    }
}

/// Whether a text may be like a pattern: what stands before its first wildcard counts.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once(['%', '_', '\\']) {
        Some((fixed, _)) => text.starts_with(fixed),
        None => text == pattern,
    }
}

/// The constant of `STARTS_WITH(_TABLE_SUFFIX, '…')`.
fn starts_with<'e>(function: &'e sqlparser::ast::Function, is_suffix: &dyn Fn(&Expr) -> bool) -> Option<&'e str> {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
    if !function.name.to_string().eq_ignore_ascii_case("starts_with") {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(of)), FunctionArg::Unnamed(FunctionArgExpr::Expr(prefix))]
            if is_suffix(of) =>
        {
            constant(prefix)
        }
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::Value(value) => match &value.value {
            // What a backslash means in it is not looked at.
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) if !text.contains('\\') => Some(text),
            _ => None,
        },
        _ => None,
    }
}
