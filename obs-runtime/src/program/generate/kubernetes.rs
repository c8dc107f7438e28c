//! `generate kubernetes`: a `CronJob` for each command with a schedule, and a Deployment for a service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::base::schedule::Schedule;
use crate::program::generate::declared::{Declared, Function};
use crate::program::generate::deployment::{DeploymentOptions, without_schedule};
use crate::program::generate::prometheus::promql::seconds;
use crate::program::generate::target::{GeneratedFile, Target, file_name, heading, shortened, yaml};

/// The most characters of a `CronJob`'s name.
const MAX_NAME: usize = 52;

/// How long a pod may take to end: the flush, and more.
const GRACE: u64 = 10;

/// Arguments of `generate kubernetes`.
#[derive(Clone, Debug, clap::Args)]
pub struct KubernetesOptions {
    /// The image of the program.
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// The namespace. By default none stands in the files.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The CPU that is requested: 500m.
    #[arg(long, value_name = "QUANTITY")]
    cpu: Option<String>,
    /// The memory that is requested, and the limit: 512Mi.
    #[arg(long, value_name = "QUANTITY")]
    memory: Option<String>,
    /// A Deployment of the program as a service too, whose probes ask this port (`PROMETHEUS_PORT`).
    #[arg(long, value_name = "PORT")]
    service_port: Option<u16>,
    #[command(flatten)]
    deployment: DeploymentOptions,
}

impl Target for KubernetesOptions {
    const NAME: &'static str = "kubernetes";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        self.deployment.check(declared)?;
        let scheduled: Vec<_> = declared.commands.iter().filter(|function| function.schedule.is_some()).collect();
        check_names(declared, &scheduled)?;
        let mut files = Vec::new();
        let mut add = |rest: &str, manifest: &Value| -> Result<(), String> {
            let text = heading(Self::NAME, declared) + &yaml(manifest)?;
            files.push(GeneratedFile::of(declared, rest, text));
            Ok(())
        };
        for function in &declared.commands {
            if let Some(schedule) = &function.schedule {
                let rest = format!("{}.cronjob.yml", file_name(&function.name));
                add(&rest, &self.cron_job(declared, function, schedule)?)?;
            }
        }
        if let Some(port) = self.service_port {
            add("deployment.yml", &self.service(declared, port))?;
        }
        if files.is_empty() {
            return Err(format!("{}, or give --service-port for a Deployment", without_schedule(declared)));
        }
        Ok(files)
    }
}

impl KubernetesOptions {
    fn metadata(&self, declared: &Declared, name: &str, function: Option<&Function>) -> Value {
        let mut labels = Map::new();
        labels.insert("app.kubernetes.io/name".to_owned(), label(&declared.service).into());
        let mut annotations = Map::new();
        if let Some(function) = function {
            labels.insert("app.kubernetes.io/component".to_owned(), label(&function.name).into());
            let told = [("owner", function.declaration.owner), ("runbook", function.declaration.runbook)];
            for (key, value) in told.into_iter().filter_map(|(key, value)| Some((key, value?))) {
                annotations.insert(format!("obs/{key}"), value.into());
            }
        }
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), resource_name(name).into());
        metadata.insert("labels".to_owned(), labels.into());
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), annotations.into());
        }
        if let Some(namespace) = &self.namespace {
            metadata.insert("namespace".to_owned(), namespace.as_str().into());
        }
        metadata.into()
    }

    fn container(&self, declared: &Declared, name: &str, more: &[(&str, String)]) -> Map<String, Value> {
        let mut variables: Vec<Value> = self
            .deployment
            .environment(declared)
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        variables.extend(more.iter().map(|(name, value)| json!({"name": name, "value": value})));
        let mut container = Map::new();
        container.insert("name".to_owned(), resource_name(name).into());
        container.insert("image".to_owned(), self.image.as_str().into());
        container.insert("env".to_owned(), variables.into());
        let (mut requests, mut limits) = (Map::new(), Map::new());
        if let Some(cpu) = &self.cpu {
            requests.insert("cpu".to_owned(), cpu.as_str().into());
        }
        if let Some(memory) = &self.memory {
            requests.insert("memory".to_owned(), memory.as_str().into());
            limits.insert("memory".to_owned(), memory.as_str().into());
        }
        let resources = [("limits", limits), ("requests", requests)].into_iter().filter(|(_, of)| !of.is_empty());
        let resources: Map<String, Value> = resources.map(|(name, of)| (name.to_owned(), of.into())).collect();
        if !resources.is_empty() {
            container.insert("resources".to_owned(), resources.into());
        }
        container
    }

    fn cron_job(&self, declared: &Declared, function: &Function, schedule: &Schedule) -> Result<Value, String> {
        let (cron, zone) = crontab(function, schedule)?;
        let mut container = self.container(declared, &function.name, &[]);
        let arguments = self.deployment.arguments_of(&function.name);
        if !arguments.is_empty() {
            container.insert("args".to_owned(), arguments.into());
        }
        // A job that is made by hand can be given a parent: `kubectl annotate`, or the template of `kubectl create job --from`.
        if let Some(Value::Array(variables)) = container.get_mut("env") {
            for (name, annotation) in [("TRACEPARENT", "traceparent"), ("OBS_CORRELATION_ID", "correlation-id")] {
                let path = format!("metadata.annotations['obs/{annotation}']");
                variables.push(json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}));
            }
        }
        let metadata = self.metadata(declared, &format!("{}-{}", declared.service, function.name), Some(function));
        let pod = json!({
            "metadata": {"labels": metadata["labels"]},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": GRACE,
                "containers": [container],
            },
        });
        // A run that fails is a run that fails: it is not repeated, so that the next one is the schedule's.
        let mut job = json!({"backoffLimit": 0, "template": pod});
        if let Some(limit) = schedule.max_runtime {
            job["activeDeadlineSeconds"] = seconds(limit).into();
        }
        let mut spec = json!({
            "schedule": cron,
            "timeZone": zone,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": job},
        });
        if let Some(margin) = schedule.margin {
            // Kubernetes looks for what is due every ten seconds.
            spec["startingDeadlineSeconds"] = seconds(margin).max(10).into();
        }
        Ok(json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}))
    }

    fn service(&self, declared: &Declared, port: u16) -> Value {
        let listens = [("PROMETHEUS_BIND", "0.0.0.0".to_owned()), ("PROMETHEUS_PORT", port.to_string())];
        let mut container = self.container(declared, &declared.service, &listens);
        container.insert("ports".to_owned(), json!([{"name": "metrics", "containerPort": port}]));
        for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/startupz")]
        {
            container.insert(probe.to_owned(), json!({"httpGet": {"path": path, "port": "metrics"}}));
        }
        let metadata = self.metadata(declared, &declared.service, None);
        let labels = metadata["labels"].clone();
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"terminationGracePeriodSeconds": GRACE, "containers": [container]},
                },
            },
        })
    }
}

/// The schedule as five fields and a time zone. An interval only if it divides the hour or the day.
fn crontab(function: &Function, schedule: &Schedule) -> Result<(String, String), String> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let zone = if schedule.timezone == "UTC" { "Etc/UTC" } else { schedule.timezone };
    let Some(every) = schedule.every.as_ref().map(Duration::as_secs) else {
        return Ok((schedule.five_fields().to_owned(), zone.to_owned()));
    };
    let cron = match every {
        DAY => "0 0 * * *".to_owned(),
        HOUR => "0 * * * *".to_owned(),
        MINUTE => "* * * * *".to_owned(),
        _ if every < HOUR && HOUR.is_multiple_of(every) => format!("*/{} * * * *", every / MINUTE),
        _ if every > HOUR && DAY.is_multiple_of(every) && every.is_multiple_of(HOUR) => {
            format!("0 */{} * * *", every / HOUR)
        }
        _ => {
            return Err(format!(
                "{}: a CronJob cannot run {}; an interval must divide the hour or the day, or use `cron`",
                function.name, schedule.cron
            ));
        }
    };
    Ok((cron, zone.to_owned()))
}

/// A name of a resource: lower-case letters, digits and `-`.
fn resource_name(text: &str) -> String {
    let name = file_name(text).to_ascii_lowercase().replace('_', "-");
    shortened(name.trim_matches('-').to_owned(), MAX_NAME)
}

/// The error for the first command or service that has no name in Kubernetes, or that of another.
fn check_names(declared: &Declared, commands: &[&Function]) -> Result<(), String> {
    let mut names = BTreeMap::from([(resource_name(&declared.service), declared.service.as_str())]);
    for own in commands.iter().map(|function| function.name.as_str()).chain([declared.service.as_str()]) {
        if resource_name(own).is_empty() {
            return Err(format!("{own:?}: names of Kubernetes have letters a to z and digits; this one has none"));
        }
    }
    for Function { name, .. } in commands {
        let resource = resource_name(&format!("{}-{name}", declared.service));
        if let Some(other) = names.insert(resource.clone(), name) {
            return Err(format!(
                "{other:?} and {name:?} would both be {resource} in Kubernetes; give them other names"
            ));
        }
    }
    Ok(())
}

/// The value of a label.
fn label(text: &str) -> String {
    let value: String = file_name(text).chars().take(63).collect();
    value.trim_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::generate::sample;

    fn options() -> KubernetesOptions {
        KubernetesOptions {
            image: "registry.example/etl:1.2.3".to_owned(),
            namespace: Some("data".to_owned()),
            cpu: Some("500m".to_owned()),
            memory: Some("512Mi".to_owned()),
            service_port: Some(8000),
            deployment: DeploymentOptions {
                environment_name: Some("prod".to_owned()),
                arguments: vec!["nightly=load --all".to_owned()],
                variables: vec!["LOG_LEVEL=DEBUG".to_owned()],
            },
        }
    }

    #[test]
    fn schedules_margins_and_longest_runs_stand_in_the_manifests() {
        let files = options().files(&sample::declared()).unwrap();
        sample::write(&files);
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "etl.month-end.cronjob.yml",
                "etl.nightly.cronjob.yml",
                "etl.often.cronjob.yml",
                "etl.report.cronjob.yml",
                "etl.deployment.yml"
            ]
        );
        let nightly = &files[1].text;
        for line in [
            "schedule: 30 2 * * *",
            "timeZone: Europe/Berlin",
            "startingDeadlineSeconds: 300",
            "activeDeadlineSeconds: 1800",
            "concurrencyPolicy: Forbid",
            "namespace: data",
            "- load",
        ] {
            assert!(nightly.contains(line), "{line}: {nightly}");
        }
    }

    #[test]
    fn each_command_has_a_name_of_its_own_in_kubernetes() {
        let checked = |service: &str, names: &[&str]| {
            let declared = Declared { service: service.to_owned(), ..Declared::default() };
            let functions: Vec<_> =
                names.iter().map(|name| Function { name: (*name).to_owned(), ..Function::default() }).collect();
            check_names(&declared, &functions.iter().collect::<Vec<_>>())
        };
        assert_eq!(checked("etl", &["load", "load-all"]), Ok(()));
        let error = checked("etl", &["load_users", "load users"]).unwrap_err();
        assert_eq!(
            error,
            r#""load_users" and "load users" would both be etl-load-users in Kubernetes; give them other names"#
        );
        for (service, name) in [("etl", "夜間"), ("夜間", "load")] {
            assert!(checked(service, &[name]).unwrap_err().starts_with("\"夜間\""));
        }
        // Longer than a name may be.
        let long = "loads-all-penguins-of-all-islands-of-antarctica-each";
        let [daily, hourly] = ["day", "hour"].map(|of| format!("{long}-{of}"));
        assert_eq!(checked("etl", &[&daily, &hourly]), Ok(()));
        assert_eq!(resource_name(&daily).len(), MAX_NAME);
    }

    #[test]
    fn intervals_are_fields_or_refused() {
        let of = |minutes: u64| {
            let schedule = Schedule::new("@every").every_millis(minutes * 60_000);
            crontab(&Function::default(), &schedule).map(|(cron, _)| cron)
        };
        for (minutes, cron) in
            [(1, "* * * * *"), (10, "*/10 * * * *"), (60, "0 * * * *"), (360, "0 */6 * * *"), (1440, "0 0 * * *")]
        {
            assert_eq!(of(minutes).as_deref(), Ok(cron));
        }
        for minutes in [7, 90, 420, 2880] {
            assert!(of(minutes).is_err(), "{minutes}");
        }
    }
}
