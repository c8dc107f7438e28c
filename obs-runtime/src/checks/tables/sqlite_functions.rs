//! Functions that `SQLite` lacks, for statements of checks: `regexp`, `sqrt`, `stddev`, `variance`, `quantile` and `median`.

use std::sync::Arc;

use regex::Regex;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

const PURE: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Adds the functions to a connection.
pub fn add(connection: &Connection) -> Result<()> {
    connection.create_scalar_function("obs_number", 1, PURE, |context| Ok(number(context.get_raw(0))))?;
    connection.create_scalar_function("regexp", 2, PURE, |context| regexp(context))?;
    connection.create_scalar_function("sqrt", 1, PURE, |context| {
        Ok(number(context.get_raw(0)).filter(|number| *number >= 0.0).map(f64::sqrt))
    })?;
    for name in ["stddev", "stddev_samp"] {
        connection.create_aggregate_function(name, 1, PURE, Spread { of_sample: true, is_root: true })?;
    }
    connection.create_aggregate_function("stddev_pop", 1, PURE, Spread { of_sample: false, is_root: true })?;
    for name in ["variance", "var_samp"] {
        connection.create_aggregate_function(name, 1, PURE, Spread { of_sample: true, is_root: false })?;
    }
    connection.create_aggregate_function("var_pop", 1, PURE, Spread { of_sample: false, is_root: false })?;
    connection.create_aggregate_function("quantile", 2, PURE, Quantile)?;
    connection.create_aggregate_function("median", 1, PURE, Quantile)
}

/// A number, or a text that is one; `NULL` for anything else.
fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "values are compared as floats")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Real(number) => Some(number),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// `value REGEXP pattern`, which is `regexp(pattern, value)`. The pattern is compiled once for a statement.
fn regexp(context: &Context<'_>) -> Result<Option<bool>> {
    let pattern: Arc<Regex> = context.get_or_create_aux(0, |pattern| {
        let pattern = pattern.as_str().map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)?;
        Regex::new(pattern).map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
    })?;
    Ok(match context.get_raw(1) {
        ValueRef::Null => None,
        ValueRef::Text(text) => Some(pattern.is_match(&String::from_utf8_lossy(text))),
        ValueRef::Integer(number) => Some(pattern.is_match(&number.to_string())),
        ValueRef::Real(number) => Some(pattern.is_match(&number.to_string())),
        ValueRef::Blob(_) => return Err(Error::UserFunctionError("a BLOB has no match of a pattern".into())),
    })
}

/// Variance or standard deviation, by Welford's method.
#[derive(Clone, Copy)]
struct Spread {
    of_sample: bool,
    is_root: bool,
}

#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Aggregate<Moments, Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<Moments> {
        Ok(Moments::default())
    }

    fn step(&self, context: &mut Context<'_>, moments: &mut Moments) -> Result<()> {
        if let Some(value) = number(context.get_raw(0)) {
            moments.count += 1.0;
            let distance = value - moments.mean;
            moments.mean += distance / moments.count;
            moments.squares += distance * (value - moments.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, moments: Option<Moments>) -> Result<Option<f64>> {
        let Moments { count, squares, .. } = moments.unwrap_or_default();
        let degrees = if self.of_sample { count - 1.0 } else { count };
        let variance = (degrees > 0.0).then(|| squares / degrees);
        Ok(if self.is_root { variance.map(f64::sqrt) } else { variance })
    }
}

/// `quantile(value, share)`: the smallest value that at least this share of the values does not exceed. It keeps all values.
struct Quantile;

impl Aggregate<(Vec<f64>, f64), Option<f64>> for Quantile {
    fn init(&self, _: &mut Context<'_>) -> Result<(Vec<f64>, f64)> {
        Ok((Vec::new(), 0.5))
    }

    fn step(&self, context: &mut Context<'_>, (values, share): &mut (Vec<f64>, f64)) -> Result<()> {
        if context.len() > 1 {
            *share = context.get(1)?;
            if !(0.0..=1.0).contains(share) {
                return Err(Error::UserFunctionError(format!("a share lies from 0 to 1, not at {share}").into()));
            }
        }
        values.extend(number(context.get_raw(0)));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<(Vec<f64>, f64)>) -> Result<Option<f64>> {
        let (mut values, share) = state.unwrap_or_default();
        values.sort_unstable_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "a number of values in memory")]
        let rank = (share * values.len() as f64).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is at most the number of values"
        )]
        let index = (rank as usize).saturating_sub(1);
        Ok(values.get(index).copied())
    }
}
