//! A real `bigquery-emulator`, with `GoogleSQL`'s own analyser.

use std::process::Command;

use super::Daemon;
use crate::{http, ports, tools, wait};

/// An emulator with an empty dataset `d` in the project `p`.
#[derive(Debug)]
pub struct BigQueryEmulator(Daemon);

impl BigQueryEmulator {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self(Daemon::start("bigquery-emulator", "/projects/p/datasets", |folder, port| {
            let mut command = Command::new(tools::go_server("bigquery-emulator"));
            command
                .args(["--project", "p", "--dataset", "d", "--host", "127.0.0.1"])
                .args(["--port", &port.to_string(), "--grpc-port", &ports::free().to_string()])
                .arg("--database")
                .arg(folder.join("emulator.sqlite3"));
            command
        }))
    }

    /// The value for `BIGQUERY_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.address().to_string()
    }

    /// The job with this id, as its API returns it.
    #[must_use]
    #[track_caller]
    pub fn job(&self, id: &str) -> serde_json::Value {
        let body = http::get(&self.0.url(&format!("/bigquery/v2/projects/p/jobs/{id}")), &[]);
        serde_json::from_str(&body.unwrap_or_else(|error| panic!("{error}\n{}", self.0.log())))
            .expect("it answers in JSON")
    }

    /// Creates a table.
    #[track_caller]
    pub fn create_table(&self, table: &serde_json::Value) {
        let request = http::agent(wait::LONG).post(&self.0.url("/bigquery/v2/projects/p/datasets/d/tables"));
        let request = request.header("Content-Type", "application/json");
        let response = request.send(table.to_string()).expect("it answers");
        assert_eq!(response.status(), 200, "{}", self.0.log());
    }

    /// Adds rows to a table of the dataset `d`, each as `insertAll` takes it: `{"json": {…}}`.
    #[track_caller]
    pub fn insert_rows(&self, table: &str, rows: &[serde_json::Value]) {
        let path = format!("/bigquery/v2/projects/p/datasets/d/tables/{table}/insertAll");
        let request = http::agent(wait::LONG).post(&self.0.url(&path)).header("Content-Type", "application/json");
        let response = request.send(serde_json::json!({ "rows": rows }).to_string()).expect("it answers");
        assert_eq!(response.status(), 200, "{}", self.0.log());
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }
}
