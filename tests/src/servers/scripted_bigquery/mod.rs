//! A server of `BigQuery`'s API that behaves as Google documents and fails as a test scripts it, which the emulator cannot.
//!
//! It keeps jobs by their ids, rejects a duplicate id (409), lets jobs take several polls, and pages through rows. A test can
//! script the replies to the next requests of a kind.

mod behaviour;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use behaviour::error;
pub use behaviour::{Behaviour, Reply};
use serde_json::{Value, json};
use wire::{job_id, parameter, read};

/// The method of the API that a request calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `jobs.insert` with `dryRun`.
    DryRun,
    /// `jobs.insert`.
    Insert,
    /// `jobs.getQueryResults`.
    Results,
    /// `jobs.get`.
    Get,
    /// `jobs.cancel`.
    Cancel,
    /// `tables.get`.
    Table,
    /// `tabledata.insertAll`.
    Rows,
    /// A request for an access token.
    Token,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub call: Call,
    /// The path and query.
    pub path: String,
    /// The body as JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
    /// The access token.
    pub token: String,
    /// The header `Metadata-Flavor`, which the metadata server requires.
    pub flavour: Option<String>,
}

#[derive(Debug)]
struct Job {
    body: Value,
    polls: u32,
    stopped: bool,
    failure: Option<(String, String)>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    jobs: BTreeMap<String, Job>,
    script: BTreeMap<Call, VecDeque<Reply>>,
    requests: Vec<Request>,
    tokens: u32,
}

/// The server. It stops on drop.
#[derive(Debug)]
pub struct ScriptedBigQuery {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

impl ScriptedBigQuery {
    /// Starts one.
    #[must_use]
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        Self::listen(listener, behaviour)
    }

    /// Starts one on this listener.
    #[must_use]
    pub fn listen(listener: TcpListener, behaviour: Behaviour) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
        let (jobs, script) = (BTreeMap::new(), BTreeMap::new());
        let state = Arc::new(Mutex::new(State { behaviour, jobs, script, requests: Vec::new(), tokens: 0 }));
        let ended = Arc::new(AtomicBool::new(false));
        let (served, over) = (Arc::clone(&state), Arc::clone(&ended));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&served);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state, ended }
    }

    /// Its host and port, as in `BIGQUERY_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Scripts the reply to the next request of this kind. Further calls script the requests after it.
    pub fn next(&self, call: Call, reply: Reply) {
        self.lock().script.entry(call).or_default().push_back(reply);
    }

    /// Drops what is scripted for further requests.
    pub fn clear(&self) {
        self.lock().script.clear();
    }

    /// Changes what later queries do.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.lock().behaviour);
    }

    /// The requests of this kind so far.
    #[must_use]
    pub fn requests(&self, call: Call) -> Vec<Request> {
        self.lock().requests.iter().filter(|request| request.call == call).cloned().collect()
    }

    /// How many jobs were started; dry runs are not jobs.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.lock().jobs.len()
    }

    /// How many jobs were cancelled.
    #[must_use]
    pub fn stopped(&self) -> usize {
        self.lock().jobs.values().filter(|job| job.stopped).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for ScriptedBigQuery {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let call = request.call;
        let scripted = {
            let mut state = lock(state);
            state.requests.push(request.clone());
            state.script.get_mut(&call).and_then(VecDeque::pop_front)
        };
        let (status, body) = match scripted {
            Some(Reply::Answer(status, body)) => (status, body.to_string()),
            Some(Reply::Html(status)) => (status, "<html>The server encountered an error</html>".to_owned()),
            Some(Reply::Break) => return,
            Some(Reply::Lose) => {
                lock(state).answer(&request);
                return;
            }
            None => {
                let (status, body) = lock(state).answer(&request);
                (status, body.to_string())
            }
        };
        let head =
            format!("HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        let mut stream = stream;
        if stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

impl State {
    /// The regular reply.
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        if request.path.contains("/computeMetadata/") && request.flavour.as_deref() != Some("Google") {
            return (403, error(403, "forbidden", "Missing Metadata-Flavor:Google header."));
        }
        if request.call == Call::Token {
            self.tokens += 1;
            return (
                200,
                json!({"access_token": format!("token-{}", self.tokens), "expires_in": 3600, "token_type": "Bearer"}),
            );
        }
        if self.behaviour.token.as_ref().is_some_and(|token| *token != request.token) {
            return (401, error(401, "authError", "Invalid Credentials"));
        }
        let id = job_id(request);
        match request.call {
            Call::DryRun => (
                200,
                json!({"configuration": request.body["configuration"],
                "jobReference": {"projectId": "p", "location": self.behaviour.location},
                "statistics": self.statistics(self.behaviour.estimated_bytes, false), "status": {"state": "DONE"}}),
            ),
            Call::Insert if self.is_elsewhere(request.body["jobReference"]["location"].as_str()) => {
                let message = format!(
                    "Not found: Dataset p:d was not found in location {}",
                    request.body["jobReference"]["location"]
                );
                (404, error(404, "notFound", &message))
            }
            Call::Insert if self.jobs.contains_key(&id) => {
                (409, error(409, "duplicate", &format!("Already Exists: Job p:{id}")))
            }
            Call::Insert => {
                let failure = self.behaviour.failures.pop_front();
                let job = Job { body: request.body.clone(), polls: 0, stopped: false, failure };
                self.jobs.insert(id.clone(), job);
                (200, self.job(&id))
            }
            Call::Rows => (200, json!({"kind": "bigquery#tableDataInsertAllResponse"})),
            Call::Table => {
                let mut table = json!({"tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
                    "schema": {"fields": []}});
                merge(&mut table, &self.behaviour.table);
                (200, table)
            }
            // Outside of the multi-regions a job is only found with its location.
            _ if !self.jobs.contains_key(&id) || self.is_lost(parameter(&request.path, "location")) => {
                (404, error(404, "notFound", &format!("Not found: Job p:{id}")))
            }
            Call::Cancel => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.stopped = true;
                }
                (200, json!({"kind": "bigquery#jobCancelResponse", "job": self.job(&id)}))
            }
            Call::Results => self.results(&id, &request.path),
            Call::Get | Call::Token => {
                if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.body["configuration"]["load"].is_object()) {
                    job.polls += 1;
                }
                (200, self.job(&id))
            }
        }
    }

    /// Whether a request names another location than the tables'.
    fn is_elsewhere(&self, location: Option<&str>) -> bool {
        location.is_some_and(|location| location != self.behaviour.location)
    }

    fn is_lost(&self, location: Option<&str>) -> bool {
        !matches!(&*self.behaviour.location, "US" | "EU") && location != Some(&self.behaviour.location)
    }

    fn results(&mut self, id: &str, path: &str) -> (u16, Value) {
        let polls = self.behaviour.polls;
        let location = self.behaviour.location.clone();
        let Some(job) = self.jobs.get_mut(id) else { return (404, Value::Null) };
        job.polls += 1;
        let reference = json!({"projectId": "p", "jobId": id, "location": location});
        if !job.stopped && polls.is_none_or(|polls| job.polls < polls) {
            thread::sleep(Duration::from_millis(5));
            return (200, json!({"jobComplete": false, "jobReference": reference}));
        }
        if let Some((reason, message)) = &job.failure {
            return (400, error(400, reason, message));
        }
        let parameter = |name: &str| parameter(path, name).and_then(|value| value.parse::<u64>().ok());
        let from = parameter("pageToken").unwrap_or(0);
        let to = (from + parameter("maxResults").unwrap_or(1000)).min(self.behaviour.rows);
        let rows: Vec<Value> = (from..to).map(|row| json!({"f": [{"v": row.to_string()}]})).collect();
        let token = (to < self.behaviour.rows).then(|| to.to_string());
        let schema = json!({"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]});
        (
            200,
            json!({"jobComplete": true, "jobReference": reference, "schema": schema, "rows": rows,
            "totalRows": self.behaviour.rows.to_string(), "pageToken": token}),
        )
    }

    fn job(&self, id: &str) -> Value {
        let job = &self.jobs[id];
        let is_done = job.stopped || self.behaviour.polls.is_some_and(|polls| job.polls >= polls);
        let failure = match &job.failure {
            _ if job.stopped => Some(json!({"reason": "stopped", "message": "Job execution was cancelled"})),
            Some((reason, message)) if is_done => Some(json!({"reason": reason, "message": message})),
            _ => None,
        };
        let status =
            if is_done { json!({"state": "DONE", "errorResult": failure}) } else { json!({"state": "RUNNING"}) };
        let reference = json!({"projectId": "p", "jobId": id, "location": self.behaviour.location});
        // The statements of a script stay billed when a later one fails.
        let is_script = self.behaviour.more["statementType"] == "SCRIPT";
        let failed = is_done && job.failure.is_some() && !is_script;
        let billed = if failed { 0 } else { self.behaviour.billed_bytes };
        let statistics = if job.body["configuration"]["load"].is_object() {
            json!({"creationTime": "1700000000000", "load": {"inputFiles": "1", "outputRows": self.behaviour.rows.to_string()}})
        } else {
            self.statistics(billed, true)
        };
        json!({"configuration": job.body["configuration"], "jobReference": reference, "status": status,
            "statistics": statistics})
    }

    fn statistics(&self, bytes: u64, ran: bool) -> Value {
        let tables: Vec<Value> = self
            .behaviour
            .tables
            .iter()
            .map(|name| {
                let parts: Vec<&str> = name.split('.').collect();
                json!({"projectId": parts[0], "datasetId": parts[1], "tableId": parts[2]})
            })
            .collect();
        let mut query = json!({"totalBytesProcessed": bytes.to_string(), "referencedTables": tables,
            "statementType": "SELECT", "totalBytesBilled": if ran { bytes } else { 0 }.to_string(), "cacheHit": false});
        if ran {
            merge(&mut query, &json!({"totalSlotMs": "7200"}));
            merge(&mut query, &self.behaviour.more);
        } else {
            merge(&mut query, &self.behaviour.dry_run);
        }
        let mut all = json!({"query": query, "totalBytesProcessed": bytes.to_string(),
            "creationTime": "1700000000000", "startTime": "1700000000100", "endTime": "1700000001600"});
        merge(&mut all, &self.behaviour.statistics);
        all
    }
}

fn merge(into: &mut Value, more: &Value) {
    if let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) {
        into.extend(more.clone());
    }
}
