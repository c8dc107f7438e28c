//! The redactor: every exporter accepts [`Redacted`] events only, and only a [`Redactor`] creates them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::secret::{MASK, Secret};
use crate::events::event::Event;
use crate::events::field::{Field, Text, Value};
use crate::events::panics::caught;
use crate::redact::cache::Cache;
use crate::redact::hash::Hasher;
use crate::redact::names::{Kind, Names};
use crate::redact::pairs;
use crate::redact::patterns;
use crate::redact::patterns::PatternError;
use crate::redact::patterns::Patterns;
use crate::redact::scan::{self, Candidates};
use crate::redact::spans::Spans;
use crate::redact::sql;
use crate::redact::truncation::{Cut, MAX_TEXT, read_part};
use crate::redact::urls;
use crate::redact::values;

/// A value without secrets and personal data. Only a [`Redactor`] creates one.
#[derive(Clone, Debug)]
pub struct Redacted<T>(T);

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a> Redacted<Event<'a>> {
    /// Takes the event apart, to reuse the allocation of its fields.
    pub fn into_fields(self) -> Vec<Field<'a>> {
        self.0.fields
    }
}

/// Removes secrets and personal data, by name and by value.
pub struct Redactor {
    /// Differs from that of every other redactor.
    id: u64,
    names: Names,
    /// Properties of texts that occur repeatedly: names of fields, modules, files, users.
    cache: Cache,
    patterns: Patterns,
    hasher: Hasher,
}

/// Flag of a cached text: it has to be redacted itself. The other flags are those of [`Kind::flags`].
const UNCLEAN: u8 = 64;

/// Maximum length of a text that is cached, in bytes.
const MAX_CACHED: usize = 256;

impl Redactor {
    /// A redactor with further names of secrets and the key of its hashes, which is random if not given.
    #[must_use]
    pub fn new(custom_names: &[String], key: Option<&Secret<String>>) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            names: Names::new(custom_names),
            cache: Cache::new(),
            patterns: Patterns::default(),
            hasher: Hasher::new(key.map(|key| key.expose().as_bytes())),
        }
    }

    /// Differs from that of every other redactor.
    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// Adds regular expressions of further secrets; invalid ones are left out.
    #[must_use]
    pub fn with_patterns(self, patterns: &[String]) -> Self {
        Self { patterns: Patterns::new(patterns), ..self }
    }

    /// Checks a regular expression of a secret.
    pub fn check_pattern(pattern: &str) -> Result<(), PatternError> {
        patterns::compile(pattern).map(drop)
    }

    /// Redacts all text of an event.
    pub fn event<'a>(&self, mut event: Event<'a>) -> Redacted<Event<'a>> {
        self.redact_event(&mut event);
        Redacted(event)
    }

    /// As [`event`](Self::event); `None` if that panics. An event is large: this moves it once.
    pub fn event_unless_panic<'a>(&self, mut event: Event<'a>) -> Option<Redacted<Event<'a>>> {
        caught(|| self.redact_event(&mut event)).ok()?;
        Some(Redacted(event))
    }

    /// Redacts a text by value and truncates it to [`MAX_TEXT`]. Borrowed text without a secret stays borrowed.
    pub fn text<'a>(&self, text: Text<'a>) -> Text<'a> {
        let (text, cut) = read_part(text);
        let found = scan::scan(&text, &self.names);
        if found.is_empty() && cut.is_none() && self.patterns.is_empty() {
            return text;
        }
        self.mask(text, found, cut, Spans::default())
    }

    /// As [`text`](Self::text), where the text is.
    pub(super) fn in_place(&self, text: &mut Text<'_>) {
        *text = self.text(std::mem::take(text));
    }

    /// As [`text`](Self::text), for the value of a setting, which may be an address without a scheme.
    pub fn setting<'a>(&self, value: Text<'a>) -> Text<'a> {
        let (value, cut) = read_part(value);
        let found = scan::scan(&value, &self.names);
        let mut spans = Spans::default();
        urls::find_in_address(&value, &mut spans);
        self.mask(value, found, cut, spans)
    }

    /// Masks what looks like a secret, and the given spans, and truncates the text at `cut` if there is one.
    fn mask<'a>(&self, text: Text<'a>, found: Candidates, cut: Option<Cut>, mut spans: Spans) -> Text<'a> {
        if !found.is_empty() {
            values::find(&text, found, &mut spans);
        }
        if found.has(Candidates::PAIR) {
            pairs::find(&text, &self.names, &mut spans);
        }
        if found.has(Candidates::QUOTE) {
            sql::find_in_text(&text, &mut spans);
        }
        self.patterns.find(&text, &mut spans);
        match cut {
            None => spans.mask(text),
            Some(cut) => Cow::Owned(cut.apply(&text, spans)),
        }
    }

    /// Whether a text can be exported unchanged.
    fn is_clean(&self, text: &str) -> bool {
        scan::scan(text, &self.names).is_empty() && !self.patterns.may_match(text)
    }

    /// As [`text`](Self::text), for a text that is likely to occur again.
    #[cfg(feature = "sentry")]
    pub fn repeated<'a>(&self, mut text: Text<'a>) -> Text<'a> {
        self.repeated_in_place(&mut text);
        text
    }

    /// As [`in_place`](Self::in_place), for a text that is likely to occur again, such as the name of a module.
    pub(super) fn repeated_in_place(&self, text: &mut Text<'_>) {
        if text.len() > MAX_CACHED || !self.name_kind(text).1 {
            self.in_place(text);
        }
    }

    /// The id of a user: an id that is personal data or a secret is replaced by its keyed hash, which tells users apart.
    pub(super) fn user(&self, id: &mut Text<'_>) {
        if id.len() <= MAX_CACHED && self.name_kind(id).1 {
            return;
        }
        if self.text(Cow::Borrowed(&**id)) != *id {
            *id = Cow::Owned(self.hashed(id).to_string());
        }
    }

    /// What a name indicates about its value, and whether the name itself can be exported unchanged.
    fn name_kind(&self, name: &str) -> (Kind, bool) {
        let flags = self.cache.get(name.as_bytes(), || {
            let clean = self.is_clean(name);
            self.names.kind(name).flags() | if clean { 0 } else { UNCLEAN }
        });
        (Kind::from_flags(flags & !UNCLEAN), flags & UNCLEAN == 0)
    }

    /// Redacts a field: its name, and its value by name and by value.
    pub fn field(&self, field: &mut Field<'_>) {
        let (kind, clean) = self.name_kind(&field.name);
        if !self.is_value_clean(kind, &field.value) {
            field.value = self.value_of(kind, std::mem::replace(&mut field.value, Value::Bool(false)));
        }
        if !clean {
            field.name = self.text(std::mem::take(&mut field.name));
        }
    }

    /// Redacts fields, and copies them only if one has to be changed.
    pub fn fields(&self, fields: &mut Cow<'_, [Field<'static>]>) {
        let is_clean = |field: &Field<'_>| {
            let (kind, clean) = self.name_kind(&field.name);
            clean && self.is_value_clean(kind, &field.value)
        };
        if !fields.iter().all(is_clean) {
            fields.to_mut().iter_mut().for_each(|field| self.field(field));
        }
    }

    /// Whether a value can be exported unchanged.
    fn is_value_clean(&self, kind: Kind, value: &Value<'_>) -> bool {
        match (value, kind) {
            (Value::Text(text), Kind::Secret(secret)) if secret.hides_text(text) => false,
            (Value::Text(text), Kind::Sql) if sql::is_statement(text) => false,
            (Value::Text(text), _) => text.len() <= MAX_TEXT && self.is_clean(text),
            (Value::Signed(_) | Value::Unsigned(_) | Value::Float(_), Kind::Secret(secret)) => !secret.hides_numbers(),
            (Value::Bool(_), Kind::Secret(secret)) => !secret.is_exact(),
            // Hashes and lengths are what the program records in place of a sensitive value.
            (Value::Signed(_) | Value::Unsigned(_) | Value::Float(_) | Value::Bool(_), Kind::Plain | Kind::Sql)
            | (Value::Hash(_) | Value::Length(_), _) => true,
        }
    }

    /// Redacts the value of a name: the whole value if the name is a secret's, otherwise by value.
    pub fn named<'a>(&self, name: &str, text: Text<'a>) -> Text<'a> {
        self.text_of(self.names.kind(name), text)
    }

    fn text_of<'a>(&self, kind: Kind, text: Text<'a>) -> Text<'a> {
        match kind {
            Kind::Secret(secret) if secret.hides_text(&text) => Cow::Borrowed(MASK),
            Kind::Sql if sql::is_statement(&text) => self.sql(text),
            Kind::Secret(_) | Kind::Sql | Kind::Plain => self.text(text),
        }
    }

    /// Redacts a value that is not clean. Numbers are hidden only if the name is exactly a secret's: `token`, but not
    /// `tokens_used`.
    fn value_of<'a>(&self, kind: Kind, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Text(text) => Value::Text(self.text_of(kind, text)),
            _ => Value::from(MASK),
        }
    }

    /// Redacts an SQL statement: its string literals, and everything that is redacted in any text.
    pub fn sql<'a>(&self, statement: Text<'a>) -> Text<'a> {
        let (statement, cut) = read_part(statement);
        let mut spans = Spans::default();
        sql::find_literals(&statement, 0, &mut spans);
        // The scan runs over the original statement, as a literal without an end hides too little.
        let found = scan::scan(&statement, &self.names);
        self.mask(statement, found, cut, spans)
    }

    /// A keyed hash of a value, equal for equal values: 16 hexadecimal digits, exported unchanged under any name.
    #[must_use]
    pub fn hashed(&self, value: &str) -> Value<'static> {
        self.hasher.hash(value).map_or(Value::from(MASK), Value::Hash)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").field("names", &self.names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
