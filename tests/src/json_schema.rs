//! Is a document as its schema says? Asked of the library `jsonschema` for Python.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::tools;

const SCRIPT: &str = "
import json, sys
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
asked = json.load(sys.stdin)
schemas = [json.loads(text) for text in asked['schemas']]
registry = Registry().with_resources(
    [(schema['$id'], Resource.from_contents(schema)) for schema in schemas if '$id' in schema])
schema = dict(schemas[0], **asked['at'])
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
faults = [f'{fault.json_path}: {fault.message}' for fault in validator.iter_errors(json.loads(asked['document']))]
sys.exit('\\n'.join(faults) or None)
";

/// Validates a document by the first schema, which may refer to the others by their `$id`.
///
/// # Errors
/// What is not as the schema says.
pub fn validate(schemas: &[&str], document: &str) -> Result<(), String> {
    validate_at(schemas, &json!({}), document)
}

/// The same by a part of the first schema: `{"$ref": "#/$defs/…"}`.
///
/// # Errors
/// As [`validate`].
pub fn validate_at(schemas: &[&str], at: &serde_json::Value, document: &str) -> Result<(), String> {
    let mut python = Command::new(tools::python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let asked = json!({ "schemas": schemas, "at": at, "document": document });
    serde_json::to_writer(python.stdin.take().expect("its input is piped"), &asked).expect("python reads its input");
    let output = python.wait_with_output().expect("python ends");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
