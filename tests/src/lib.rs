//! What the tests of obs share.
//!
//! A function here panics when it cannot do its work, because a test fails by a panic.
//!
//! Waiting and isolation:
//! - [`wait`]: waits for a condition with a deadline
//! - [`exclusive`]: a lock for tests that initialise obs in one process
//! - [`calendar`]: repeats a test during which the month changed
//! - [`ports`]: free ports on loopback
//!
//! Processes:
//! - [`process`]: starts a process, collects its output and waits for its end
//! - [`programs`]: builds the programs of this workspace
//! - [`tools`]: finds the programs that `tests/run.sh` installs
//! - [`python`]: runs a Python script
//! - [`strangers`]: crates outside of the workspace that depend on obs
//!
//! Readers of what obs writes:
//! - [`logs`]: log lines as JSON
//! - [`exposition`]: Prometheus' text format
//! - [`prometheus_client`], [`promtool`]: the same, by Prometheus' own parsers
//! - [`dogstatsd`]: a strict `DogStatsD` parser and an agent that uses it
//! - [`datadog_client`]: bodies for Datadog's API, by the models of its own client
//! - [`kubernetes`]: manifests, by the schemas of a release
//! - [`typescript`]: documents whose types a package of Node declares
//! - [`json_schema`]: documents against a JSON schema
//! - [`sentry_relay`]: events as Sentry's own Relay normalises them
//!
//! Servers on loopback:
//! - [`servers`]: real servers, and scripted ones for what real ones do not do
//! - [`faults`]: servers, sockets and files that fail
//! - [`http`]: requests to them
//! - [`certificates`]: certificates for them
//!
//! Inputs:
//! - [`corpus`]: secrets that must not leave, and similar texts that must
//! - [`leaks`]: puts a text into every place from which obs takes texts
//! - [`hostile_names`]: metric names and tags with special characters
//! - [`generator`], [`rewriting`]: functions to put attributes on
//!
//! Benchmarks:
//! - [`measure`]: medians and resident memory

pub mod annotated_copies;
pub mod calendar;
pub mod certificates;
#[path = "../../obs-runtime/src/redact/redactor/tests/corpus.rs"]
pub mod corpus;
pub mod datadog_client;
pub mod dogstatsd;
pub mod exclusive;
pub mod exposition;
pub mod faults;
pub mod generator;
pub mod hostile_names;
pub mod http;
pub mod json_schema;
pub mod kubernetes;
pub mod leaks;
pub mod line_writer;
pub mod logs;
pub mod measure;
pub mod ports;
pub mod process;
pub mod programs;
pub mod prometheus_client;
pub mod promtool;
pub mod published;
pub mod python;
pub mod rewriting;
pub mod sentry_relay;
pub mod servers;
pub mod strangers;
pub mod tools;
pub mod typescript;
pub mod wait;

/// The Rust blocks of the README, compiled and run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// Those of the integration guide.
#[cfg(doctest)]
#[doc = include_str!("../../examples/README.md")]
pub struct Guide;
