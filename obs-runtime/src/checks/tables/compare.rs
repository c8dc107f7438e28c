//! Comparing the numbers of two checks, of tables that need not be in the same database.

use std::fmt;

use crate::checks::quality::measure::Measured;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::subject::Subject;
use crate::checks::tables::table::Table;

/// A comparison of two checks that has not run: see [`TableCheck::compared_with`].
#[must_use = "nothing is queried before `measure`"]
pub struct ComparedChecks<'t, T, O> {
    left: TableCheck<'t, T>,
    right: TableCheck<'t, O>,
}

impl<T: Table, O: Table> fmt::Debug for ComparedChecks<'_, T, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ComparedChecks").field("left", &self.left).field("right", &self.right).finish()
    }
}

impl<'t, T: Table> TableCheck<'t, T> {
    /// How much the number of this check differs from that of another, by that of the other: 0 if they are equal, 0.01 if one of a
    /// hundred rows is missing. The checks count rows or different values, or aggregate; the tables need not be in the same
    /// database, as each is queried by itself.
    ///
    /// ```
    /// use obs_runtime::Measured;
    /// use obs_runtime::tables::{Table, TableError, row_count};
    ///
    /// async fn rows_lost<S: Table, T: Table>(source: &S, target: &T) -> Result<Measured, TableError> {
    ///     row_count(target).compared_with(row_count(source)).measure().await
    /// }
    /// ```
    pub const fn compared_with<O: Table>(self, other: TableCheck<'t, O>) -> ComparedChecks<'t, T, O> {
        ComparedChecks { left: self, right: other }
    }
}

impl<T: Table, O: Table> ComparedChecks<'_, T, O> {
    /// Runs both queries, one after the other.
    ///
    /// # Errors
    /// If one of the checks fails, or is a ratio or has groups, or one of the numbers is unknown.
    pub async fn measure(&self) -> Result<Measured, TableError> {
        let (left, right) = (number(&self.left).await?, number(&self.right).await?);
        let difference = (left - right).abs();
        let of = matches!(self.right.subject, Subject::Rows | Subject::Distinct { .. } | Subject::FailingRows { .. });
        let mut measured = if of {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let of = right as u64;
            Measured { value: difference, of: Some(of), ..Measured::default() }
        } else if difference == 0.0 {
            Measured::number(0.0)
        } else {
            Measured::number(difference / right.abs())
        };
        if difference > 0.0 {
            let [left_name, right_name] = [self.left.table.name(), self.right.table.name()];
            measured.message = Some(format!("{left_name} has {left}, {right_name} has {right}"));
        }
        Ok(measured)
    }
}

async fn number<T: Table>(check: &TableCheck<'_, T>) -> Result<f64, TableError> {
    let measured = check.measure().await?;
    if check.subject.is_ratio() || !check.reading.groups.is_empty() {
        return Err(check.unusable("only numbers of whole tables can be compared".to_owned()));
    }
    match measured.of {
        None => Ok(measured.value),
        Some(_) => Err(check.unusable(format!("{} is unknown", check.subject.column_names()))),
    }
}
