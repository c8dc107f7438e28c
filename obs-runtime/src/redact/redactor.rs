//! What may leave: every sink takes [`Redacted`] events only, and only a [`Redactor`] makes them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use crate::base::secret::{MASK, Secret};
use crate::events::event::Event;
use crate::events::field::{Field, Text, Value};
use crate::redact::cache::Cache;
use crate::redact::hash::Hasher;
use crate::redact::names::{Kind, Names};
use crate::redact::pairs;
use crate::redact::patterns;
use crate::redact::patterns::PatternError;
use crate::redact::patterns::Patterns;
use crate::redact::scan;
use crate::redact::spans;
use crate::redact::spans::Spans;
use crate::redact::sql;
use crate::redact::values;

/// Longest text that leaves, in bytes; what is longer is cut and marked.
pub const LONGEST: usize = 64 * 1024;

/// Something from which secrets and personal data were taken. There is no other way to make one than a [`Redactor`].
#[derive(Clone, Debug)]
pub struct Redacted<T>(T);

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a> Redacted<Event<'a>> {
    /// Takes an event apart that every sink has seen, for the room that its fields took.
    pub fn into_fields(self) -> Vec<Field<'a>> {
        self.0.fields
    }
}

/// Takes secrets and personal data out, by name and by value.
pub struct Redactor {
    names: Names,
    /// What is known of texts that come again and again: names of fields, modules, files, whom a scope belongs to.
    known: Cache,
    patterns: Patterns,
    hasher: Hasher,
}

/// Of a text that comes again and again: what it says of its value as a name, and whether it can leave as it is.
const UNCLEAN: u8 = 64;

/// Longest text that is worth remembering.
const KNOWN: usize = 256;

impl Redactor {
    /// A redactor that knows these names beside its own, and hashes with this key (random without one).
    #[must_use]
    pub fn new(more_names: &[String], key: Option<&Secret<String>>) -> Self {
        Self {
            names: Names::new(more_names),
            known: Cache::new(),
            patterns: Patterns::default(),
            hasher: Hasher::new(key.map(|key| key.expose().as_bytes())),
        }
    }

    /// The same, which hides what these regular expressions match too. Those that are none are left out.
    #[must_use]
    pub fn with_patterns(self, patterns: &[String]) -> Self {
        Self { patterns: Patterns::new(patterns), ..self }
    }

    /// Why this is no pattern for a redactor, if it is none.
    pub fn pattern_problem(pattern: &str) -> Option<PatternError> {
        patterns::compile(pattern).err()
    }

    /// Redacts all text of an event.
    pub fn event<'a>(&self, event: Event<'a>) -> Redacted<Event<'a>> {
        Redacted(self.redact_event(event))
    }

    /// Redacts a text by value; borrowed text without a secret stays borrowed. What is longer than [`LONGEST`] is cut.
    pub fn text<'a>(&self, text: Text<'a>) -> Text<'a> {
        self.mask(cut(text), Spans::default())
    }

    /// Masks what looks like a secret, and what was found before.
    fn mask<'a>(&self, text: Text<'a>, mut spans: Spans) -> Text<'a> {
        let found = scan::scan(&text, &self.names);
        if !found.is_empty() {
            values::find(&text, found, &mut spans);
        }
        if found.has(scan::Found::PAIR) {
            pairs::find(&text, &self.names, &mut spans);
        }
        if found.has(scan::Found::QUOTE) {
            sql::find_in_text(&text, &mut spans);
        }
        self.patterns.find(&text, &mut spans);
        spans.mask(text)
    }

    /// Whether there is nothing in a text that any rule has to look at.
    fn is_clean(&self, text: &str) -> bool {
        scan::scan(text, &self.names).is_empty() && !self.patterns.may_match(text)
    }

    /// Redacts a text that likely comes again, as the name of a module does: as [`text`](Self::text), and remembered.
    pub fn familiar<'a>(&self, text: Text<'a>) -> Text<'a> {
        if text.len() <= KNOWN && self.known_kind(&text).1 { text } else { self.text(text) }
    }

    /// What a name says of its value, and whether it can leave as it is itself.
    fn known_kind(&self, name: &str) -> (Kind, bool) {
        let flags = self.known.get(name.as_bytes(), || {
            let clean = self.is_clean(name);
            self.names.kind(name).flags() | if clean { 0 } else { UNCLEAN }
        });
        (Kind::of(flags & !UNCLEAN), flags & UNCLEAN == 0)
    }

    /// Redacts a field: its name, and its value by name and by value.
    pub fn field(&self, field: &mut Field<'_>) {
        let (kind, clean) = self.known_kind(&field.name);
        if !self.leaves(kind, &field.value) {
            field.value = self.value_of(kind, std::mem::replace(&mut field.value, Value::Bool(false)));
        }
        if !clean {
            field.name = self.text(std::mem::take(&mut field.name));
        }
    }

    /// Redacts fields, and copies them only if something must not leave.
    pub fn fields(&self, fields: &mut Cow<'_, [Field<'static>]>) {
        let leaves = |field: &Field<'_>| {
            let (kind, clean) = self.known_kind(&field.name);
            clean && self.leaves(kind, &field.value)
        };
        if !fields.iter().all(leaves) {
            fields.to_mut().iter_mut().for_each(|field| self.field(field));
        }
    }

    /// Whether a value can leave as it is.
    fn leaves(&self, kind: Kind, value: &Value<'_>) -> bool {
        match (value, kind) {
            (Value::Text(text), Kind::Secret(secret)) if secret.hides_text(text) => false,
            (Value::Text(text), Kind::Sql) if sql::is_statement(text) => false,
            (Value::Text(text), _) => text.len() <= LONGEST && self.is_clean(text),
            (Value::Signed(_) | Value::Unsigned(_) | Value::Float(_), Kind::Secret(secret)) => !secret.hides_numbers(),
            (Value::Bool(_), Kind::Secret(secret)) => !secret.is_exact(),
            // A hash and a length are made of a value that must not leave, so that something of it may.
            (Value::Signed(_) | Value::Unsigned(_) | Value::Float(_) | Value::Bool(_), Kind::Plain | Kind::Sql)
            | (Value::Hash(_) | Value::Length(_), _) => true,
        }
    }

    /// Redacts the value of that name: whole when the name is a secret's, by value otherwise.
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

    /// Redacts a value that cannot leave as it is. Numbers are hidden when the name is just a secret's: `tokens_used` is a
    /// count, `token` is none.
    fn value_of<'a>(&self, kind: Kind, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Text(text) => Value::Text(self.text_of(kind, text)),
            _ => Value::from(MASK),
        }
    }

    /// Redacts a statement of SQL: every string literal, and what any text is redacted of.
    pub fn sql<'a>(&self, statement: Text<'a>) -> Text<'a> {
        let statement = cut(statement);
        let mut spans = Spans::default();
        sql::find_literals(&statement, 0, &mut spans);
        // Looked for in the statement as it is: a literal that is not closed rightly hides nothing of what it holds.
        self.mask(statement, spans)
    }

    /// A keyed hash of a value, equal for equal values: 16 hexadecimal digits, left as they are under any name.
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

/// The text, or as much of it as may leave, with a mark. It ends between words where it can, so that no half of a secret
/// is left that nothing recognises.
fn cut(text: Text<'_>) -> Text<'_> {
    /// Room for the mark, so that a text is cut once only.
    const MARK: usize = 40;
    /// How far before the limit a space is looked for.
    const WORD: usize = 1024;
    if text.len() <= LONGEST {
        return text;
    }
    let end = spans::floor(&text, LONGEST - MARK);
    let word = spans::floor(&text, end - WORD);
    let end = text[word..end].rfind(char::is_whitespace).map_or(end, |space| word + space);
    Cow::Owned(format!("{}…[cut {} bytes]", &text[..end], text.len() - end))
}

#[cfg(test)]
mod tests;
