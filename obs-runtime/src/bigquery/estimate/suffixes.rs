//! Which tables of a wildcard a query reads, by the constants that it compares `_TABLE_SUFFIX` with.
//!
//! "To restrict a query so that it scans only a specified set of tables, use the `_TABLE_SUFFIX` pseudocolumn in a `WHERE`
//! clause with a condition that is a constant expression."
//! <https://cloud.google.com/bigquery/docs/querying-wildcard-tables#filter_selected_tables_using_table_suffix>
//!
//! A filter that is not understood excludes nothing.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr};

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::constants::calls::arguments;
use crate::bigquery::estimate::constants::fold::fold;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::constants::value::{Constant, Folded};
use crate::bigquery::estimate::growth::{new_members, suffix};
use crate::bigquery::estimate::partitions::Selection;

/// A filter on the suffix of a wildcard.
struct Filter<'f> {
    settings: &'f Settings,
    /// Whether an expression is `_TABLE_SUFFIX`.
    is_suffix: &'f dyn Fn(&Expr) -> bool,
}

/// The tables of a wildcard whose rows may pass `filter`; `is_suffix` says whether an expression is `_TABLE_SUFFIX`.
pub(super) fn selected(
    wildcard: &Table,
    filter: &Expr,
    settings: &Settings,
    is_suffix: &dyn Fn(&Expr) -> bool,
) -> Selection {
    let suffixes = Filter { settings, is_suffix };
    let may_pass = |suffix: &str| suffixes.may_pass(filter, suffix);
    let is_read = |member: &&String| suffix(wildcard, member).is_none_or(may_pass);
    let mut read: BTreeSet<String> = wildcard.members.iter().filter(is_read).cloned().collect();
    if read.len() == wildcard.members.len() {
        return Selection::All;
    }
    read.extend(new_members(wildcard, settings, may_pass));
    Selection::Some(read)
}

impl Filter<'_> {
    /// Whether rows of the table with this suffix may pass. False only if it is certain that none does.
    fn may_pass(&self, filter: &Expr, suffix: &str) -> bool {
        let is_suffix = self.is_suffix;
        match filter {
            Expr::Nested(inner) => self.may_pass(inner, suffix),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.may_pass(left, suffix) && self.may_pass(right, suffix)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                self.may_pass(left, suffix) || self.may_pass(right, suffix)
            }
            Expr::BinaryOp { left, op, right } if is_suffix(left) => {
                self.constant(right).is_none_or(|value| compare(suffix, op, &value))
            }
            Expr::BinaryOp { left, op, right } if is_suffix(right) => {
                self.constant(left).is_none_or(|value| compare(&value, op, suffix))
            }
            Expr::Between { expr, negated: false, low, high } if is_suffix(expr) => {
                // With an end that depends on rows, the whole is a dynamic expression.
                let ends = [fold(low, self.settings), fold(high, self.settings)];
                ends.contains(&Folded::Dynamic)
                    || self.constant(low).is_none_or(|low| suffix >= low.as_str())
                        && self.constant(high).is_none_or(|high| suffix <= high.as_str())
            }
            Expr::InList { expr, list, negated: false } if is_suffix(expr) => {
                list.iter().any(|value| self.constant(value).is_none_or(|value| suffix == value))
            }
            Expr::Like { negated: false, expr, pattern, escape_char: None, any: false } if is_suffix(expr) => {
                self.constant(pattern).is_none_or(|pattern| is_like(suffix, &pattern))
            }
            Expr::Function(function) => self.prefix(function).is_none_or(|prefix| suffix.starts_with(&prefix)),
            _ => true,
        }
    }

    /// The constant of `STARTS_WITH(_TABLE_SUFFIX, '…')`.
    fn prefix(&self, function: &sqlparser::ast::Function) -> Option<String> {
        if !function.name.to_string().eq_ignore_ascii_case("starts_with") {
            return None;
        }
        match arguments(function)?.as_slice() {
            [of, prefix] if (self.is_suffix)(of) => self.constant(prefix),
            _ => None,
        }
    }

    fn constant(&self, expr: &Expr) -> Option<String> {
        match fold(expr, self.settings) {
            Folded::Known(Constant::Text(text)) => Some(text),
            _ => None,
        }
    }
}

fn compare(left: &str, op: &BinaryOperator, right: &str) -> bool {
    match op {
        BinaryOperator::Eq => left == right,
        BinaryOperator::Lt => left < right,
        BinaryOperator::LtEq => left <= right,
        BinaryOperator::Gt => left > right,
        BinaryOperator::GtEq => left >= right,
        // `!=` excludes too little to matter.
        _ => true,
    }
}

/// Whether a text may match a pattern, by what stands before its first wildcard.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once(['%', '_', '\\']) {
        Some((fixed, _)) => text.starts_with(fixed),
        None => text == pattern,
    }
}
