//! The last initialisation that failed, for the commands that say what is wrong.

use std::sync::{Mutex, PoisonError};

use crate::config::settings::Setting;
use crate::config::validated::Config;

/// An initialisation that failed.
#[derive(Clone)]
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only commands read it"))]
pub struct FailedInit {
    /// The configuration, each faulty value at its default.
    pub config: Config,
    pub settings: Vec<Setting>,
    /// Why it failed, redacted.
    pub problems: Vec<String>,
}

static LAST: Mutex<Option<FailedInit>> = Mutex::new(None);

/// Remembers a failure, or, with `None`, that obs was initialised.
pub fn set(failed: Option<FailedInit>) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = failed;
}

/// The last initialisation, if it failed.
#[cfg(feature = "cli")]
pub fn last() -> Option<FailedInit> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(all(test, feature = "sentry"))]
mod tests {
    use crate::base::secret::Secret;
    use crate::exporters::sink::definition::{Sink, SinkError};
    use crate::exporters::sink::event::RedactedEvent;
    use crate::program::init::init_error::InitError;
    use crate::program::init::observability::Observability;

    struct Misnamed;

    impl Sink for Misnamed {
        fn name(&self) -> &'static str {
            "Not A Name"
        }

        fn accept(&mut self, _: &RedactedEvent) -> Result<(), SinkError> {
            Ok(())
        }
    }

    #[test]
    fn an_initialisation_that_fails_leaves_the_hub_of_sentry_alone() {
        let sends = Observability::builder().without_environment().defaults(|config| {
            config.sentry_enabled = true;
            config.sentry_dsn = Some(Secret::new("http://key@127.0.0.1:9/1".to_owned()));
        });
        let failed = sends.sink(Misnamed).init().err();
        assert!(matches!(failed, Some(InitError::Sink(_))), "{failed:?}");
        assert!(::sentry::Hub::main().client().is_none());
    }
}
