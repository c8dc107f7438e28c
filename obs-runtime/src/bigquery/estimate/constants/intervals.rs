//! Dates and times moved by an interval.

use sqlparser::ast::{Expr, Interval};

use crate::bigquery::estimate::constants::value::{Constant, Folded, span};

/// A date or time moved by an interval, forwards or backwards.
pub(super) fn moved(time: &Expr, interval: &Interval, sign: i64, fold: &dyn Fn(&Expr) -> Folded) -> Folded {
    let (time, number) = match (fold(time), fold(&interval.value)) {
        (Folded::Dynamic, _) | (_, Folded::Dynamic) => return Folded::Dynamic,
        (Folded::Known(time), Folded::Known(number)) => (time, number.int()),
        _ => return Folded::Unknown,
    };
    let Some(number) = number else { return Folded::Unknown };
    let part = interval.leading_field.as_ref().map(ToString::to_string).unwrap_or_default().to_uppercase();
    let by = number.checked_mul(sign).and_then(|number| span(number, &part));
    // `INTERVAL '1-2' YEAR TO MONTH` is not read.
    let by = by.filter(|_| interval.last_field.is_none());
    Folded::of(by.and_then(|by| time.time()?.checked_add(by).ok()).map(|moved| match &time {
        // Text is a literal of the type that the function wants, at midnight for a date.
        Constant::Text(text) if text.trim().len() <= 10 && moved.time() == jiff::civil::Time::midnight() => {
            Constant::Date(moved.date())
        }
        time => time.at(moved),
    }))
}
