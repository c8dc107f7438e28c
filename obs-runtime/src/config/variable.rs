//! The description of an environment variable. Parsing, errors and the documentation are derived from it.

use crate::base::secret::MASK;
use crate::config::parse::Parsed;
use crate::config::problem::Problem;
use crate::config::validated::Config;
use crate::redact::redactor::Redactor;

/// An environment variable.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// Description of the allowed values.
    pub allowed: &'static str,
    /// The default; empty if there is none.
    pub default: &'static str,
    /// One sentence of help.
    pub help: &'static str,
    /// Whether the value is a secret, which is never shown.
    pub secret: bool,
    /// Whether an invalid value is logged as a warning and replaced by the default. Otherwise it is an error of `init`.
    pub lenient: bool,
    /// Parses a value and sets it in a configuration.
    pub(super) set: fn(&mut Config, &str) -> Parsed<()>,
    /// Formats the value in a configuration.
    pub(super) get: fn(&Config) -> Option<String>,
    /// Takes the value of another configuration.
    pub(super) reset: fn(&mut Config, &Config),
    /// Whether two configurations have the same value.
    pub(super) same: fn(&Config, &Config) -> bool,
}

/// Maximum number of characters of an invalid value in an error.
const MAX_SHOWN: usize = 200;

impl Variable {
    pub(super) fn problem(&self, value: &str, nearest: Option<&str>) -> Problem {
        let (value, nearest) = if self.secret && !value.is_empty() {
            (MASK.to_owned(), None)
        } else {
            let redactor = Redactor::new(&[], None);
            let shown = |text: &str| redactor.setting(text.into()).chars().take(MAX_SHOWN).collect::<String>();
            let value = shown(value);
            // What was meant may show parts of a value that is hidden as a whole.
            let nearest = nearest.filter(|_| value != MASK).map(shown);
            (value, nearest)
        };
        Problem { variable: self.name, value, allowed: self.allowed, nearest }
    }
}

/// Declares a table of variables: field, parser, allowed values, default and help.
macro_rules! variables {
    ($table:ident, lenient: $lenient:literal;
        $($name:literal => $($field:ident).+ = |$text:ident| $parse:expr, $allowed:literal, $default:literal, $help:literal
        $(, $secret:ident)?;)*) => {
        #[allow(clippy::float_cmp, reason = "compares for identical values")]
        pub(super) const $table: &[Variable] = &[$(Variable {
            name: $name,
            allowed: $allowed,
            default: $default,
            help: $help,
            secret: variables!(@secret $($secret)?),
            lenient: $lenient,
            set: |config, $text| {
                config.$($field).+ = $parse;
                Ok(())
            },
            get: |config| config.$($field).+.env_value(),
            reset: |config, other| config.$($field).+.clone_from(&other.$($field).+),
            same: |left, right| left.$($field).+ == right.$($field).+,
        }),*];
    };
    (@secret secret) => { true };
    (@secret) => { false };
}
pub(super) use variables;
