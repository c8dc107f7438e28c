//! Values of the configuration as their variables would be set to them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::secret::{MASK, Secret};
use crate::config::agent_address::AgentAddress;
use crate::config::budgets::Budget;
use crate::config::filter::LogFilter;
use crate::config::log_format::LogFormat;
use crate::config::pushgateway_url::PushgatewayUrl;

/// A value as its variable would be set to it; none for one that is not set.
pub trait Show {
    /// The text; a mask for a secret.
    fn show(&self) -> Option<String>;
}

macro_rules! show_by_display {
    ($($type:ty),+) => {$(
        impl Show for $type {
            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}
show_by_display!(bool, u16, u32, u64, usize, f64, String, IpAddr, LogFilter, LogFormat, AgentAddress, PushgatewayUrl);

impl Show for PathBuf {
    fn show(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl Show for Duration {
    fn show(&self) -> Option<String> {
        // Three months are no unit that anybody sets a time limit in.
        const DAY: u64 = 24 * 60 * 60;
        let days = (self.subsec_nanos() == 0 && self.as_secs() > 0 && self.as_secs().is_multiple_of(DAY))
            .then(|| format!("{}d", self.as_secs() / DAY));
        Some(days.unwrap_or_else(|| humantime::format_duration(*self).to_string()))
    }
}

impl Show for Vec<String> {
    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.join(","))
    }
}

impl Show for Secret<String> {
    fn show(&self) -> Option<String> {
        Some(MASK.to_owned())
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Option<String> {
        self.as_ref().and_then(Show::show)
    }
}

impl Show for Vec<Budget> {
    fn show(&self) -> Option<String> {
        let budgets: Vec<String> = self.iter().map(ToString::to_string).collect();
        (!budgets.is_empty()).then(|| budgets.join(","))
    }
}
