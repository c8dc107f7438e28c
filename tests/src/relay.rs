//! Sentry's own Relay on events: what it would have to repair or refuse in them.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tools;

const SCRIPT: &str = "
import json, sys
from sentry_relay.processing import StoreNormalizer

def remarks(meta, path, found):
    if not isinstance(meta, dict):
        return
    for key, value in meta.items():
        if key == '' and isinstance(value, dict):
            if value.get('err') or value.get('rem'):
                found.append('%s: %s' % ('.'.join(path) or '(event)', json.dumps(value)))
        else:
            remarks(value, path + [key], found)

found = []
for index, event in enumerate(json.load(sys.stdin)):
    normalised = StoreNormalizer(project_id=1).normalize_event(raw_event=json.dumps(event))
    remarks(normalised.get('_meta'), ['event %d' % index], found)
    for name in ('event_id', 'timestamp'):
        if not normalised.get(name):
            found.append('event %d: no %s' % (index, name))
json.dump(found, sys.stdout)
";

/// What Relay says is wrong with these events; nothing when it takes them as they are.
#[must_use]
#[track_caller]
pub fn remarks(events: &[Value]) -> Vec<String> {
    let mut child = Command::new(tools::python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let text = serde_json::to_vec(events).expect("events are JSON");
    child.stdin.take().expect("its input is piped").write_all(&text).expect("python reads its input");
    let output = child.wait_with_output().expect("python ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it answers in JSON")
}
