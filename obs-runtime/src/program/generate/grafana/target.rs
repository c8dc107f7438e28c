//! `generate grafana`

use crate::program::generate::declared::Declared;
use crate::program::generate::grafana::subjects::dashboards;
use crate::program::generate::target::{GeneratedFile, Target, file_name, pretty_json};

/// Arguments of `generate grafana`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct GrafanaOptions {
    /// The address of the logs of a run, with `{correlation_id}` where its id belongs.
    #[arg(long, value_name = "URL")]
    logs_url: Option<String>,
    /// The program ends before it is scraped (textfile, Pushgateway): leave out the panels of a running process, and count by days.
    #[arg(long)]
    job: bool,
}

impl Target for GrafanaOptions {
    const NAME: &'static str = "grafana";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let mut files = Vec::new();
        for dashboard in dashboards(declared, self.job) {
            let name = format!("{}.dashboard.json", file_name(&dashboard.subject));
            let text = pretty_json(&dashboard.json(declared, Self::NAME, self.logs_url.as_deref()))?;
            files.push(GeneratedFile::of(declared, &name, text));
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::program::generate::sample;

    fn made(options: &GrafanaOptions, declared: &Declared) -> Vec<(String, Value)> {
        let files = options.files(declared).unwrap();
        sample::write(&files);
        let read = |file: &GeneratedFile| {
            let subject = file.name.split('.').nth(1).unwrap().to_owned();
            (subject, serde_json::from_str(&file.text).unwrap())
        };
        files.iter().map(read).collect()
    }

    fn of<'d>(dashboards: &'d [(String, Value)], subject: &str) -> &'d Value {
        &dashboards.iter().find(|(of, _)| of == subject).unwrap().1
    }

    fn titles(dashboard: &Value) -> Vec<&str> {
        dashboard["panels"].as_array().unwrap().iter().map(|panel| panel["title"].as_str().unwrap()).collect()
    }

    #[test]
    fn there_is_a_dashboard_for_each_command_and_each_other_subject_of_the_program() {
        let dashboards = made(&GrafanaOptions::default(), &sample::declared());
        let subjects: Vec<_> = dashboards.iter().map(|(subject, _)| subject.as_str()).collect();
        assert_eq!(
            subjects,
            [
                "command-ad-hoc",
                "command-month-end",
                "command-nightly",
                "command-often",
                "command-report",
                "cost",
                "health",
                "operations",
                "overview",
                "quality",
                "telemetry"
            ]
        );
        for (_, dashboard) in &dashboards {
            for panel in dashboard["panels"].as_array().unwrap() {
                let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap();
                assert!(!unit.is_empty() && !panel["targets"].as_array().unwrap().is_empty(), "{panel}");
            }
            let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
            let names: Vec<_> = variables.map(|variable| variable["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["datasource", "service", "environment"]);
        }
        let empty = Declared { service: "web".to_owned(), ..Declared::default() };
        assert_eq!(made(&GrafanaOptions::default(), &empty).len(), 2);
    }

    #[test]
    fn panels_link_to_runbooks_and_dashboards_to_the_logs_of_a_run() {
        let options = GrafanaOptions { logs_url: Some("https://logs/?id={correlation_id}&a=b".to_owned()), job: false };
        let dashboards = made(&options, &sample::declared());
        for (subject, title, url) in [
            ("command-nightly", "Runbook", "https://wiki.example/runbook"),
            ("quality", "Runbook: null_ids, odd_names, range, readable", "https://wiki.example/quality"),
            ("operations", "Runbook: load", "https://wiki.example/runbook"),
        ] {
            let panels = of(&dashboards, subject)["panels"].as_array().unwrap();
            assert_eq!((&panels[0]["links"][0]["title"], &panels[0]["links"][0]["url"]), (&title.into(), &url.into()));
        }
        for (_, dashboard) in &dashboards {
            assert_eq!(dashboard["links"][1]["url"], "https://logs/?id=${correlation_id}&a=b");
            assert_eq!(dashboard["templating"]["list"][3]["name"], "correlation_id");
        }
    }

    #[test]
    fn a_job_has_no_panels_of_a_running_process() {
        let service = made(&GrafanaOptions::default(), &sample::declared());
        let job = made(&GrafanaOptions { job: true, ..GrafanaOptions::default() }, &sample::declared());
        for (subject, title) in [("overview", "Memory"), ("operations", "Calls in progress"), ("telemetry", "Queued")] {
            assert!(titles(of(&service, subject)).contains(&title), "{subject}");
            assert!(!titles(of(&job, subject)).contains(&title), "{subject}");
        }
        assert!(service[7].1.to_string().contains("$__rate_interval"), "{}", service[7].1);
        assert!(!job.iter().any(|(_, dashboard)| dashboard.to_string().contains("$__rate_interval")));
    }
}
