//! Files for those who operate the program, made from what its attributes declare.
//!
//! A target is one file with a [`Target`](target::Target): it gets what is [declared](declared::Declared) and returns files. It is
//! listed in [`GenerateCommand`](crate::program::cli::generate::GenerateCommand). The result depends on the program alone, not on the
//! machine or the time, and is sorted, so that it can be kept beside the code and compared.

pub(crate) mod alertmanager;
#[cfg(feature = "datadog")]
pub(crate) mod datadog;
pub(crate) mod declared;
pub(crate) mod deployment;
pub(crate) mod folder;
pub(crate) mod grafana;
pub(crate) mod kubernetes;
pub(crate) mod prometheus;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod systemd;
pub(crate) mod target;
