//! The items of an envelope, field by field.

use serde_json::Value;

/// Whether a text is a time in RFC 3339 and UTC.
pub fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
}

fn is_id(value: &Value) -> bool {
    let hexadecimal = |text: &str| text.len() == 32 && text.chars().all(|letter| letter.is_ascii_hexdigit());
    value.as_str().is_some_and(|text| hexadecimal(&text.replace('-', "")))
}

/// Whether both are the same id, each with or without hyphens.
fn is_same_id(one: &Value, other: &Value) -> bool {
    let plain = |id: &Value| id.as_str().unwrap_or_default().replace('-', "");
    is_id(one) && is_id(other) && plain(one) == plain(other)
}

/// The name of a field, whether it is required, and a check of its value.
type Rule = (&'static str, bool, fn(&Value) -> bool);

fn check(kind: &str, object: &Value, rules: &[Rule]) -> Result<(), String> {
    let fields = object.as_object().ok_or_else(|| format!("{kind} is not an object: {object}"))?;
    for name in fields.keys() {
        if !rules.iter().any(|(known, ..)| known == name) {
            return Err(format!("{kind}: {name} is unknown: {object}"));
        }
    }
    for (name, required, fits) in rules {
        match fields.get(*name) {
            None if *required => return Err(format!("{kind} without {name}: {object}")),
            Some(value) if !fits(value) => return Err(format!("{kind}: {name} is wrong: {object}")),
            _ => {}
        }
    }
    Ok(())
}

fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn time(value: &Value) -> bool {
    value.as_str().is_some_and(is_time)
}

fn seconds(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| seconds >= 0.0)
}

fn anything(_: &Value) -> bool {
    true
}

/// Checks an item as <https://develop.sentry.dev/sdk/> describes its type.
///
/// # Errors
/// How it violates the description.
pub fn check_item(kind: &str, payload: &Value, headers: &Value) -> Result<(), String> {
    match kind {
        "event" => {
            let same = is_same_id(&payload["event_id"], &headers["event_id"]);
            // Bugsink and Relay check its schema.
            if same { Ok(()) } else { Err(format!("event ids differ: {headers} {}", payload["event_id"])) }
        }
        "attachment" => check(kind, payload, &[("name", true, text), ("text", true, Value::is_string)]),
        "transaction" => check_transaction(payload, headers),
        "check_in" => check_check_in(payload),
        "session" => check_session(payload),
        "client_report" => {
            check(kind, payload, &[("timestamp", true, anything), ("discarded_events", true, Value::is_array)])?;
            let discarded = payload["discarded_events"].as_array().into_iter().flatten();
            let reason = |value: &Value| {
                [
                    "queue_overflow",
                    "cache_overflow",
                    "ratelimit_backoff",
                    "network_error",
                    "sample_rate",
                    "before_send",
                    "event_processor",
                    "send_error",
                    "internal_sdk_error",
                    "insufficient_data",
                    "backpressure",
                ]
                .contains(&value.as_str().unwrap_or_default())
            };
            let rules: [Rule; 3] =
                [("reason", true, reason), ("category", true, text), ("quantity", true, Value::is_u64)];
            discarded.into_iter().try_for_each(|discarded| check("discarded", discarded, &rules))
        }
        other => Err(format!("{other} is unknown")),
    }
}

fn check_transaction(payload: &Value, headers: &Value) -> Result<(), String> {
    if !is_same_id(&payload["event_id"], &headers["event_id"]) {
        return Err(format!("event ids differ: {headers} {payload}"));
    }
    for name in ["timestamp", "start_timestamp", "transaction", "spans"] {
        if payload.get(name).is_none() {
            return Err(format!("a transaction without {name}: {payload}"));
        }
    }
    let trace = &payload["contexts"]["trace"];
    let is_span = |value: &Value| value.as_str().is_some_and(|text| text.len() == 16 && text != "0000000000000000");
    if !is_id(&trace["trace_id"]) || !is_span(&trace["span_id"]) {
        return Err(format!("a transaction without a trace: {payload}"));
    }
    let mut known = vec![trace["span_id"].clone()];
    let spans = payload["spans"].as_array().ok_or("spans are not a list")?;
    known.extend(spans.iter().map(|span| span["span_id"].clone()));
    for span in spans {
        if span["trace_id"] != trace["trace_id"]
            || !is_span(&span["span_id"])
            || !known.contains(&span["parent_span_id"])
        {
            return Err(format!("a span with an unknown parent: {span} in {payload}"));
        }
        if span.get("timestamp").is_none() || span.get("start_timestamp").is_none() || !text(&span["op"]) {
            return Err(format!("a span without its times or op: {span}"));
        }
    }
    Ok(())
}

fn check_check_in(payload: &Value) -> Result<(), String> {
    let status = |value: &Value| ["in_progress", "ok", "error"].contains(&value.as_str().unwrap_or_default());
    let slug = |value: &Value| {
        value.as_str().is_some_and(|slug| {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
            (1..=50).contains(&slug.len()) && slug.chars().all(plain)
        })
    };
    check(
        "check_in",
        payload,
        &[
            ("check_in_id", true, is_id),
            ("monitor_slug", true, slug),
            ("status", true, status),
            ("duration", payload["status"] != "in_progress", seconds),
            ("environment", false, text),
            ("release", false, text),
            ("contexts", false, Value::is_object),
            ("monitor_config", false, Value::is_object),
        ],
    )?;
    let Some(config) = payload.get("monitor_config") else { return Ok(()) };
    let minutes = |value: &Value| value.as_u64().is_some_and(|minutes| minutes > 0);
    check(
        "monitor_config",
        config,
        &[
            ("schedule", true, Value::is_object),
            ("checkin_margin", false, minutes),
            ("max_runtime", false, minutes),
            ("timezone", false, text),
            ("failure_issue_threshold", false, minutes),
            ("recovery_threshold", false, minutes),
        ],
    )?;
    if config["schedule"]["type"] == "crontab" {
        return check("schedule", &config["schedule"], &[("type", true, text), ("value", true, text)]);
    }
    let interval = |value: &Value| value == "interval";
    let unit = |value: &Value| {
        ["year", "month", "week", "day", "hour", "minute"].contains(&value.as_str().unwrap_or_default())
    };
    check("schedule", &config["schedule"], &[("type", true, interval), ("value", true, minutes), ("unit", true, unit)])
}

fn check_session(payload: &Value) -> Result<(), String> {
    let status = |value: &Value| ["ok", "exited", "crashed", "abnormal"].contains(&value.as_str().unwrap_or_default());
    check(
        "session",
        payload,
        &[
            ("sid", true, is_id),
            ("did", false, |value| value.is_null() || text(value)),
            ("seq", false, Value::is_u64),
            ("timestamp", false, time),
            ("started", true, time),
            ("init", false, Value::is_boolean),
            ("duration", false, seconds),
            ("status", true, status),
            ("errors", false, Value::is_u64),
            ("attrs", true, Value::is_object),
        ],
    )?;
    check("attrs", &payload["attrs"], &[("release", true, text), ("environment", false, text)])
}
