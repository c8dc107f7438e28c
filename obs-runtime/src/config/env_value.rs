//! Formats values of the configuration as their environment variables would be written.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::level::Level;
use crate::base::secret::{MASK, Secret};
use crate::config::agent_address::AgentAddress;
use crate::config::budgets::Budget;
use crate::config::filter::LogFilter;
use crate::config::location_prices::{LocationPrices, NamedPrices};
use crate::config::log_format::LogFormat;
use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::metrics_port::MetricsPort;
use crate::config::otlp::{
    KeyValues, Milliseconds, OtelExporter, OtelSampler, OtlpCompression, OtlpProtocol, Propagators, Temporality,
};
use crate::config::pricing_mode::PricingMode;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::config::signals::Signals;

/// A value of an environment variable.
pub trait EnvValue {
    /// The text of the variable, masked if it is a secret; `None` if the value is not set.
    fn env_value(&self) -> Option<String>;
}

macro_rules! env_value_by_display {
    ($($type:ty),+) => {$(
        impl EnvValue for $type {
            fn env_value(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}
env_value_by_display!(
    bool,
    u16,
    u32,
    u64,
    usize,
    f64,
    String,
    IpAddr,
    Level,
    LogFilter,
    LocationPrices,
    LogFormat,
    LogLayout,
    LogTime,
    Signals,
    MetricsPort,
    PricingMode,
    AgentAddress,
    PushgatewayUrl,
    Milliseconds,
    OtelExporter,
    OtelSampler,
    OtlpCompression,
    OtlpProtocol,
    Propagators,
    Temporality
);

impl EnvValue for KeyValues {
    fn env_value(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.to_string())
    }
}

impl EnvValue for PathBuf {
    fn env_value(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl EnvValue for Duration {
    fn env_value(&self) -> Option<String> {
        // humantime would write 90 days in months, which have no fixed length.
        const DAY: u64 = 24 * 60 * 60;
        let days = (self.subsec_nanos() == 0 && self.as_secs() > 0 && self.as_secs().is_multiple_of(DAY))
            .then(|| format!("{}d", self.as_secs() / DAY));
        Some(days.unwrap_or_else(|| humantime::format_duration(*self).to_string()))
    }
}

impl EnvValue for Vec<String> {
    fn env_value(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.join(","))
    }
}

impl EnvValue for Secret<String> {
    fn env_value(&self) -> Option<String> {
        Some(MASK.to_owned())
    }
}

impl<T: EnvValue> EnvValue for Option<T> {
    fn env_value(&self) -> Option<String> {
        self.as_ref().and_then(EnvValue::env_value)
    }
}

impl EnvValue for Vec<Budget> {
    fn env_value(&self) -> Option<String> {
        let budgets: Vec<String> = self.iter().map(ToString::to_string).collect();
        (!budgets.is_empty()).then(|| budgets.join(","))
    }
}

impl EnvValue for NamedPrices {
    fn env_value(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_string())
    }
}
