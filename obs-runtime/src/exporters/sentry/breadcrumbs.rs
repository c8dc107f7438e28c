//! The steps that led to an event: the last ones of each correlation id.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ::sentry::protocol::{self, Breadcrumb};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::sentry::contexts::{json, level, limited};

/// Most steps that are kept, of all correlation ids together.
const KEPT: usize = 500;

/// Most steps on one event.
const SENT: usize = 100;

/// Longest message of a step.
const MESSAGE: usize = 1024;

/// Most fields of a step.
const FIELDS: usize = 12;

/// The last steps.
#[derive(Debug, Default)]
pub struct Trail(Mutex<VecDeque<Arc<Crumb>>>);

/// A step. Shared with the events that it leads to, and made Sentry's when one is sent.
#[derive(Debug)]
pub struct Crumb {
    time: SystemTime,
    level: Level,
    category: Box<str>,
    message: Box<str>,
    correlation_id: Option<Box<str>>,
    fields: Vec<(Box<str>, serde_json::Value)>,
}

impl Trail {
    /// Notes what an event tells as a step of that category.
    pub fn add(&self, event: &Event<'_>, category: &str) {
        if event.level < Level::Info {
            return;
        }
        let mut fields = Vec::new();
        event.fact.fields(&mut |name, value| {
            if fields.len() < FIELDS {
                fields.push((name.into(), json(&value)));
            }
        });
        let own = event.fields.iter().map(|field| (Box::from(&*field.name), json(&field.value)));
        fields.extend(own.take(FIELDS.saturating_sub(fields.len())));
        let crumb = Arc::new(Crumb {
            time: event.time,
            level: event.level,
            category: category.into(),
            message: limited(&event.fact.message(), MESSAGE).into(),
            correlation_id: event.context.correlation_id.as_deref().map(Box::from),
            fields,
        });
        let mut crumbs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if crumbs.len() >= KEPT { crumbs.pop_front() } else { None };
        crumbs.push_back(crumb);
        drop(crumbs);
        drop(oldest);
    }

    /// The last steps of that correlation id, and of none, until then, oldest first. What came after an error did not
    /// lead to it, however long that was on its way.
    pub fn of(&self, correlation_id: Option<&str>, until: SystemTime) -> Vec<Arc<Crumb>> {
        let crumbs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let belongs = |crumb: &&Arc<Crumb>| {
            crumb.time <= until
                && crumb.correlation_id.as_deref().is_none_or(|id| correlation_id.is_none_or(|wanted| wanted == id))
        };
        let mut found: Vec<_> = crumbs.iter().rev().filter(belongs).take(SENT).cloned().collect();
        drop(crumbs);
        found.reverse();
        found
    }
}

impl Crumb {
    /// The step as Sentry has it.
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
