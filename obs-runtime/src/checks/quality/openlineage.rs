//! The results of data-quality checks as an event of `OpenLineage`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::clock;
use crate::checks::quality::partition::unit_of;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::status::{QualityStatus, Severity};
use crate::checks::runner::details::timestamp;
use crate::pipeline::global;

const PRODUCER: &str = concat!("https://docs.rs/obs-runtime/", env!("CARGO_PKG_VERSION"));

const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

const ASSERTIONS: &str = "https://openlineage.io/spec/facets/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet";

const SUBSET: &str =
    "https://openlineage.io/spec/facets/1-0-0/BaseSubsetDatasetFacet.json#/$defs/InputSubsetInputDatasetFacet";

const ERROR: &str = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";

impl QualityReport {
    /// The results as an event of `OpenLineage` 2-0-2, for catalogues such as Marquez and `DataHub`. Each data set has a facet
    /// `dataQualityAssertions`; a check that did not pass is not a success there, with its severity (`error`, `warn` or `info`). One
    /// that is errored is no success either, with the reason in its `description`.
    ///
    /// A ready-made check of a table is listed under the table's name in the namespace of its data source, as `OpenLineage` asks:
    /// `bigquery` and `project.dataset.table`, `sqlite://` with the path of the file and the table. Other checks are listed under
    /// their data set, or the job's name, in the namespace of the job. The job is `SERVICE_NAME` in the namespace `ENVIRONMENT`.
    ///
    /// A check of a [partition](crate::Partition) has it in the `params` of its assertion: `partition`. A data set that only such
    /// checks have read also has the facet `subset` with these partitions.
    ///
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
        let mut datasets = BTreeMap::<(&str, &str), Input>::new();
        for result in &self.results {
            let logical = if result.dataset.is_empty() { job } else { &*result.dataset };
            let table = result.table.as_ref().map(|table| (&*table.namespace, &*table.name));
            datasets.entry(table.unwrap_or((namespace, logical))).or_default().add(result);
        }
        let input = |((namespace, name), input): ((&str, &str), Input)| json!({ "namespace": namespace, "name": name, "inputFacets": input.facets() });
        let errors = self.results.iter().filter(|result| result.status == QualityStatus::Errored);
        let errors: Vec<String> =
            errors.map(|result| format!("{}: {}", result.title(), result.why().unwrap_or_default())).collect();
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

/// What the checks of a run found in a data set.
#[derive(Default)]
struct Input {
    assertions: Vec<Value>,
    /// The partitions that were read, each with its unit.
    partitions: BTreeMap<String, &'static str>,
    /// Whether a check read it as a whole.
    is_whole: bool,
}

impl Input {
    fn add(&mut self, result: &QualityResult) {
        let Some(assertion) = assertion(result) else { return };
        self.assertions.push(assertion);
        match &result.partition {
            Some(partition) => _ = self.partitions.insert(partition.clone(), unit_of(partition)),
            None => self.is_whole = true,
        }
    }

    fn facets(self) -> Map<String, Value> {
        let assertions = json!({ "_producer": PRODUCER, "_schemaURL": ASSERTIONS, "assertions": self.assertions });
        let mut facets = Map::from_iter([("dataQualityAssertions".to_owned(), assertions)]);
        if !self.is_whole && !self.partitions.is_empty() {
            let partition = |(partition, unit): (String, &str)| json!({ "identifier": partition, "dimensions": { unit: partition } });
            let partitions: Vec<Value> = self.partitions.into_iter().map(partition).collect();
            let condition = json!({ "type": "partition", "partitions": partitions });
            let subset = json!({ "_producer": PRODUCER, "_schemaURL": SUBSET, "inputCondition": condition });
            facets.insert("subset".to_owned(), subset);
        }
        facets
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
    if let Some(partition) = &result.partition {
        assertion["params"] = json!({ "partition": partition });
    }
    Some(assertion)
}
