//! What a call records: `tags(…)`, `args(…)`, `context(…)`.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath};

use crate::args::{Args, Entry, Value};
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::secret_names::looks_secret;
use crate::values;
use crate::vocabulary::Attribute;
use crate::words;

/// Labels that stand on every series, or on those of every call.
const RESERVED_TAGS: [&str; 6] = ["operation", "outcome", "service", "environment", "version", "error_type"];

/// Labels of the families that an attribute measures.
const fn labels(attribute: Attribute) -> &'static [&'static str] {
    match attribute {
        Attribute::TrackedCommand => &["command", "success", "argument"],
        Attribute::HealthCheck => &["check"],
        Attribute::DqCheck => &["check", "dataset", "severity"],
        Attribute::BqCost => &["kind", "reason", "query_type", "cache_hit", "operation_type", "dataset"],
        Attribute::WithErrorTracking | Attribute::TrackPerformance => &[],
    }
}

/// Labels that stand on every job.
const OWN_JOB_LABELS: [&str; 4] = ["service", "environment", "operation", "correlation_id"];

/// The forms in which an argument is recorded without being shown.
const FORMS: [&str; 3] = ["redact", "hash", "len"];

/// A name and the expression that gives its value.
pub struct Field {
    pub name: Ident,
    pub value: Expr,
}

/// An argument and how much of it is recorded.
pub struct Argument {
    pub name: Ident,
    pub recorded: Recorded,
}

/// How much of an argument is recorded.
pub enum Recorded {
    /// What this shows.
    Shown(Expr),
    /// That it was there.
    Redacted,
    /// A keyed hash of this.
    Hashed(Expr),
    /// The length of this.
    Length(Expr),
}

/// `tags(k = expr, …)`.
pub fn tags(args: &Args, mistakes: &mut Mistakes) -> Vec<Field> {
    let tags = fields("tags", args, mistakes);
    for Field { name, .. } in &tags {
        let word = name.unraw().to_string();
        if RESERVED_TAGS.contains(&word.as_str()) || labels(args.attribute()).contains(&word.as_str()) {
            mistakes.at(name, format!("`{word}` is a label that obs sets itself; give the tag another name"));
        }
    }
    tags
}

/// `labels(k = expr, …)` of the jobs that run inside, whose keys are such as `BigQuery` takes.
pub fn job_labels(args: &Args, mistakes: &mut Mistakes) -> Vec<Field> {
    let labels = fields("labels", args, mistakes);
    for Field { name, .. } in &labels {
        let word = name.unraw().to_string();
        let is_letter = |letter: char| letter.is_lowercase() || letter.is_ascii_digit() || letter == '_';
        if OWN_JOB_LABELS.contains(&word.as_str()) {
            mistakes.at(name, format!("`{word}` is a label that obs sets itself; give the label another name"));
        } else if !word.starts_with(char::is_lowercase) || !word.chars().all(is_letter) || word.chars().count() > 63 {
            let rule = "BigQuery's labels have at most 63 lower-case letters, digits and `_`, a letter first";
            mistakes.at(name, format!("`{word}` cannot name a label: {rule}"));
        }
    }
    labels
}

/// `key(k = expr, …)`.
pub fn fields(key: &'static str, args: &Args, mistakes: &mut Mistakes) -> Vec<Field> {
    let mut fields = Vec::new();
    for Entry { key: name, value } in once_each(args.list(key, mistakes), key, mistakes) {
        match value {
            Value::Expr(value) => fields.push(Field { name, value }),
            Value::Absent | Value::List(_) => mistakes.add(needs_value(&name, key)),
        }
    }
    fields
}

/// `args(a, b = expr, c = redact, …)` of a function.
pub fn arguments(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Vec<Argument> {
    let known = function.argument_names();
    // A case has the arguments as variables, not as arguments.
    let is_test = function.attributes.iter().any(|attribute| attribute.path.last().is_some_and(|word| word == "test"));
    let made_by_rstest = is_test && known.is_empty();
    let entries = once_each(args.list("args", mistakes), "args", mistakes);
    entries.into_iter().filter_map(|entry| mistakes.keep(argument(entry, &known, made_by_rstest))).collect()
}

fn argument(entry: Entry, known: &[Ident], made_by_rstest: bool) -> syn::Result<Argument> {
    let name = entry.name();
    let key = &entry.key;
    let of_function = known.iter().find(|ident| ident.unraw() == name);
    let swap = if made_by_rstest { "; when `#[rstest]` makes this of its cases, put it above `#[rstest]`" } else { "" };
    let missing = || syn::Error::new_spanned(key, no_argument(&name, known) + swap);
    let same_value = || of_function.map(|ident| reference(ident, key)).ok_or_else(missing);
    let recorded = match entry.value {
        Value::List(_) => return Err(needs_value(key, "args")),
        Value::Absent => {
            let value = same_value()?;
            public(key, &name, of_function.is_some())?;
            Recorded::Shown(value)
        }
        Value::Expr(value) => match lone_word(&value).map(Ident::to_string).as_deref() {
            Some("redact") => same_value().map(|_| Recorded::Redacted)?,
            Some("hash") => Recorded::Hashed(same_value()?),
            Some("len") => Recorded::Length(same_value()?),
            Some(word) if !known.iter().any(|argument| argument.unraw() == word) && form_meant(word).is_some() => {
                let form = form_meant(word).unwrap_or_default();
                let message =
                    format!("there is no `{word}` here, did you mean `{name} = {form}`? allowed: {}", forms());
                return Err(syn::Error::new_spanned(value, message));
            }
            _ => {
                public(key, &name, of_function.is_some())?;
                shown_under_another_name(&value, known)?;
                Recorded::Shown(value)
            }
        },
    };
    Ok(Argument { name: entry.key, recorded })
}

/// The form that a word is a misspelling of.
fn form_meant(word: &str) -> Option<&'static str> {
    let begun = || FORMS.into_iter().find(|form| word.starts_with(form));
    words::nearest(word, FORMS).or_else(begun)
}

fn forms() -> String {
    format!("an expression, {}", words::and(&FORMS.map(|form| format!("`{form}`"))))
}

/// `args(k = expr, …)` of a check, which has no arguments.
pub fn values_of_check(args: &Args, mistakes: &mut Mistakes) -> Vec<Argument> {
    let fields = fields("args", args, mistakes);
    let recorded = |Field { name, value }: Field| {
        match lone_word(&value) {
            Some(form) if FORMS.iter().any(|word| form == word) => {
                let message = format!("a check has no argument to `{form}`; write the value itself: `{name} = expr`");
                return Err(syn::Error::new_spanned(&value, message));
            }
            _ => {}
        }
        public(&name, &name.unraw().to_string(), false)?;
        shown_under_another_name(&value, &[])?;
        Ok(Argument { name, recorded: Recorded::Shown(value) })
    };
    fields.into_iter().filter_map(|field| mistakes.keep(recorded(field))).collect()
}

/// The entries without those whose name came before.
fn once_each(entries: Vec<Entry>, list: &str, mistakes: &mut Mistakes) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let name = entry.name();
        if kept.iter().any(|earlier| earlier.name() == name) {
            mistakes.at(&entry.key, format!("`{name}` stands in `{list}` twice; keep one"));
        } else {
            kept.push(entry);
        }
    }
    kept
}

/// Refuses a name that looks secret.
fn public(word: &Ident, name: &str, is_argument: bool) -> syn::Result<()> {
    if !looks_secret(name) {
        return Ok(());
    }
    let fix = if is_argument {
        format!("write `{name} = redact`, `{name} = hash` or `{name} = len`")
    } else {
        "leave it out".to_owned()
    };
    Err(syn::Error::new_spanned(word, format!("`{name}` looks secret and would be recorded in full; {fix}")))
}

/// Refuses `a = password`.
fn shown_under_another_name(value: &Expr, known: &[Ident]) -> syn::Result<()> {
    match lone_word(value) {
        Some(word) => public(word, &word.unraw().to_string(), known.contains(word)),
        None => Ok(()),
    }
}

fn needs_value(name: &Ident, list: &str) -> syn::Error {
    syn::Error::new_spanned(name, format!("`{name}` has no value: `{list}({name} = expr)`"))
}

fn no_argument(name: &str, known: &[Ident]) -> String {
    if name == "self" {
        return "`self` is not recorded as a whole; record a part of it: `args(id = self.id)`".to_owned();
    }
    let names: Vec<String> = known.iter().map(|ident| ident.unraw().to_string()).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let has = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", words::and(&quoted)) };
    let fault = format!("the function has no argument `{name}`");
    words::fault(&fault, name, names.iter().map(String::as_str), '`', &has)
}

/// The argument, found where the attribute names it.
fn reference(argument: &Ident, key: &Ident) -> Expr {
    let mut ident = argument.clone();
    ident.set_span(argument.span().located_at(key.span()));
    Expr::Path(ExprPath { attrs: Vec::new(), qself: None, path: ident.into() })
}

fn lone_word(value: &Expr) -> Option<&Ident> {
    match values::plain(value) {
        Expr::Path(ExprPath { qself: None, path, .. }) => path.get_ident(),
        _ => None,
    }
}
