//! JSON for Datadog's API, by the models of Datadog's own client.

use serde_json::{Value, json};

use crate::python;

const SCRIPT: &str = "
import importlib, json, sys
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject, validate_and_convert_types

MODELS = {
    '/api/v2/series': ('v2', 'MetricPayload'),
    '/api/v1/distribution_points': ('v1', 'DistributionPointsPayload'),
    '/api/v1/check_run': ('v1', 'ServiceChecks'),
    '/api/v1/events': ('v1', 'EventCreateRequest'),
    'monitor': ('v1', 'Monitor'),
    'slo': ('v1', 'ServiceLevelObjectiveRequest'),
    'dashboard': ('v1', 'Dashboard'),
}

# What no model knows is kept instead of refused.
def unknown(value, path):
    if isinstance(value, UnparsedObject) or getattr(value, '_unparsed', False):
        yield path
    if isinstance(value, OpenApiModel):
        known = getattr(type(value), 'attribute_map', None)
        store = getattr(value, '_data_store', {})
        for name, inner in store.items():
            if known is not None and known and name not in known:
                yield path + '.' + name + ' (not in ' + type(value).__name__ + ')'
            yield from unknown(inner, path + '.' + name)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from unknown(inner, path + '.' + str(name))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from unknown(inner, '%s[%d]' % (path, index))

found = []
for index, (kind, body) in enumerate(json.load(sys.stdin)):
    version, name = MODELS[kind]
    model = getattr(importlib.import_module('datadog_api_client.%s.models' % version), name)
    types = ([getattr(importlib.import_module('datadog_api_client.v1.models'), 'ServiceCheck')],) if name == 'ServiceChecks' else (model,)
    try:
        value = validate_and_convert_types(body, types, ['body'], True, True, Configuration())
    except Exception as error:
        found.append('%s %d: %s' % (kind, index, error))
        continue
    found.extend('%s %d: unknown at %s' % (kind, index, path) for path in unknown(value, ''))
json.dump(found, sys.stdout)
";

/// What the client refuses or does not know in these bodies, each with the path of its request, `monitor`, `slo` or `dashboard`.
#[must_use]
#[track_caller]
pub fn remarks<'a>(bodies: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Vec<String> {
    let bodies: Vec<Value> = bodies.into_iter().map(|(kind, body)| json!([kind, body])).collect();
    let input = serde_json::to_vec(&bodies).expect("it is JSON");
    let remarks = python::run(SCRIPT, &[], &input).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&remarks).expect("the script writes JSON")
}
