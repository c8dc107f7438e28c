//! `args(…)`: the arguments of a call that are recorded, and in which form.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath};

use crate::grammar::args::{Args, Entry, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::fields::{self, Field, needs_value, once_each};
use crate::grammar::message;
use crate::grammar::secret_names::looks_secret;
use crate::grammar::values;

/// The forms in which an argument is recorded without being shown.
const FORMS: [&str; 3] = ["redact", "hash", "len"];

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

/// `args(a, b = expr, c = redact, …)` of a function.
///
/// `known` are the names that its arguments bind. A test case that `#[rstest]` generates has none.
pub fn arguments(args: &Args, known: &[Ident], is_test: bool, diagnostics: &mut Diagnostics) -> Vec<Argument> {
    let is_rstest_case = is_test && known.is_empty();
    let entries = once_each(args.list("args", diagnostics), "args", diagnostics);
    entries.into_iter().filter_map(|entry| diagnostics.keep(argument(entry, known, is_rstest_case))).collect()
}

fn argument(entry: Entry, known: &[Ident], is_rstest_case: bool) -> syn::Result<Argument> {
    let name = entry.name();
    let key = &entry.key;
    let of_function = known.iter().find(|ident| ident.unraw() == name);
    let swap = if is_rstest_case { "; when `#[rstest]` makes this of its cases, put it above `#[rstest]`" } else { "" };
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
    message::nearest(word, FORMS).or_else(begun)
}

fn forms() -> String {
    format!("an expression, {}", message::list(&FORMS.map(|form| format!("`{form}`"))))
}

/// `args(k = expr, …)` of a check, which has no arguments.
pub fn values_of_check(args: &Args, diagnostics: &mut Diagnostics) -> Vec<Argument> {
    let fields = fields::fields("args", args, diagnostics);
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
    fields.into_iter().filter_map(|field| diagnostics.keep(recorded(field))).collect()
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

fn no_argument(name: &str, known: &[Ident]) -> String {
    if name == "self" {
        return "`self` is not recorded as a whole; record a part of it: `args(id = self.id)`".to_owned();
    }
    let names: Vec<String> = known.iter().map(|ident| ident.unraw().to_string()).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let has = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", message::list(&quoted)) };
    let fault = format!("the function has no argument `{name}`");
    message::with_suggestion(&fault, name, names.iter().map(String::as_str), '`', &has)
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
