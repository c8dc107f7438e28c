//! `dq run` and `dq list`: selection and report formats.

use obs_tests::process::{Finished, Process};
use obs_tests::programs;
#[cfg(feature = "real")]
use obs_tests::python;
use serde_json::{Value, json};

use crate::{rows, run};

#[test]
fn the_exit_code_of_dq_run_tells_whether_the_data_is_usable() {
    let fine = run(&["dq", "run"], &[]);
    assert_eq!(fine.code(), Some(0), "{fine:?}");
    let table = rows(&fine.stdout);
    assert_eq!(table[0], ["check", "dataset", "column", "severity", "status", "value", "seconds", "why"]);
    let odd = table.iter().find(|row| row.first() == Some(&"odd_names")).unwrap();
    assert_eq!(odd[1..4], ["users", "warning", "failed"], "{fine:?}");
    // The failing rows stand between the table and the counts.
    let end = "\n\nodd_names, failing rows:\n  <b>&amp;</b>\n\n3 passed, 1 warned, 1 failed\n";
    assert!(fine.stdout.ends_with(end), "{fine:?}");

    let parts = run(&["dq", "run", "--partition", "2026-11-28"], &[]);
    assert_eq!((parts.code(), &*parts.stderr), (Some(3), "error: none of the checks has partitions\n"), "{parts:?}");

    let errored = run(&["dq", "run", "readable", "--format", "json"], &["TEST_LAGS"]);
    assert_eq!((errored.code(), errored.json()["results"].as_array().unwrap().len()), (Some(1), 2));
    let blocked = run(&["dq", "run", "--dataset", "users"], &["TEST_DOWN"]);
    assert_eq!(blocked.code(), Some(1));
    assert!(blocked.stdout.ends_with("\n1 failed, 2 skipped\n"), "{blocked:?}");
    let unknown = run(&["dq", "run", "odd_nmaes", "readable[nosuch]", "zzz", "--dataset", "usrs"], &[]);
    assert_eq!((unknown.code(), &*unknown.stdout), (Some(3), ""));
    let lines: Vec<_> = unknown.stderr.lines().collect();
    assert_eq!(lines[0], "error: there is no check `odd_nmaes`; did you mean `odd_names`?");
    assert!(lines[1].starts_with("error: there is no check `readable[nosuch]`; did you mean `readable"), "{lines:?}");
    assert_eq!(lines[2], "error: there is no check `zzz`; `dq list` shows all");
    assert_eq!(lines[3], "error: there is no data set `usrs`; did you mean `users`?");
    let half_known = run(&["dq", "run", "odd_names", "odd_nmaes"], &[]);
    assert_eq!((half_known.code(), &*half_known.stdout), (Some(3), ""), "{half_known:?}");
    for wrong in [["dq", "run", "--format=xml"], ["dq", "run", "--timeout=0s"], ["dq", "run", "--at-once=x"]] {
        assert_eq!(run(&wrong, &[]).code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn checks_are_selected_by_pattern_tag_owner_and_severity() {
    let names = |arguments: &[&str]| {
        let listed = run(&[&["dq", "list", "--format", "json"], arguments].concat(), &[]);
        assert_eq!(listed.code(), Some(0), "{listed:?}");
        let list = listed.json();
        list.as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["read*[orders]"]), ["readable[orders]"]);
    assert_eq!(names(&["*"]).len(), 5);
    assert_eq!(names(&["--dataset", "user?", "--exclude", "odd_*"]), ["null_ids", "repeated"]);
    assert_eq!(names(&["--exclude", "readable[orders]", "readable"]), ["readable[returns]"]);
    assert_eq!(names(&["--tag", "tier=gold"]), ["null_ids"]);
    assert_eq!(names(&["--tag", "tier", "--owner", "grow*"]), ["null_ids"]);
    assert_eq!(names(&["--severity", "warning"]), ["odd_names"]);
    for (arguments, problem) in [
        (&["--owner", "growht"][..], "there is no owner `growht`; did you mean `growth`?"),
        (&["--tag", "tier=golden"], "there is no tag `tier=golden`; did you mean `tier=gold`?"),
        (&["--exclude", "odd_nmaes"], "there is no check `odd_nmaes`; did you mean `odd_names`?"),
        (&["zzz*"], "no check matches `zzz*`; `dq list` shows all"),
        (&["--severity", "info"], "no check has the severity info"),
        (&["--owner", "growth", "--severity", "warning"], "no check is owned by `growth` and has the severity warning"),
        (&["--failed-last"], "what failed last is not known: set OBS_STATE_DIR, and initialise obs"),
    ] {
        for command in ["run", "list"] {
            let refused = run(&[&["dq", command], arguments].concat(), &[]);
            assert_eq!((refused.code(), &*refused.stdout), (Some(3), ""), "{arguments:?}");
            assert_eq!(refused.stderr, format!("error: {problem}\n"), "{arguments:?}");
        }
    }
}

#[test]
fn the_markdown_report_lists_what_did_not_pass_and_nothing_in_it_has_an_effect() {
    let lags = run(&["dq", "run", "--format", "markdown"], &["TEST_LAGS"]);
    assert_eq!(lags.code(), Some(1));
    let expected = "\
## Data quality: 1 errored, 1 failed, 1 warned, 2 passed

**The data must not be used.**

| status | check | dataset | column | severity | value | why | owner |
| --- | --- | --- | --- | --- | ---: | --- | --- |
| errored | readable&#91;returns&#93; | returns |  | critical |  | no such table&#58; returns |  |
| failed | odd&#95;names | users |  | warning | 0.25 | expected at most 0.1, seen 0.25 (1 of 4) |  |
| warned | repeated | users |  | critical | 2 | expected at most 1, seen 2 |  |

<details><summary>odd&#95;names: failing rows</summary>

- &#60;b&#62;&#38;amp;&#60;/b&#62;

</details>

<details><summary>2 passed</summary>

- null&#95;ids
- readable&#91;orders&#93;

</details>
";
    assert_eq!(lags.stdout, expected);
    let down = run(&["dq", "run", "null_ids", "--format", "markdown"], &["TEST_DOWN"]);
    let row = "| failed | [null&#95;ids](https://wiki.example.org/null-ids) | users | id | critical | 1 | expected at most 0, seen 1 | growth |";
    assert!(down.stdout.lines().any(|line| line == row), "{down:?}");
}

#[test]
fn what_failed_last_runs_again_until_it_passes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], environment: &[&str]| {
        let process = Process::new(programs::program("embedded")).args(arguments).env("LOG_LEVEL", "off");
        let process = process.env("OBS_STATE_DIR", folder.path().to_str().unwrap());
        environment.iter().fold(process, |process, name| process.env(name, "1")).start().finish()
    };
    let ran = |finished: &Finished| {
        let json = finished.json();
        json["results"].as_array().unwrap().iter().map(|result| result["check"].to_string()).collect::<Vec<_>>()
    };
    let again = ["dq", "run", "--failed-last", "--format", "json"];
    let nothing = run(&again, &[]);
    assert_eq!((nothing.code(), &*nothing.stderr), (Some(3), "error: no check did not pass when it ran last\n"));
    assert_eq!(run(&["dq", "run"], &["TEST_LAGS"]).code(), Some(1));
    let failed = run(&again, &["TEST_LAGS"]);
    assert_eq!(ran(&failed), [r#""odd_names""#, r#""readable[returns]""#, r#""repeated""#], "{failed:?}");
    // What this run does not include stays.
    assert_eq!(run(&["dq", "run", "null_ids"], &[]).code(), Some(0));
    assert_eq!(ran(&run(&again, &[])), [r#""odd_names""#, r#""readable[returns]""#, r#""repeated""#]);
    assert_eq!(ran(&run(&again, &[])), [r#""odd_names""#, r#""repeated""#]);
    let broken = std::fs::read_dir(folder.path().join("data-quality")).unwrap().map(|entry| entry.unwrap().path());
    let file = broken.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    std::fs::write(&file, "[").unwrap();
    let unknown = run(&again, &[]);
    assert_eq!(unknown.code(), Some(3));
    assert!(unknown.stderr.starts_with("error: what failed last cannot be read: "), "{unknown:?}");
}

#[test]
fn checks_are_listed_without_a_run() {
    let listed = run(&["dq", "list", "--format", "json"], &[]);
    let list = listed.json();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(names, ["null_ids", "odd_names", "readable[orders]", "readable[returns]", "repeated"]);
    assert_eq!((&list[0]["owner"], &list[0]["blocking"]), (&"growth".into(), &true.into()));
    assert_eq!(list[0]["runbook"], "https://wiki.example.org/null-ids");
    assert_eq!(list[0]["description"], "Counts the users without an id, which nothing can refer to.");
    assert_eq!((&list[0]["thresholds"], &list[0]["tags"]), (&json!(["fail_above = 0"]), &json!({"tier": "gold"})));
    let table = run(&["dq", "list"], &[]);
    assert!(
        table.stdout.contains("https://wiki.example.org/null-ids") && table.stdout.contains("tier=gold"),
        "{table:?}"
    );
    assert!(table.stdout.contains("readable[orders]") && table.stdout.contains("embedded.rs:"), "{table:?}");

    let catalogue = run(&["catalogue", "--format", "json"], &[]).json();
    assert_eq!(catalogue["callsites"][0]["name"], "load");
    let check = &catalogue["dq_checks"][0];
    assert_eq!((&check["owner"], &check["runbook"]), (&list[0]["owner"], &list[0]["runbook"]));
    assert_eq!(
        (&check["description"], &check["quality"]["thresholds"]),
        (&list[0]["description"], &list[0]["thresholds"])
    );
    let listed: Vec<_> = catalogue["metrics"].as_array().unwrap().iter().map(|family| &family["name"]).collect();
    assert_eq!(listed, obs_runtime::catalogue::FAMILIES.iter().map(|family| family.name).collect::<Vec<_>>());
    assert_eq!(catalogue["problems"], json!([]));
    let table = run(&["catalogue"], &[]);
    assert!(table.stdout.lines().any(|line| line.starts_with("load ") && line.contains("@daily")), "{table:?}");
}

#[test]
#[cfg(feature = "real")]
fn junitparser_reads_the_junit_report() {
    const SCRIPT: &str = "
import json, sys
from junitparser import JUnitXml
found = JUnitXml.fromstring(sys.stdin.buffer.read())
json.dump([{'suite': suite.name, 'tests': suite.tests, 'failures': suite.failures, 'errors': suite.errors,
    'skipped': suite.skipped, 'cases': [{'name': case.name, 'class': case.classname, 'out': case.system_out,
        'result': [[type(result).__name__, result.type, result.message] for result in case.result]} for case in suite]}
    for suite in found], sys.stdout)
";
    let read = |arguments: &[&str], environment: &[&str]| -> Value {
        let written = run(arguments, environment).stdout;
        let suites = python::run(SCRIPT, &[], written.as_bytes()).unwrap_or_else(|error| panic!("{error}: {written}"));
        serde_json::from_str::<Value>(&suites).unwrap()[0].take()
    };
    let suite = read(&["dq", "run", "--format", "junit"], &["TEST_LAGS"]);
    let counts = ["tests", "failures", "errors", "skipped"].map(|count| suite[count].as_u64().unwrap());
    // What does not make `dq run` fail has passed here, too, with what was found in its output.
    assert_eq!(counts, [5, 0, 1, 0], "{suite}");
    let case =
        |name: &str| suite["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone();
    let odd = case("odd_names");
    assert_eq!((&odd["result"], &odd["class"]), (&json!([]), &"users".into()));
    assert_eq!(odd["out"], "failed (warning): expected at most 0.1, seen 0.25 (1 of 4)\n<b>&amp;</b>\n");
    assert_eq!(case("readable[returns]")["result"][0][0], "Error");
    assert_eq!(case("repeated")["out"], "warned (critical): expected at most 1, seen 2\n");

    let suite = read(&["health", "--format", "junit"], &["TEST_DOWN"]);
    let counts = ["tests", "failures", "errors", "skipped"].map(|count| suite[count].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 0, 1], "{suite}");
    assert!(!suite.to_string().contains("hunter2") && suite.to_string().contains("is <down> & out"), "{suite}");
}

#[test]
#[cfg(feature = "real")]
fn the_openlineage_client_reads_the_openlineage_report() {
    // The client's classes are generated from the published schemas: an unknown or a missing field fails.
    const SCRIPT: &str = "
import json, sys, types, typing
import attr
from openlineage.client.generated import base, data_quality_assertions_dataset as quality, error_message_run as error
def made(kind, fields):
    fields = {name.lstrip('_'): value for name, value in fields.items() if name not in ('_schemaURL', 'schemaURL')}
    value = kind(**fields)
    hints = typing.get_type_hints(kind)
    for field in attr.fields(kind):
        wanted = hints[field.name]
        kinds = typing.get_args(wanted) if typing.get_origin(wanted) in (typing.Union, types.UnionType) else (wanted,)
        kinds = tuple(typing.get_origin(kind) or kind for kind in kinds)
        assert isinstance(getattr(value, field.name), kinds), (field.name, getattr(value, field.name))
    return value
def facet(kind, fields, **parts):
    facet = made(kind, dict(fields, **parts))
    assert facet._schemaURL == fields['_schemaURL'], (facet._schemaURL, fields['_schemaURL'])
    return facet
event = json.load(sys.stdin)
for dataset in event['inputs']:
    quality_facet = dataset['inputFacets']['dataQualityAssertions']
    assertions = [made(quality.Assertion, assertion) for assertion in quality_facet['assertions']]
    quality_facet = facet(quality.DataQualityAssertionsDatasetFacet, quality_facet, assertions=assertions)
    made(base.InputDataset, dict(dataset, inputFacets={'dataQualityAssertions': quality_facet}))
for run_facet in event['run']['facets'].values():
    facet(error.ErrorMessageRunFacet, run_facet)
run, job = made(base.Run, event['run']), made(base.Job, event['job'])
read = made(base.RunEvent, dict(event, run=run, job=job, eventType=base.EventType[event['eventType']]))
assert read.schemaURL == event['schemaURL'], read.schemaURL
";
    for (environment, ended) in [(vec![], "COMPLETE"), (vec!["TEST_LAGS"], "FAIL"), (vec!["TEST_DOWN"], "COMPLETE")] {
        let written = run(&["dq", "run", "--format", "openlineage"], &environment).stdout;
        python::run(SCRIPT, &[], written.as_bytes()).unwrap_or_else(|error| panic!("{error}: {written}"));
        let event: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(event["eventType"], ended, "{event}");
    }
    let event = run(&["dq", "run", "--format", "openlineage"], &["TEST_LAGS"]).json();
    let datasets: Vec<_> = event["inputs"].as_array().unwrap().iter().map(|input| &input["name"]).collect();
    assert_eq!(datasets, ["orders", "returns", "users"]);
    let of_users = event["inputs"][2]["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap();
    let odd = of_users.iter().find(|assertion| assertion["assertion"] == "odd_names").unwrap();
    assert_eq!((&odd["success"], &odd["severity"]), (&false.into(), &"warn".into()));
    assert_eq!((&odd["expected"], &odd["actual"]), (&"at most 0.1".into(), &"0.25 (1 of 4)".into()));
    assert_eq!(event["run"]["facets"]["errorMessage"]["message"], "readable[returns]: no such table: returns");
    let errored = &event["inputs"][1]["inputFacets"]["dataQualityAssertions"]["assertions"][0];
    assert_eq!((&errored["success"], &errored["severity"]), (&false.into(), &"error".into()));
    assert_eq!(errored["description"], "errored: no such table: returns");
}
