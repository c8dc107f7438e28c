//! The user on whose behalf the program acts.

use std::fmt;
use std::sync::Arc;

/// The user on whose behalf the program acts: an id and, only if the program gives them, a name, an e-mail address and an IP
/// address.
///
/// The id is on every log line. An id that is personal data itself, such as an e-mail address, is replaced by its keyed hash,
/// so that one user stays one user: with `OBS_REDACTION_KEY` in all processes and runs, without it in one process. Name, e-mail
/// address and IP address go to Sentry as they are, and nowhere else.
///
/// ```
/// use obs_runtime::{LogContext, User};
///
/// LogContext::new().user(User::new("1815").name("Ada").email("ada@example.com")).scope(|| { /* … */ });
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a user is nowhere before it is given to set_user or to a LogContext"]
pub struct User {
    id: Arc<str>,
    contact: Option<Arc<Contact>>,
}

/// What the program wants Sentry to know of a user besides the id.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The name.
    pub name: Option<Box<str>>,
    /// The e-mail address.
    pub email: Option<Box<str>>,
    /// The IP address.
    pub ip_address: Option<Box<str>>,
}

impl User {
    /// The user of this id.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self { id: id.as_ref().into(), contact: None }
    }

    /// The name, for Sentry.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        self.with(|contact| contact.name = Some(name.as_ref().into()))
    }

    /// The e-mail address, for Sentry.
    pub fn email(self, email: impl AsRef<str>) -> Self {
        self.with(|contact| contact.email = Some(email.as_ref().into()))
    }

    /// The IP address, for Sentry. A text that is none is left out.
    pub fn ip_address(self, address: impl AsRef<str>) -> Self {
        self.with(|contact| contact.ip_address = Some(address.as_ref().into()))
    }

    fn with(mut self, change: impl FnOnce(&mut Contact)) -> Self {
        change(Arc::make_mut(self.contact.get_or_insert_default()));
        self
    }

    /// The id, before redaction.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What the program wants Sentry to know besides the id.
    pub(crate) const fn contact(&self) -> Option<&Arc<Contact>> {
        self.contact.as_ref()
    }
}

impl<T: AsRef<str>> From<T> for User {
    fn from(id: T) -> Self {
        Self::new(id)
    }
}

/// Without the personal data.
impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").finish_non_exhaustive()
    }
}

/// Without the personal data.
impl fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Contact").finish_non_exhaustive()
    }
}
