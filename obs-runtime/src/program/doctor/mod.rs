//! What keeps obs from working as it is configured: the diagnosis of `doctor`.

pub(crate) mod backends;
pub(crate) mod configuration;
pub(crate) mod diagnosis;
#[cfg(feature = "prometheus")]
pub(crate) mod endpoint;
pub(crate) mod finding;
pub(crate) mod inventory;
pub(crate) mod machine;
pub(crate) mod sending;
