//! Sentry's client and settings, from the configuration.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::sentry::integrations::debug_images::DebugImagesIntegration;
use ::sentry::protocol::{Breadcrumb, Event};
use ::sentry::types::Dsn;
use ::sentry::{Client, ClientOptions, TransportFactory};

use crate::config::validated::{Config, UNKNOWN_VERSION};
use crate::exporters::sentry::foreign_events::{ForeignEvents, Redact};
use crate::exporters::sentry::in_app::InApp;
use crate::exporters::sentry::stacktrace::Names;

/// Settings of the program's code, which the environment does not have.
#[derive(Clone, Default)]
pub struct SentryOptions {
    /// Receives each redacted event before it is sent, and may change or drop it.
    pub before_send: Option<Arc<BeforeSend>>,
    /// Prefixes of names of functions that belong to the program.
    pub in_app_include: Vec<String>,
    /// Prefixes of names of functions that do not.
    pub in_app_exclude: Vec<String>,
    /// Whether events do not tell the name of the machine.
    pub hides_server_name: bool,
    /// Receives each breadcrumb of an event before it is sent, and may change or drop it.
    pub before_breadcrumb: Option<Arc<BeforeBreadcrumb>>,
    /// The most breadcrumbs of one event.
    pub max_breadcrumbs: Option<usize>,
    /// Labels of errors that are not sent.
    pub ignore_errors: Vec<String>,
    /// Whether nothing is kept on disk for the next run.
    pub keeps_nothing: bool,
    /// Whether the client is not bound to sentry's main hub.
    pub leaves_hub_alone: bool,
}

/// The program's function that receives each breadcrumb before it is sent.
pub type BeforeBreadcrumb = dyn Fn(Breadcrumb) -> Option<Breadcrumb> + Send + Sync;

/// The program's function that receives each event before it is sent.
pub type BeforeSend = dyn Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync;

impl fmt::Debug for SentryOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SentryOptions").field("in_app_include", &self.in_app_include).finish_non_exhaustive()
    }
}

/// What everything that is sent has in common.
pub struct Settings {
    pub environment: String,
    /// `None` if the version of the program is not known: one release for all versions would say nothing.
    pub release: Option<String>,
    pub dist: Option<String>,
    pub service: String,
    pub server_name: Option<String>,
    pub names: Names,
    pub sample_rate: f32,
    pub before_breadcrumb: Option<Arc<BeforeBreadcrumb>>,
    pub ignore_errors: Vec<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settings = formatter.debug_struct("Settings");
        settings.field("environment", &self.environment).field("release", &self.release).finish_non_exhaustive()
    }
}

thread_local! {
    /// Whether the program's `before_send` has dropped the last event of this thread.
    static DROPPED_BY_PROGRAM: Cell<bool> = const { Cell::new(false) };
}

/// Why the client has not sent the last event of this thread.
pub fn why_dropped() -> (&'static str, &'static str) {
    if DROPPED_BY_PROGRAM.take() {
        ("before_send", "before_send dropped the event")
    } else {
        ("sample_rate", "SENTRY_SAMPLE_RATE leaves the event out")
    }
}

/// The most characters that Sentry accepts.
const MAX_RELEASE: usize = 200;
const MAX_DIST: usize = 64;
const MAX_ENVIRONMENT: usize = 64;

impl Settings {
    /// The settings of a configuration.
    pub fn new(config: &Config, options: &SentryOptions) -> Self {
        let environment = config.sentry_environment.as_ref().unwrap_or(&config.environment);
        let own = || (config.version != UNKNOWN_VERSION).then(|| format!("{}@{}", program(), config.version));
        let release = config.sentry_release.clone().or_else(own);
        let in_app = InApp::new(options.in_app_include.clone(), options.in_app_exclude.clone());
        Self {
            environment: clean(environment, MAX_ENVIRONMENT, "dev"),
            release: release.map(|release| clean(&release, MAX_RELEASE, "unknown")),
            dist: config.sentry_dist.as_deref().map(|dist| clean(dist, MAX_DIST, "unknown")),
            before_breadcrumb: options.before_breadcrumb.clone(),
            ignore_errors: options.ignore_errors.clone(),
            service: config.service_name.clone(),
            #[expect(clippy::cast_possible_truncation, reason = "a rate")]
            sample_rate: config.sentry_sample_rate as f32,
            server_name: if options.hides_server_name { None } else { server_name() },
            // The rest is for the server's answer.
            names: Names::new(in_app, config.flush_timeout / 2),
        }
    }
}

/// A name without what Sentry rejects.
fn clean(name: &str, longest: usize, otherwise: &str) -> String {
    let plain = |letter: char| if letter.is_control() || "/\\".contains(letter) { '-' } else { letter };
    let name: String = name.trim().chars().map(plain).take(longest).collect();
    if matches!(&*name, "" | "." | ".." | "None") { otherwise.to_owned() } else { name }
}

fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(|path| path.file_stem()).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "unknown".to_owned())
}

fn server_name() -> Option<String> {
    let said = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = said.or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Whether a logger belongs to a crate that sends the events.
pub fn is_transport(logger: &str) -> bool {
    ["ureq", "ureq_proto", "rustls", "sentry"].contains(&logger.split("::").next().unwrap_or_default())
}

/// The client, which prepares events and sends envelopes on the calling thread.
pub fn client(
    dsn: Dsn,
    settings: &Settings,
    options: SentryOptions,
    redact: Redact,
    transport: impl TransportFactory + 'static,
) -> Client {
    let mut client = ClientOptions::new()
        .default_integrations(false)
        .add_integration(ForeignEvents(redact))
        .add_integration(DebugImagesIntegration::new())
        .send_default_pii(false)
        .maybe_release(settings.release.clone())
        .environment(settings.environment.clone())
        .sample_rate(settings.sample_rate)
        .shutdown_timeout(Duration::ZERO)
        .transport(transport);
    client.dsn = Some(dsn);
    client.server_name = settings.server_name.clone().map(Cow::Owned);
    client.before_send = options.before_send.map(|before_send| {
        Arc::new(move |event| {
            let event = before_send(event);
            DROPPED_BY_PROGRAM.set(event.is_none());
            event
        }) as _
    });
    Client::with_options(client)
}
