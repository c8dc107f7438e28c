//! From the configuration to Sentry's client.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::sentry::protocol::Event;
use ::sentry::types::Dsn;
use ::sentry::{Client, ClientOptions};

use crate::config::validated::Config;
use crate::exporters::sentry::stacktrace::Names;
use crate::exporters::sentry::transport::Factory;
use crate::metrics::registry;

/// What a program's own code says of what is sent.
#[derive(Clone, Default)]
pub struct SentryOptions {
    /// Sees each event last, redacted as it is, and may change it or keep it back.
    pub before_send: Option<Arc<BeforeSend>>,
    /// Beginnings of the names of functions that are the program's own.
    pub in_app_include: Vec<String>,
    /// Beginnings of the names of functions that are not.
    pub in_app_exclude: Vec<String>,
}

/// A function of the user's that sees each event last.
pub type BeforeSend = dyn Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync;

impl fmt::Debug for SentryOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SentryOptions").field("in_app_include", &self.in_app_include).finish_non_exhaustive()
    }
}

/// What stands on all that is sent.
#[derive(Debug)]
pub struct Settings {
    pub environment: String,
    pub release: String,
    pub service: String,
    pub server_name: Option<String>,
    pub names: Names,
}

/// Crates whose functions are nobody's own.
const NOT_IN_APP: [&str; 18] = [
    "obs_runtime::",
    "obs_macros::",
    "tracing::",
    "tracing_core::",
    "tracing_subscriber::",
    "futures_executor::",
    "rayon::",
    "rayon_core::",
    "eyre::",
    "color_eyre::",
    "test::",
    "clap::",
    "hyper::",
    "mio::",
    "main",
    "__libc_start",
    "clone3",
    "start_thread",
];

/// Longest names that Sentry takes.
const LONGEST_RELEASE: usize = 200;
const LONGEST_ENVIRONMENT: usize = 64;

impl Settings {
    /// As the configuration has it.
    pub fn new(config: &Config, options: &SentryOptions) -> Self {
        let environment = config.sentry_environment.as_ref().unwrap_or(&config.environment);
        let release = config.sentry_release.clone().unwrap_or_else(|| format!("{}@{}", program(), config.version));
        // The crates that bear our attributes are the program's own.
        let crates =
            registry::callsites().into_iter().filter_map(|callsite| callsite.place().module.split("::").next());
        let mut in_app: Vec<String> = crates.map(|name| format!("{name}::")).collect();
        in_app.sort_unstable();
        in_app.dedup();
        in_app.retain(|name| name != "::" && name != "obs_runtime::");
        in_app.extend(options.in_app_include.iter().cloned());
        Self {
            environment: clean(environment, LONGEST_ENVIRONMENT, "dev"),
            release: clean(&release, LONGEST_RELEASE, "unknown"),
            service: config.service_name.clone(),
            server_name: server_name(),
            names: Names::new(&in_app, &[&*options.in_app_exclude, &NOT_IN_APP.map(str::to_owned)].concat()),
        }
    }
}

/// A name without what Sentry refuses in one.
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

/// Whether a logger is one of those by which an event is sent.
pub fn is_transport(logger: &str) -> bool {
    ["ureq", "ureq_proto", "rustls", "sentry"].contains(&logger.split("::").next().unwrap_or_default())
}

/// The client that prepares events and sends envelopes, on whichever thread it is asked to.
pub fn client(dsn: Dsn, settings: &Settings, options: SentryOptions) -> Client {
    let mut client = ClientOptions::new()
        .default_integrations(false)
        .send_default_pii(false)
        .release(settings.release.clone())
        .environment(settings.environment.clone())
        .shutdown_timeout(Duration::ZERO)
        .transport(Factory);
    client.dsn = Some(dsn);
    client.server_name = settings.server_name.clone().map(Cow::Owned);
    client.before_send = options.before_send.map(|before_send| before_send as _);
    Client::with_options(client)
}
