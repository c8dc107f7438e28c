//! Manifests of Kubernetes, by the schemas of a release.

use crate::python;

const SCRIPT: &str = "
import json, sys, yaml
from kubernetes_validate import ValidationError, latest_version, validate
remarks = []
for text in json.load(sys.stdin):
    manifest = yaml.safe_load(text)
    try:
        validate(manifest, latest_version(), strict=True)
    except ValidationError as error:
        remarks.append('%s %s: %s' % (manifest.get('kind'), error.path, error.message))
json.dump(remarks, sys.stdout)
";

/// What the schemas of the latest release, which allow no other fields, do not allow in these manifests in YAML.
#[must_use]
#[track_caller]
pub fn remarks(manifests: &[String]) -> Vec<String> {
    let input = serde_json::to_vec(manifests).expect("it is JSON");
    let remarks = python::run(SCRIPT, &[], &input).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&remarks).expect("the script writes JSON")
}
