//! A real Bugsink, which accepts Sentry's protocol and rejects events that violate its schema.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

use super::Daemon;
use crate::{http, tools, wait};

const SETTINGS: &str = r#"
from bugsink.settings.default import *  # noqa
import os
FOLDER = os.path.dirname(os.path.abspath(__file__))
SECRET_KEY = "for-tests-on-loopback-only-0123456789abcdefghijklmnopqrstuvwxyz"
DATABASES["default"]["NAME"] = FOLDER + "/db.sqlite3"
DATABASES["snappea"]["NAME"] = FOLDER + "/snappea.sqlite3"
SENTRY_DSN = None
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
ALLOWED_HOSTS = ["127.0.0.1"]
BUGSINK = {
    "BASE_URL": "http://127.0.0.1:8000",
    "SINGLE_USER": True,
    "SINGLE_TEAM": True,
    "PHONEHOME": False,
    "VALIDATE_ON_DIGEST": "strict",
    "INGEST_STORE_BASE_DIR": FOLDER + "/ingestion",
}
"#;

/// Prepares both databases, the projects and a token. The last project has no quota left.
const PREPARE: &str = r#"
import json
import django
django.setup()
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
call_command("migrate", verbosity=0)
call_command("migrate", database="snappea", verbosity=0)
from bsmain.models import AuthToken
from projects.models import Project
projects = []
for number in range(40):
    used_up = timezone.now() + timedelta(minutes=10) if number == 39 else None
    project = Project.objects.create(name="p%d" % number, slug="p%d" % number, quota_exceeded_until=used_up,
                                     quota_exceeded_reason='["minute", 5, 1000000000]' if used_up else "null")
    projects.append({"id": project.id, "key": project.sentry_key.hex})
print(json.dumps({"token": AuthToken.create_full_access().token, "projects": projects}))
"#;

/// A Bugsink server.
#[derive(Debug)]
pub struct Bugsink {
    daemon: Daemon,
    token: String,
    projects: Mutex<Vec<Project>>,
    without_quota: Project,
}

/// A project of a server.
#[derive(Clone, Debug)]
pub struct Project {
    id: u64,
    key: String,
}

fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(tools::bugsink(name));
    command.current_dir(folder).env_clear();
    command.env("PYTHONPATH", folder).env("DJANGO_SETTINGS_MODULE", "bugsink_conf").env("HOME", folder);
    command
}

impl Bugsink {
    /// Starts one with empty projects.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let prepared = Mutex::new(Value::Null);
        let daemon = Daemon::start("Bugsink", "/health/ready", |folder, port| {
            std::fs::write(folder.join("bugsink_conf.py"), SETTINGS).expect("its settings can be written");
            let output = program("python", folder).args(["-c", PREPARE]).output().expect("python starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            *prepared.lock().expect("nothing panics") = serde_json::from_slice(&output.stdout).expect("it writes JSON");
            let mut command = program("gunicorn", folder);
            command.args(["--workers", "1", "--no-control-socket", "--bind", &format!("127.0.0.1:{port}")]);
            command.arg("bugsink.wsgi");
            command
        });
        let prepared = prepared.into_inner().expect("nothing panics");
        let project = |project: &Value| Project {
            id: project["id"].as_u64().expect("a project has a number"),
            key: project["key"].as_str().expect("a project has a key").to_owned(),
        };
        let mut projects: Vec<_> =
            prepared["projects"].as_array().expect("there are some").iter().map(project).collect();
        let without_quota = projects.pop().expect("there are some");
        let token = prepared["token"].as_str().expect("there is one").to_owned();
        Self { daemon, token, projects: Mutex::new(projects), without_quota }
    }

    /// A project without events.
    #[must_use]
    #[track_caller]
    pub fn project(&self) -> Project {
        self.projects.lock().expect("nothing panics").pop().expect("there are projects left")
    }

    /// A project without quota, for which it answers 429.
    #[must_use]
    pub fn project_without_quota(&self) -> Project {
        self.without_quota.clone()
    }

    /// The DSN of a project.
    #[must_use]
    pub fn dsn(&self, project: &Project) -> String {
        format!("http://{}@{}/{}", project.key, self.daemon.address(), project.id)
    }

    /// Waits for `at_least` events of a project and returns all of them as they were sent, oldest first.
    #[must_use]
    #[track_caller]
    pub fn events(&self, project: &Project, at_least: usize) -> Vec<Value> {
        let found = wait::poll(wait::LONG, || Some(self.all(project)).filter(|events| events.len() >= at_least));
        found.unwrap_or_else(|| {
            panic!("{} events instead of {at_least}\n{}", self.all(project).len(), self.daemon.log())
        })
    }

    /// The issues of a project.
    #[must_use]
    #[track_caller]
    pub fn issues(&self, project: &Project) -> Vec<Value> {
        self.list(&format!("issues/?project={}", project.id))
    }

    /// The events of a project, each with the id and the title of its issue.
    #[must_use]
    #[track_caller]
    pub fn events_of_issues(&self, project: &Project) -> Vec<(String, String, Value)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of_issue = |issue: Value| {
            let id = text(&issue["id"]);
            let title = format!("{}: {}", text(&issue["calculated_type"]), text(&issue["calculated_value"]));
            let events = self.list(&format!("events/?issue={id}"));
            let detail = move |event: Value| {
                let mut event = self.ask(&format!("events/{}/", text(&event["id"])));
                (id.clone(), title.clone(), event["data"].take())
            };
            events.into_iter().map(detail).collect::<Vec<_>>()
        };
        self.issues(project).into_iter().flat_map(of_issue).collect()
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    #[track_caller]
    fn all(&self, project: &Project) -> Vec<Value> {
        let events = self
            .issues(project)
            .into_iter()
            .flat_map(|issue| self.list(&format!("events/?issue={}", issue["id"].as_str().unwrap_or_default())));
        let detail = |event: Value| {
            let mut event = self.ask(&format!("events/{}/", event["id"].as_str().unwrap_or_default()));
            event["data"].take()
        };
        let mut events: Vec<_> = events.map(detail).collect();
        events.sort_by(|one, other| {
            one["timestamp"].as_f64().partial_cmp(&other["timestamp"].as_f64()).expect("numbers")
        });
        events
    }

    #[track_caller]
    fn list(&self, path: &str) -> Vec<Value> {
        self.ask(path)["results"].as_array().cloned().unwrap_or_default()
    }

    #[track_caller]
    fn ask(&self, path: &str) -> Value {
        let url = self.daemon.url(&format!("/api/canonical/0/{path}"));
        let request = http::agent(wait::LONG).get(&url).header("Authorization", format!("Bearer {}", self.token));
        let mut response = request.call().unwrap_or_else(|error| panic!("{url}: {error}\n{}", self.daemon.log()));
        assert_eq!(response.status(), 200, "{url}\n{}", self.daemon.log());
        serde_json::from_str(&response.body_mut().read_to_string().expect("it answers")).expect("it answers in JSON")
    }
}
