//! Data-quality checks: declaring, running and judging them, and the formats of their results.

pub(crate) mod bounds;
pub(crate) mod check;
pub(crate) mod check_state;
pub(crate) mod current_bounds;
pub(crate) mod current_table;
pub(crate) mod gates;
pub(crate) mod instance;
pub(crate) mod item;
pub(crate) mod judgement;
pub(crate) mod last_run;
pub(crate) mod list;
pub(crate) mod manual;
pub(crate) mod measure;
pub(crate) mod openlineage;
pub(crate) mod partition;
pub(crate) mod patterns;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod selection;
pub(crate) mod status;
