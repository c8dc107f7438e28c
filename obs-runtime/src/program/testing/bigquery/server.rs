//! The server, and the jobs that it runs.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use serde_json::{Value, json};

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::tracked_client::Client;
use crate::config::validated::Config;
use crate::pipeline::global;
use crate::program::testing::bigquery::script::{Answer, QueryRun, QueryScript, Script};
use crate::program::testing::bigquery::wire::{self, Request};

/// The project of the clients.
const PROJECT: &str = "test";

/// Starts a server on a free port of loopback that answers as the test says. It stops when it is dropped.
///
/// A query without a scripted answer fails with the reason `invalidQuery`, and a message that says so and what is scripted. Nothing of
/// BigQuery is evaluated: the text of a query only chooses its answer. What prices, refuses, limits, labels and books the query is the client of production.
///
/// ```
/// use obs_runtime::bigquery::{BigQueryError, Client};
/// use obs_runtime::testing::{Capture, bigquery};
/// use obs_runtime::{Config, bq_cost};
///
/// #[bq_cost(max_usd = 5.0)]
/// async fn sign_ups(client: &Client) -> Result<Vec<u64>, BigQueryError> {
///     client.query("SELECT COUNT(*) AS n FROM growth.sign_ups").rows::<u64>().await?.all().await
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let bigquery = bigquery()?;
/// bigquery.on("FROM growth.sign_ups").bytes(1 << 40).rows([42]);       // one TiB: $6.25, more than the limit
/// let captured = Capture::new().config(bigquery.config()).run_async(async {
///     sign_ups(&bigquery.client().await?).await
/// }).await;
/// assert!(matches!(captured.value, Err(BigQueryError::Refused(_))));
/// captured.cost_alerts().operation("sign_ups").reason("limit").once();
/// assert_eq!(bigquery.queries(), []);
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Returns an error if no port of loopback can be opened.
pub fn bigquery() -> io::Result<ScriptedBigQuery> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (scripts, state) = (Arc::<Mutex<Vec<Script>>>::default(), Arc::<Mutex<State>>::default());
    let ended = Arc::<AtomicBool>::default();
    let (scripted, served, over) = (Arc::clone(&scripts), Arc::clone(&state), Arc::clone(&ended));
    thread::Builder::new().name("obs-test-bigquery".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            if over.load(Ordering::SeqCst) {
                break;
            }
            let (scripts, state) = (Arc::clone(&scripted), Arc::clone(&served));
            thread::spawn(move || serve(&stream, &scripts, &state));
        }
    })?;
    Ok(ScriptedBigQuery { address, scripts, state, ended })
}

/// A server of BigQuery's API with scripted answers. See [`bigquery`].
#[derive(Debug)]
pub struct ScriptedBigQuery {
    address: SocketAddr,
    scripts: Arc<Mutex<Vec<Script>>>,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    queries: Vec<QueryRun>,
    dry_runs: Vec<QueryRun>,
    cancelled: Vec<String>,
    unanswered: Vec<String>,
}

#[derive(Debug)]
struct Job {
    answer: Answer,
    configuration: Value,
    /// Whether it runs on.
    runs: bool,
}

impl ScriptedBigQuery {
    /// Scripts the answer to queries whose text contains this. Of several that fit, the one that was scripted last applies.
    ///
    /// ```
    /// # let bigquery = obs_runtime::testing::bigquery()?;
    /// // The first query fails, after one request that is repeated; the second and all others have a row.
    /// let orders = bigquery.on("FROM sales.orders").refuses(503, "backendError", "try again");
    /// orders.then().fails("resourcesExceeded", "too large").then().rows([42]);
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn on(&self, part_of_query: &str) -> QueryScript<'_> {
        let mut scripts = lock(&self.scripts);
        scripts.push(Script::new(part_of_query));
        QueryScript { scripts: &self.scripts, index: scripts.len().saturating_sub(1) }
    }

    /// The default configuration with the address of the server. Budgets are in memory, one set for each capture.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::default().with(|config| config.bigquery_emulator_host = Some(self.host()))
    }

    /// The host and port, as in `BIGQUERY_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A client of the server, within a capture with its [configuration](Self::config). It retries transient failures at once, for 200 ms.
    ///
    /// # Errors
    /// Returns an error outside of such a capture, where a client would ask another server.
    pub async fn client(&self) -> Result<Client, BigQueryError> {
        let asked = global::pipeline().and_then(|pipeline| pipeline.config().bigquery_emulator_host.clone());
        if asked.as_deref() != Some(&*self.host()) {
            let usage = "this client would ask another server than the scripted one: make it inside of a capture with the \
                         configuration of the server, `Capture::new().config(bigquery.config())`";
            return Err(BigQueryError::Usage(usage.to_owned()));
        }
        let pause = Duration::from_millis(1);
        let retry = Retry { first_pause: pause, longest_pause: pause, give_up_after: Duration::from_millis(200) };
        Client::builder().project(PROJECT).retry(retry).build().await
    }

    /// The scripted answers that no query got, each as the text of [`on`](Self::on) and their number.
    #[must_use]
    pub fn unused(&self) -> Vec<(String, usize)> {
        let scripts = lock(&self.scripts);
        scripts
            .iter()
            .filter(|script| script.unused() > 0)
            .map(|script| (script.part.clone(), script.unused()))
            .collect()
    }

    /// The texts of the queries for which no answer was scripted.
    #[must_use]
    pub fn unanswered(&self) -> Vec<String> {
        lock(&self.state).unanswered.clone()
    }

    /// The queries that were run.
    #[must_use]
    pub fn queries(&self) -> Vec<QueryRun> {
        lock(&self.state).queries.clone()
    }

    /// The queries that were priced.
    #[must_use]
    pub fn dry_runs(&self) -> Vec<QueryRun> {
        lock(&self.state).dry_runs.clone()
    }

    /// The texts of the queries whose jobs were cancelled. Obs cancels a job on a thread of its own: it may be a little later.
    #[must_use]
    pub fn cancelled(&self) -> Vec<String> {
        lock(&self.state).cancelled.clone()
    }
}

impl Drop for ScriptedBigQuery {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the answer for a job that runs is held back.
const HELD_BACK: Duration = Duration::from_millis(20);

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, scripts: &Mutex<Vec<Script>>, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader) {
        let (status, body) = lock(state).answer(&request, &mut lock(scripts));
        if body["jobComplete"] == false {
            thread::sleep(HELD_BACK);
        }
        if wire::answer(stream, status, &body).is_err() {
            return;
        }
    }
}

/// The body of an error, as in <https://cloud.google.com/bigquery/docs/error-messages>.
fn error(status: u16, reason: &str, message: &str) -> (u16, Value) {
    let one = json!({"message": message, "domain": "global", "reason": reason});
    (status, json!({"error": {"code": status, "message": message, "errors": [one], "status": "FAILED"}}))
}

impl State {
    fn answer(&mut self, request: &Request, scripts: &mut [Script]) -> (u16, Value) {
        let path = request.path.trim_end_matches("/cancel");
        let id = path.rsplit('/').next().unwrap_or_default();
        match &*request.method {
            "POST" if path != request.path => self.cancel(id),
            "POST" if path.ends_with("/jobs") => self.insert(&request.body, scripts),
            "GET" if path.contains("/queries/") => self.results(id),
            "GET" if path.contains("/jobs/") => self.job(id),
            method => error(501, "notImplemented", &format!("the scripted server does not know {method} {path}")),
        }
    }

    fn insert(&mut self, body: &Value, scripts: &mut [Script]) -> (u16, Value) {
        let configuration = &body["configuration"];
        let sql = configuration["query"]["query"].as_str().unwrap_or_default().to_owned();
        let Some(index) = scripts.iter().rposition(|script| sql.contains(&script.part)) else {
            let parts: Vec<_> = scripts.iter().map(|script| format!("`{}`", script.part)).collect();
            let scripted = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
            let message = format!("no answer is scripted for this query: {sql}; scripted is {scripted}");
            self.unanswered.push(sql);
            return error(400, "invalidQuery", &message);
        };
        let script = &mut scripts[index];
        let answer = script.next();
        if let Some((status, reason, message)) = &answer.refusal {
            script.give();
            return error(*status, reason, message);
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let labels = configuration["labels"].as_object().into_iter().flatten();
        let run = QueryRun {
            sql,
            labels: labels.map(|(name, value)| (name.clone(), text(value))).collect(),
            maximum_bytes_billed: text(&configuration["query"]["maximumBytesBilled"]).parse().ok(),
        };
        if configuration["dryRun"] == true {
            self.dry_runs.push(run);
            let body = json!({"configuration": configuration, "jobReference": {"projectId": PROJECT, "location": "US"},
                "statistics": answer.statistics(false), "status": {"state": "DONE"}});
            return (200, body);
        }
        let id = body["jobReference"]["jobId"].as_str().unwrap_or_default().to_owned();
        script.give();
        self.queries.push(run);
        let runs = answer.never_ends;
        self.jobs.insert(id.clone(), Job { answer, configuration: configuration.clone(), runs });
        self.job(&id)
    }

    fn job(&self, id: &str) -> (u16, Value) {
        let Some(job) = self.jobs.get(id) else { return Self::lost(id) };
        let failure = job.answer.failure.as_ref();
        let failure = failure.map(|(reason, message)| json!({"reason": reason, "message": message}));
        let body = json!({"configuration": job.configuration, "statistics": job.answer.statistics(true),
            "jobReference": Self::reference(id),
            "status": {"state": if job.runs { "RUNNING" } else { "DONE" }, "errorResult": failure}});
        (200, body)
    }

    fn results(&self, id: &str) -> (u16, Value) {
        let Some(job) = self.jobs.get(id) else { return Self::lost(id) };
        if job.runs {
            return (200, json!({"jobComplete": false, "jobReference": Self::reference(id)}));
        }
        if let Some((reason, message)) = &job.answer.failure {
            return error(400, reason, message);
        }
        let (schema, rows) = job.answer.result();
        let body = json!({"jobComplete": true, "jobReference": Self::reference(id), "schema": schema,
            "totalRows": rows.len().to_string(), "rows": rows});
        (200, body)
    }

    fn cancel(&mut self, id: &str) -> (u16, Value) {
        let Some(job) = self.jobs.get_mut(id) else { return Self::lost(id) };
        self.cancelled.extend(job.configuration["query"]["query"].as_str().map(str::to_owned));
        if std::mem::take(&mut job.runs) {
            let message = "Job execution was cancelled: User requested cancellation";
            job.answer.failure = Some(("stopped".to_owned(), message.to_owned()));
        }
        let (status, job) = self.job(id);
        (status, json!({"kind": "bigquery#jobCancelResponse", "job": job}))
    }

    fn reference(id: &str) -> Value {
        json!({"projectId": PROJECT, "jobId": id, "location": "US"})
    }

    fn lost(id: &str) -> (u16, Value) {
        error(404, "notFound", &format!("Not found: Job {PROJECT}:{id}"))
    }
}
