//! Recording a check that the program carries out itself.

use std::borrow::Cow;
use std::panic::Location;

use crate::base::level::Level;
use crate::checks::quality::measure::IntoMeasure;
use crate::checks::quality::report::QualityResult;
use crate::checks::quality::status::Severity;
use crate::pipeline::global;

/// Records the result of a data-quality check that the program carries out itself: measures `data_quality.check.*` and logs
/// a line. `value` is a number, a `bool`, [`Measured`](crate::Measured), [`Verdict`](crate::Verdict), or a `Result` of these.
///
/// ```
/// use obs_runtime::{Severity, track_data_quality_check};
///
/// let result = track_data_quality_check("no_nulls", "users", Severity::Warning, true);
/// assert_eq!(result.status.as_str(), "passed");
/// ```
#[track_caller]
pub fn track_data_quality_check(
    check: impl Into<Cow<'static, str>>,
    dataset: impl Into<Cow<'static, str>>,
    severity: Severity,
    value: impl IntoMeasure,
) -> QualityResult {
    let measure = value.into_measure();
    let judgement = measure.bounds.judge(&measure);
    let result = QualityResult::judged(check.into(), (dataset.into(), ""), severity, judgement, measure);
    result.report(Level::Debug, global::caller(Location::caller()), None, |_| {});
    result
}
