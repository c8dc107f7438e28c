//! The last breadcrumbs, which are sent with events of the same correlation id.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ::sentry::protocol::{self, Breadcrumb};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::sentry::contexts::{json, level, limited};

/// The most breadcrumbs that are kept, of all correlation ids together.
const CAPACITY: usize = 500;

/// The most breadcrumbs of one event, unless the program says otherwise.
const MAX_SENT: usize = 100;

/// The most bytes of a breadcrumb's message.
const MAX_MESSAGE: usize = 1024;

/// The most fields of a breadcrumb.
const MAX_FIELDS: usize = 12;

/// A ring buffer of the last breadcrumbs.
#[derive(Debug)]
pub struct BreadcrumbBuffer {
    crumbs: Mutex<VecDeque<Arc<Crumb>>>,
    max_sent: usize,
}

/// A breadcrumb, shared with the events that it belongs to. Converted to Sentry's type when one is sent.
#[derive(Debug)]
pub struct Crumb {
    time: SystemTime,
    level: Level,
    category: Box<str>,
    message: Box<str>,
    correlation_id: Option<Box<str>>,
    fields: Vec<(Box<str>, serde_json::Value)>,
}

impl BreadcrumbBuffer {
    /// An empty buffer. `max_sent` is the most breadcrumbs of one event, if it is not the default.
    pub fn new(max_sent: Option<usize>) -> Self {
        Self { crumbs: Mutex::default(), max_sent: max_sent.unwrap_or(MAX_SENT).min(CAPACITY) }
    }

    /// Adds an event as a breadcrumb of that category.
    pub fn add(&self, event: &Event<'_>, category: &str) {
        if event.level < Level::Info {
            return;
        }
        let mut fields = Vec::new();
        event.fact.fields(&mut |name, value| {
            if fields.len() < MAX_FIELDS {
                fields.push((name.into(), json(&value)));
            }
        });
        let own = event
            .fields
            .iter()
            .chain(event.span_fields().map(|(_, field)| field))
            .map(|field| (Box::from(&*field.name), json(&field.value)));
        fields.extend(own.take(MAX_FIELDS.saturating_sub(fields.len())));
        let crumb = Arc::new(Crumb {
            time: event.time,
            level: event.level,
            category: category.into(),
            message: limited(&event.fact.message(), MAX_MESSAGE).into(),
            correlation_id: event.context.correlation_id.as_deref().map(Box::from),
            fields,
        });
        let mut crumbs = self.crumbs.lock().unwrap_or_else(PoisonError::into_inner);
        // Freed after the lock is released.
        let oldest = if crumbs.len() >= CAPACITY { crumbs.pop_front() } else { None };
        crumbs.push_back(crumb);
        drop(crumbs);
        drop(oldest);
    }

    /// The last breadcrumbs of that correlation id, if there is one, and those without one, up to `until`, oldest first. An error is reported
    /// some time after it was captured: later breadcrumbs did not lead to it.
    pub fn of(&self, correlation_id: Option<&str>, until: SystemTime) -> Vec<Arc<Crumb>> {
        let crumbs = self.crumbs.lock().unwrap_or_else(PoisonError::into_inner);
        let belongs = |crumb: &&Arc<Crumb>| {
            crumb.time <= until && crumb.correlation_id.as_deref().is_none_or(|id| correlation_id == Some(id))
        };
        let mut found: Vec<_> = crumbs.iter().rev().filter(belongs).take(self.max_sent).cloned().collect();
        drop(crumbs);
        found.reverse();
        found
    }
}

impl Crumb {
    /// Converts the breadcrumb to Sentry's type.
    pub fn to_breadcrumb(&self) -> Breadcrumb {
        let data: BTreeMap<_, _> = self.fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        Breadcrumb {
            timestamp: self.time,
            ty: if self.level >= Level::Error { "error" } else { "default" }.to_owned(),
            category: Some(self.category.to_string()),
            level: level(self.level),
            message: Some(self.message.to_string()),
            data: data.into_iter().collect::<protocol::Map<_, _>>(),
        }
    }
}
