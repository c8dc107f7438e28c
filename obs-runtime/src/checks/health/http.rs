//! Health over HTTP: what `/livez`, `/readyz`, `/startupz` and `/healthz` answer, whatever server they are asked on.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::checks::health::list;
use crate::checks::health::probe::health_of;
use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::verdict::Status;
use crate::pipeline::global;

/// The content type of the draft `draft-inadarei-api-health-check-06`.
const HEALTH_JSON: &str = "application/health+json";

const JSON: &str = "application/json";

const TEXT: &str = "text/plain; charset=utf-8";

/// An answer to a probe, for whatever server to send. It must not be stored: send `Cache-Control: no-store` with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthResponse {
    /// 200 when the program is healthy, degraded, or has nothing to say; 503 when it is unhealthy; 404 when no check is in
    /// the group.
    pub status: u16,
    /// `text/plain` or `application/health+json`.
    pub content_type: &'static str,
    /// What to send.
    pub body: String,
}

/// What a probe asks.
struct Question {
    path: &'static str,
    group: String,
    verbose: bool,
    json: Option<&'static str>,
}

impl Question {
    fn new(path_and_query: &str, accept: &str) -> Option<Self> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let last = path.rsplit('/').next().unwrap_or_default();
        let (path, mut group) = match last {
            "livez" => ("livez", "live".to_owned()),
            "readyz" => ("readyz", "ready".to_owned()),
            "startupz" => ("startupz", "startup".to_owned()),
            "healthz" => ("healthz", String::new()),
            _ => return None,
        };
        let mut verbose = false;
        for (name, value) in query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
            match name {
                "verbose" => verbose = !["0", "false", "no", "off"].contains(&value),
                "group" if path == "healthz" => group = decoded(value),
                _ => {}
            }
        }
        Some(Self { path, group, verbose, json: json_wanted(accept) })
    }
}

/// The value of a query, with `%20` and `+` read.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The JSON type that a client names, if it likes it no less than plain text.
fn json_wanted(accept: &str) -> Option<&'static str> {
    let quality = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |quality| quality.parse().ok());
        (name, quality.unwrap_or(0.0_f64))
    };
    let ranges: Vec<(String, f64)> = accept.split(',').map(quality).collect();
    let of = |name: &str| ranges.iter().find(|(known, _)| known == name).map_or(0.0, |(_, quality)| *quality);
    let best =
        [HEALTH_JSON, JSON].into_iter().max_by(|left, right| of(left).total_cmp(&of(right)).then(right.cmp(left)))?;
    (of(best) > 0.0 && of(best) >= of("text/plain")).then_some(if of(HEALTH_JSON) >= of(JSON) {
        HEALTH_JSON
    } else {
        JSON
    })
}

/// Answers `/livez`, `/readyz`, `/startupz` and `/healthz?group=…`, each also with `verbose=1`, on a server of your own; none
/// for any other path. The path may stand below another one: `/internal/readyz`.
///
/// `path_and_query` is what the client asked for, `accept` its header `Accept`, or nothing. The checks run on threads of their
/// own; many who ask at the same time share one run, and a report holds for a second. The obs endpoint answers by this too.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// // In a handler of axum, say: `health_response(uri.path_and_query(), headers.get(ACCEPT))`.
/// let answer = obs_runtime::health_response("/livez", "").await;
/// assert_eq!(answer.map(|answer| (answer.status, answer.body)), Some((200, "ok".to_owned())));
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
pub async fn health_response(path_and_query: &str, accept: &str) -> Option<HealthResponse> {
    let question = Question::new(path_and_query, accept)?;
    let is_ours = ["live", "ready", "startup", ""].contains(&&*question.group);
    if !is_ours && !list::groups().contains(&&*question.group) {
        let body = "no health check is in that group".to_owned();
        return Some(HealthResponse { status: 404, content_type: TEXT, body });
    }
    let report =
        if is_ours && !question.group.is_empty() && list::select(std::slice::from_ref(&question.group)).is_empty() {
            // That it answers is all there is to know.
            Arc::new(HealthReport { status: Status::Healthy, checks: Vec::new() })
        } else {
            health_of(&question.group).await
        };
    Some(respond(&question, &report))
}

fn respond(question: &Question, report: &HealthReport) -> HealthResponse {
    let status = if report.status == Status::Unhealthy { 503 } else { 200 };
    match question.json {
        Some(content_type) => {
            HealthResponse { status, content_type, body: health_json(report, question.verbose).to_string() }
        }
        None => HealthResponse { status, content_type: TEXT, body: text(question, report, status == 200) },
    }
}

/// As the Kubernetes API server answers.
fn text(question: &Question, report: &HealthReport, passed: bool) -> String {
    let outcome = if passed { "passed" } else { "failed" };
    if !question.verbose {
        return if passed { "ok".to_owned() } else { format!("{} check failed", question.path) };
    }
    let mut text = String::new();
    for check in &report.checks {
        let sign = if check.status == Status::Unhealthy { '-' } else { '+' };
        let said = check.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let word = if check.status == Status::Healthy { "ok" } else { check.status.as_str() };
        // One line for each check, whatever it says.
        let said = said.replace(['\n', '\r'], " ");
        let _ = writeln!(text, "[{sign}]{} {word}{said}", check.name);
    }
    let _ = write!(text, "{} check {outcome}", question.path);
    text
}

fn health_json(report: &HealthReport, verbose: bool) -> Value {
    let mut body = json!({ "status": draft_status(report.status) });
    if !verbose {
        return body;
    }
    if let Some(pipeline) = global::pipeline() {
        let config = pipeline.config();
        body["serviceId"] = config.service_name.clone().into();
        body["releaseId"] = config.version.clone().into();
    }
    let checks: Map<String, Value> =
        report.checks.iter().map(|check| (check.name.to_string(), json!([component(check)]))).collect();
    body["checks"] = checks.into();
    if matches!(report.status, Status::Unknown | Status::Skipped) {
        body["notes"] = json!([format!("nothing was checked: {}", report.status)]);
    }
    body
}

fn component(check: &HealthResult) -> Value {
    let mut component = json!({ "status": draft_status(check.status), "time": check.time_rfc3339() });
    if check.status != Status::Skipped {
        component["observedValue"] = check.duration_seconds.into();
        component["observedUnit"] = "s".into();
    }
    if let Some(message) = &check.message {
        component["output"] = message.clone().into();
    }
    if let Some(details) = &check.details {
        component["details"] = details.clone();
    }
    component
}

/// What was not checked is no failure, and is a concern.
fn draft_status(status: Status) -> &'static str {
    match status {
        Status::Healthy => "pass",
        Status::Degraded | Status::Unknown | Status::Skipped => "warn",
        Status::Unhealthy => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_accepts_decides_the_form() {
        for (accept, wanted) in [
            ("", None),
            ("*/*", None),
            ("text/html,application/xhtml+xml,*/*;q=0.8", None),
            ("application/health+json", Some(HEALTH_JSON)),
            ("application/json", Some(JSON)),
            ("application/json, application/health+json", Some(HEALTH_JSON)),
            ("application/health+json;q=0.5, application/json", Some(JSON)),
            ("text/plain, application/json;q=0.5", None),
            ("application/health+json;q=0", None),
            ("Application/Health+JSON ; q=0.3", Some(HEALTH_JSON)),
            (";;;,,,q=;q=x", None),
        ] {
            assert_eq!(json_wanted(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn a_question_is_read_from_the_path_and_its_query() {
        let ask = |path| Question::new(path, "").map(|asked| (asked.path, asked.group, asked.verbose));
        assert_eq!(ask("/livez"), Some(("livez", "live".to_owned(), false)));
        assert_eq!(ask("/internal/readyz?verbose"), Some(("readyz", "ready".to_owned(), true)));
        assert_eq!(ask("/readyz?verbose=0&group=live"), Some(("readyz", "ready".to_owned(), false)));
        assert_eq!(ask("/healthz?group=a%20b+c&verbose=1"), Some(("healthz", "a b c".to_owned(), true)));
        assert_eq!(ask("/healthz?group=%zz%"), Some(("healthz", "%zz%".to_owned(), false)));
        for other in ["/", "", "/livez/", "/metrics", "/livezz?verbose"] {
            assert_eq!(ask(other), None, "{other}");
        }
    }
}
