//! Events as Sentry's own Relay normalises them: what it repairs or rejects.

use serde_json::Value;

use crate::python;

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

/// What Relay repairs or rejects in these events; empty when it accepts them unchanged.
#[must_use]
#[track_caller]
pub fn remarks(events: &[Value]) -> Vec<String> {
    let events = serde_json::to_vec(events).expect("events are JSON");
    let remarks = python::run(SCRIPT, &[], &events).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&remarks).expect("the script writes JSON")
}
