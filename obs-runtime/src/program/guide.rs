//! Chapters that explain more than one item. There is no code here.

/// A page, after the targets of its links to other chapters. At its end the page defines them again, as the files that they are on
/// GitHub: of two definitions, the first one counts.
macro_rules! chapter {
    ($page:literal) => {
        concat!(
            "[chapter-beside]: crate::guide::beside\n",
            "[chapter-datadog]: crate::guide::datadog\n",
            "[chapter-errors]: crate::guide::errors\n",
            "[chapter-generate-alertmanager]: crate::guide::generate::alertmanager\n",
            "[chapter-generate-alerts]: crate::guide::generate#prometheus\n",
            "[chapter-generate-datadog]: crate::guide::generate::datadog\n",
            "[chapter-generate-grafana]: crate::guide::generate::grafana\n",
            "[chapter-generate-kubernetes]: crate::guide::generate::kubernetes\n",
            "[chapter-generate-prometheus]: crate::guide::generate::prometheus\n",
            "[chapter-generate-systemd]: crate::guide::generate::systemd\n",
            "[chapter-logs]: crate::guide::logs\n",
            "[chapter-otlp]: crate::guide::otlp\n",
            "[chapter-quality]: crate::guide::quality\n",
            "[chapter-quality-expectations]: crate::guide::quality#expectations-of-great-expectations\n",
            "[chapter-security]: crate::guide::security\n",
            "\n",
            include_str!(concat!("../../docs/", $page))
        )
    };
}

#[doc = chapter!("lifecycle.md")]
pub mod lifecycle {}

// Its table is generated from texts that errors show as well.
#[allow(rustdoc::bare_urls, clippy::doc_markdown)]
#[doc = chapter!("configuration.md")]
pub mod configuration {}

#[doc = chapter!("errors.md")]
pub mod errors {}

#[doc = chapter!("bigquery.md")]
pub mod bigquery {}

#[doc = chapter!("logs.md")]
pub mod logs {}

#[doc = chapter!("metrics.md")]
pub mod metrics {}

#[doc = chapter!("datadog.md")]
pub mod datadog {}

#[doc = chapter!("generate.md")]
pub mod generate {
    #[doc = chapter!("generate-prometheus.md")]
    pub mod prometheus {}

    #[doc = chapter!("generate-alertmanager.md")]
    pub mod alertmanager {}

    #[doc = chapter!("generate-grafana.md")]
    pub mod grafana {}

    #[doc = chapter!("generate-datadog.md")]
    pub mod datadog {}

    #[doc = chapter!("generate-kubernetes.md")]
    pub mod kubernetes {}

    #[doc = chapter!("generate-systemd.md")]
    pub mod systemd {}
}

#[doc = chapter!("otlp.md")]
pub mod otlp {}

#[doc = chapter!("beside.md")]
pub mod beside {}

#[doc = chapter!("costs.md")]
pub mod costs {}

#[doc = chapter!("migration.md")]
pub mod migration {}

#[doc = chapter!("troubleshooting.md")]
pub mod troubleshooting {}

#[doc = chapter!("security.md")]
pub mod security {}

#[doc = chapter!("quality.md")]
pub mod quality {}

#[doc = chapter!("moving.md")]
pub mod moving {}
