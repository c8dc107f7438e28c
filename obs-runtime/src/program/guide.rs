//! Chapters that explain more than one item. There is no code here.

#[doc = include_str!("../../docs/lifecycle.md")]
pub mod lifecycle {}

// Its table is generated from texts that errors show as well.
#[allow(rustdoc::bare_urls, clippy::doc_markdown)]
#[doc = include_str!("../../docs/configuration.md")]
pub mod configuration {}

#[doc = include_str!("../../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../../docs/bigquery.md")]
pub mod bigquery {}

#[doc = include_str!("../../docs/logs.md")]
pub mod logs {}

#[doc = include_str!("../../docs/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../../docs/datadog.md")]
pub mod datadog {}

#[doc = include_str!("../../docs/generate.md")]
pub mod generate {
    #[doc = include_str!("../../docs/generate-prometheus.md")]
    pub mod prometheus {}

    #[doc = include_str!("../../docs/generate-alertmanager.md")]
    pub mod alertmanager {}

    #[doc = include_str!("../../docs/generate-grafana.md")]
    pub mod grafana {}

    #[doc = include_str!("../../docs/generate-datadog.md")]
    pub mod datadog {}

    #[doc = include_str!("../../docs/generate-kubernetes.md")]
    pub mod kubernetes {}

    #[doc = include_str!("../../docs/generate-systemd.md")]
    pub mod systemd {}
}

#[doc = include_str!("../../docs/otlp.md")]
pub mod otlp {}

#[doc = include_str!("../../docs/beside.md")]
pub mod beside {}

#[doc = include_str!("../../docs/costs.md")]
pub mod costs {}

#[doc = include_str!("../../docs/migration.md")]
pub mod migration {}

#[doc = include_str!("../../docs/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("../../docs/security.md")]
pub mod security {}

#[doc = include_str!("../../docs/quality.md")]
pub mod quality {}

#[doc = include_str!("../../docs/moving.md")]
pub mod moving {}
