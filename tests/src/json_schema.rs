//! Documents against a JSON schema, by the library `jsonschema` for Python.

use serde_json::json;

use crate::python;

const SCRIPT: &str = "
import json, sys
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
given = json.load(sys.stdin)
schemas = [json.loads(text) for text in given['schemas']]
registry = Registry().with_resources(
    [(schema['$id'], Resource.from_contents(schema)) for schema in schemas if '$id' in schema])
schema = schemas[0]
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
faults = [f'{fault.json_path}: {fault.message}' for fault in validator.iter_errors(json.loads(given['document']))]
sys.exit('\\n'.join(faults) or None)
";

/// Validates a document by the first schema, which may refer to the others by their `$id`.
///
/// # Errors
/// What violates the schema.
pub fn validate(schemas: &[&str], document: &str) -> Result<(), String> {
    let input = json!({ "schemas": schemas, "document": document });
    python::run(SCRIPT, &[], input.to_string().as_bytes()).map(drop)
}
