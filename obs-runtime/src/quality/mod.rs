//! Data-quality checks: declared on a function or registered by hand, judged by the value that they measure.

mod board;
mod by_hand;
mod check;
mod list;
mod measure;
mod openlineage;
mod plan;
mod report;
mod run;
mod verdict;

#[cfg(feature = "testing")]
pub use board::Board;
pub use by_hand::track_data_quality_check;
pub use check::{QualityCheck, register_dq_check};
#[cfg(feature = "cli")]
pub use list::instances;
pub use list::{QUALITY_CHECKS, checks, problems};
pub use measure::{IntoMeasure, Measure, Measured, Verdict};
pub use report::{QualityError, QualityReport, QualityResult};
pub use run::{QualityRun, run_dq_checks};
pub use verdict::{QualityStatus, Severity};
