//! The configuration of obs. Values come from environment variables, the builder overrides them, and `init` validates them as
//! a whole and reports all problems at once.

pub(crate) mod agent_address;
pub(crate) mod budgets;
pub(crate) mod check;
pub(crate) mod env_value;
pub(crate) mod filter;
pub(crate) mod filter_words;
pub(crate) mod lenient;
pub(crate) mod location_prices;
pub(crate) mod log_format;
pub(crate) mod log_layout;
pub(crate) mod metrics_port;
pub(crate) mod otlp;
pub(crate) mod otlp_parse;
pub(crate) mod otlp_target;
pub(crate) mod otlp_variables;
pub(crate) mod parse;
pub(crate) mod pricing_mode;
pub(crate) mod problem;
pub(crate) mod pushgateway_url;
pub(crate) mod read;
pub(crate) mod sampling;
pub(crate) mod settings;
pub(crate) mod signals;
pub(crate) mod span_directive;
pub(crate) mod unknown;
pub(crate) mod validated;
pub(crate) mod variable;
pub(crate) mod variables;

pub use agent_address::{AgentAddress, AgentAddressError};
pub use budgets::{Budget, BudgetPeriod};
pub use filter::{LogFilter, LogFilterError};
pub use location_prices::{LocationPrices, NamedPrices};
pub use log_format::LogFormat;
pub use log_layout::{LogLayout, LogTime};
pub use metrics_port::MetricsPort;
pub use otlp::{
    KeyValues, Milliseconds, OtelConfig, OtelExporter, OtelSampler, OtlpCompression, OtlpProtocol, OtlpSettings,
    OtlpSignal, Propagators, Temporality,
};
pub use otlp_target::{OtlpTarget, TraceSampler};
pub use pricing_mode::PricingMode;
pub use problem::{ConfigError, Problem};
pub use pushgateway_url::{PushgatewayUrl, PushgatewayUrlError};
pub use sampling::LogSampling;
pub use settings::{Origin, Setting};
pub use signals::Signals;
pub use span_directive::SpanDirective;
pub use unknown::{UnknownVariable, unknown};
pub use validated::Config;
pub use variable::Variable;
pub use variables::VARIABLES;
