//! The client of `gcp-bigquery-client`, and requests of our own where its models do not know every type of a column.

use std::ops::Deref;
use std::sync::Arc;

use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::table::Table;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Sends requests. One that has no method here goes through the client that it dereferences to.
pub struct Api {
    client: gcp_bigquery_client::Client,
    /// None for a client that the program made, which keeps its address and token to itself.
    direct: Option<Direct>,
}

/// What a request of our own needs.
pub struct Direct {
    pub http: reqwest::Client,
    /// The URL that paths are appended to, without a slash at its end.
    pub base: String,
    pub authenticator: Arc<dyn Authenticator>,
}

impl Deref for Api {
    type Target = gcp_bigquery_client::Client;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl Api {
    pub const fn new(client: gcp_bigquery_client::Client, direct: Option<Direct>) -> Self {
        Self { client, direct }
    }

    /// `jobs.insert`.
    pub async fn insert_job(&self, project: &str, job: Job) -> Result<Job, BQError> {
        let Some(direct) = &self.direct else { return self.job().insert(project, job).await };
        let request = direct.http.post(direct.url(&["projects", project, "jobs"]));
        direct.send(request.header(CONTENT_TYPE, "application/json").body(serde_json::to_vec(&job)?)).await
    }

    /// `jobs.get`.
    pub async fn get_job(&self, project: &str, id: &str, location: Option<&str>) -> Result<Job, BQError> {
        let Some(direct) = &self.direct else { return self.job().get_job(project, id, location).await };
        let request = direct.http.get(direct.url(&["projects", project, "jobs", id]));
        direct.send(request.query(&location.map(|location| ("location", location)).as_slice())).await
    }

    /// `jobs.getQueryResults`. A column of a type that the models do not know is one of text.
    pub async fn query_results(
        &self,
        project: &str,
        id: &str,
        parameters: GetQueryResultsParameters,
    ) -> Result<GetQueryResultsResponse, BQError> {
        let Some(direct) = &self.direct else { return self.job().get_query_results(project, id, parameters).await };
        direct.send(direct.http.get(direct.url(&["projects", project, "queries", id])).query(&parameters)).await
    }

    /// `tables.get`. A column of a type that the models do not know is one of text.
    pub async fn get_table(&self, [project, dataset, table]: [&str; 3]) -> Result<Table, BQError> {
        let Some(direct) = &self.direct else { return self.table().get(project, dataset, table, None).await };
        direct.send(direct.table([project, dataset, table])).await
    }

    /// The names and types of a table's columns.
    pub async fn columns(&self, [project, dataset, table]: [&str; 3]) -> Result<Vec<ColumnType>, BQError> {
        let answer: TypedTable = if let Some(direct) = &self.direct {
            direct.send(direct.table([project, dataset, table])).await?
        } else {
            let table = self.table().get(project, dataset, table, None).await?;
            serde_json::from_value(serde_json::to_value(table)?)?
        };
        Ok(answer.schema.unwrap_or_default().fields)
    }
}

/// A column of a table, of a known type or not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnType {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub mode: Option<String>,
    pub range_element_type: Option<RangeElement>,
    /// The fields of a `STRUCT`.
    #[serde(default)]
    pub fields: Vec<Self>,
}

/// What a `RANGE` is of.
#[derive(Debug, Deserialize)]
pub struct RangeElement {
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Deserialize)]
struct TypedTable {
    schema: Option<TypedSchema>,
}

#[derive(Default, Deserialize)]
struct TypedSchema {
    #[serde(default)]
    fields: Vec<ColumnType>,
}

impl Direct {
    fn url(&self, segments: &[&str]) -> String {
        segments.iter().fold(self.base.clone(), |mut url, segment| {
            url.push('/');
            url.extend(form_urlencoded::byte_serialize(segment.as_bytes()));
            url
        })
    }

    fn table(&self, [project, dataset, table]: [&str; 3]) -> reqwest::RequestBuilder {
        self.http.get(self.url(&["projects", project, "datasets", dataset, "tables", table]))
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, BQError> {
        let token = self.authenticator.access_token().await?;
        let answer = request.bearer_auth(token).send().await?;
        let is_success = answer.status().is_success();
        let body = answer.bytes().await?;
        if is_success {
            return read(&body);
        }
        Err(BQError::ResponseError { error: serde_json::from_slice(&body)? })
    }
}

/// Reads an answer. What is no JSON object, as from a proxy, is `NoDataAvailable`: it may differ the next time.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BQError> {
    if let Ok(answer) = serde_json::from_slice(body) {
        return Ok(answer);
    }
    let mut answer: Value = serde_json::from_slice(body)?;
    if !answer.is_object() {
        return Err(BQError::NoDataAvailable);
    }
    unknown_types_as_text(&mut answer);
    Ok(serde_json::from_value(answer)?)
}

/// Replaces types of columns that the models do not know: `RANGE`, and those to come. Their values are texts.
fn unknown_types_as_text(answer: &mut Value) {
    match answer {
        Value::Array(elements) => elements.iter_mut().for_each(unknown_types_as_text),
        Value::Object(members) => {
            if let Some(Value::Array(fields)) = members.get_mut("fields") {
                for kind in fields.iter_mut().filter_map(|field| field.get_mut("type")) {
                    if kind.is_string() && FieldType::deserialize(&*kind).is_err() {
                        *kind = Value::from("STRING");
                    }
                }
            }
            members.values_mut().for_each(unknown_types_as_text);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_of_unknown_types_are_texts_at_any_depth() {
        let nested = json!([{"name": "r", "type": "RANGE", "rangeElementType": {"type": "DATE"}}, {"name": "n", "type": "INTEGER"}]);
        let fields =
            json!([{"name": "s", "type": "RECORD", "fields": nested}, {"name": "t", "type": "A_TYPE_OF_TOMORROW"}]);
        let job = json!({"statistics": {"query": {"schema": {"fields": fields}, "totalBytesProcessed": "7"}}});
        let job: Job = read(job.to_string().as_bytes()).unwrap();
        let schema = job.statistics.and_then(|statistics| statistics.query?.schema?.fields).unwrap();
        assert!(matches!(schema[1].r#type, FieldType::String));
        let inner = schema[0].fields.as_ref().unwrap();
        assert!(matches!((&inner[0].r#type, &inner[1].r#type), (FieldType::String, FieldType::Integer)));
    }

    #[test]
    fn an_answer_that_does_not_fit_differs_from_one_that_is_none() {
        let fault = |body: &str| read::<Job>(body.as_bytes()).map(|_| ()).unwrap_err();
        assert!(matches!(fault("\"odd\""), BQError::NoDataAvailable));
        assert!(matches!(fault("{\"id\": [1]}"), BQError::SerializationError(fault) if fault.is_data()));
        assert!(matches!(fault("<html>"), BQError::SerializationError(fault) if fault.is_syntax()));
        assert!(matches!(fault("{\"id\": "), BQError::SerializationError(fault) if fault.is_eof()));
    }
}
