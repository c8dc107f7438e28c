//! The results of data-quality checks as an event of `OpenLineage`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::clock;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::status::{QualityStatus, Severity};
use crate::checks::runner::details::timestamp;
use crate::pipeline::global;

const PRODUCER: &str = concat!("https://docs.rs/obs-runtime/", env!("CARGO_PKG_VERSION"));

const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

const ASSERTIONS: &str = "https://openlineage.io/spec/facets/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet";

const ERROR: &str = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";

impl QualityReport {
    /// The results as an event of `OpenLineage` 2-0-2, for catalogues such as Marquez and `DataHub`. Each data set has a facet
    /// `dataQualityAssertions`; a check that did not pass is not a success there, with its severity (`error`, `warn` or `info`). One
    /// that is errored is no success either, with the reason in its `description`.
    ///
    /// A ready-made check of a table is listed under the table's name in the namespace of its data source, as `OpenLineage` asks:
    /// `bigquery` and `project.dataset.table`, `sqlite://` with the path of the file and the table. Other checks are listed under
    /// their data set, or the job's name, in the namespace of the job. The job is `SERVICE_NAME` in the namespace `ENVIRONMENT`.
    /// The run is `FAIL` if a check is errored, with the messages in the facet `errorMessage`, because nothing is known of
    /// the data then. Skipped checks are left out.
    ///
    /// ```
    /// let event = obs_runtime::run_dq_checks().only(["none"]).wait().openlineage();
    /// assert_eq!(event["eventType"], "COMPLETE");
    /// ```
    #[must_use]
    pub fn openlineage(&self) -> Value {
        let pipeline = global::pipeline();
        let config = pipeline.as_ref().map(|pipeline| pipeline.config());
        let job = config.map_or("obs", |config| &*config.service_name);
        let namespace = config.map_or("dev", |config| &*config.environment);
        let mut datasets = BTreeMap::<(&str, &str), Vec<Value>>::new();
        for result in &self.results {
            let logical = if result.dataset.is_empty() { job } else { &*result.dataset };
            let table = result.table.as_ref().map(|table| (&*table.namespace, &*table.name));
            datasets.entry(table.unwrap_or((namespace, logical))).or_default().extend(assertion(result));
        }
        let input = |((namespace, name), assertions): ((&str, &str), Vec<Value>)| {
            let facet = json!({ "_producer": PRODUCER, "_schemaURL": ASSERTIONS, "assertions": assertions });
            json!({ "namespace": namespace, "name": name, "inputFacets": { "dataQualityAssertions": facet } })
        };
        let errors = self.results.iter().filter(|result| result.status == QualityStatus::Errored);
        let errors: Vec<String> =
            errors.map(|result| format!("{}: {}", result.check, result.why().unwrap_or_default())).collect();
        let mut facets = Map::new();
        if !errors.is_empty() {
            let facet = json!({
                "_producer": PRODUCER, "_schemaURL": ERROR,
                "message": errors.join("\n"), "programmingLanguage": "Rust",
            });
            facets.insert("errorMessage".to_owned(), facet);
        }
        json!({
            "eventType": if errors.is_empty() { "COMPLETE" } else { "FAIL" },
            "eventTime": timestamp(clock::wall()),
            "run": { "runId": uuid::Uuid::now_v7().to_string(), "facets": facets },
            "job": { "namespace": namespace, "name": job },
            "inputs": datasets.into_iter().map(input).collect::<Vec<_>>(),
            "outputs": [],
            "producer": PRODUCER,
            "schemaURL": EVENT,
        })
    }
}

fn assertion(result: &QualityResult) -> Option<Value> {
    let success = match result.status {
        QualityStatus::Passed => true,
        QualityStatus::Warned | QualityStatus::Failed | QualityStatus::NoData | QualityStatus::Errored => false,
        QualityStatus::Skipped => return None,
    };
    let severity = match result.severity {
        Severity::Info => "info",
        Severity::Warning => "warn",
        Severity::Critical => "error",
    };
    let mut assertion =
        json!({ "assertion": result.check, "name": result.check, "success": success, "severity": severity });
    let actual = result.seen.clone().or_else(|| result.value.map(|value| value.to_string()));
    let column = Some(result.column).filter(|column| !column.is_empty()).map(str::to_owned);
    let description = match (result.status, &result.message) {
        (QualityStatus::Errored, Some(reason)) => Some(format!("errored: {reason}")),
        (QualityStatus::Errored, None) => Some("errored".to_owned()),
        (_, message) => message.clone(),
    };
    let texts =
        [("column", column), ("expected", result.expected.clone()), ("actual", actual), ("description", description)];
    for (name, text) in texts {
        if let Some(text) = text {
            assertion[name] = text.into();
        }
    }
    Some(assertion)
}
