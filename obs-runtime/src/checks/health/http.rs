//! Health over HTTP: the responses of `/livez`, `/readyz`, `/startupz` and `/healthz`, for any server.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::checks::health::list;
use crate::checks::health::probe::health_of;
use crate::checks::health::readiness;
use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::status::Status;
use crate::pipeline::global;

/// The content type of `draft-inadarei-api-health-check-06`.
const HEALTH_JSON: &str = "application/health+json";

const JSON: &str = "application/json";

const TEXT: &str = "text/plain; charset=utf-8";

/// The response to a probe. It must not be cached: send it with `Cache-Control: no-store`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthResponse {
    /// 200 when the program is healthy, degraded or has no checks; 503 when it is unhealthy; 404 when no check is in the
    /// group.
    pub status: u16,
    /// `text/plain` or `application/health+json`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A parsed request of a probe.
struct ProbeRequest {
    path: &'static str,
    group: String,
    verbose: bool,
    json: Option<&'static str>,
}

impl ProbeRequest {
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
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "verbose" => verbose = !["0", "false", "no", "off"].contains(&&*value),
                "group" if path == "healthz" => group = value.into_owned(),
                _ => {}
            }
        }
        Some(Self { path, group, verbose, json: accepted_json(accept) })
    }
}

/// The JSON content type that the client names, if it prefers it to plain text or likes both equally.
fn accepted_json(accept: &str) -> Option<&'static str> {
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

/// Answers `/livez`, `/readyz`, `/startupz` and `/healthz?group=…`, each also with `verbose=1`, on a server of your own.
/// Returns none for any other path. A prefix is allowed: `/internal/readyz`.
///
/// `path_and_query` is the request target, `accept` the `Accept` header or an empty string. The checks run on threads of
/// their own; concurrent requests share one run, and its report is reused for a second. The endpoint of obs uses this
/// function too.
///
/// After SIGTERM, and after [`set_ready(false)`](crate::Guard::set_ready), the group `ready` is unhealthy without a run of its
/// checks. Liveness does not change.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// // For example in a handler of axum: `health_response(uri.path_and_query(), headers.get(ACCEPT))`.
/// let response = obs_runtime::health_response("/livez", "").await;
/// assert_eq!(response.map(|response| (response.status, response.body)), Some((200, "ok".to_owned())));
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
pub async fn health_response(path_and_query: &str, accept: &str) -> Option<HealthResponse> {
    let request = ProbeRequest::new(path_and_query, accept)?;
    let is_standard = ["live", "ready", "startup", ""].contains(&&*request.group);
    if !is_standard && !list::groups().contains(&&*request.group) {
        let body = "no health check is in that group".to_owned();
        return Some(HealthResponse { status: 404, content_type: TEXT, body });
    }
    if request.group == "ready"
        && let Some(refusal) = readiness::refusal()
    {
        return Some(respond(&request, &refusal));
    }
    let report =
        if is_standard && !request.group.is_empty() && list::select(std::slice::from_ref(&request.group)).is_empty() {
            // Without a check, the response itself shows that the process works.
            Arc::new(HealthReport { status: Status::Healthy, checks: Vec::new() })
        } else {
            health_of(&request.group).await
        };
    Some(respond(&request, &report))
}

fn respond(request: &ProbeRequest, report: &HealthReport) -> HealthResponse {
    let status = if report.status == Status::Unhealthy { 503 } else { 200 };
    match request.json {
        Some(content_type) => {
            HealthResponse { status, content_type, body: health_json(report, request.verbose).to_string() }
        }
        None => HealthResponse { status, content_type: TEXT, body: text(request, report, status == 200) },
    }
}

/// The format of the Kubernetes API server.
fn text(request: &ProbeRequest, report: &HealthReport, passed: bool) -> String {
    let outcome = if passed { "passed" } else { "failed" };
    if !request.verbose {
        return if passed { "ok".to_owned() } else { format!("{} check failed", request.path) };
    }
    let mut text = String::new();
    for check in &report.checks {
        let sign = if check.status == Status::Unhealthy { '-' } else { '+' };
        let message = check.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let word = if check.status == Status::Healthy { "ok" } else { check.status.as_str() };
        // One line for each check.
        let message = message.replace(['\n', '\r'], " ");
        let _ = writeln!(text, "[{sign}]{} {word}{message}", check.name);
    }
    let _ = write!(text, "{} check {outcome}", request.path);
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

/// The draft has no status for a check that did not run: it is a warning, not a failure.
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
    fn the_accept_header_decides_the_format() {
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
            assert_eq!(accepted_json(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn a_request_is_parsed_from_the_path_and_its_query() {
        let ask = |path| ProbeRequest::new(path, "").map(|request| (request.path, request.group, request.verbose));
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
