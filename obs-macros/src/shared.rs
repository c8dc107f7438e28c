//! The keys that every attribute takes.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{ExprPath, LitStr};

use crate::args::Args;
use crate::editors;
use crate::fields::{self, Argument, Field};
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::runtime_path::RuntimePath;
use crate::values;
use crate::vocabulary::Attribute;

/// What the shared keys say.
pub struct Shared {
    pub runtime: RuntimePath,
    pub name: LitStr,
    pub tags: Vec<Field>,
    pub arguments: Vec<Argument>,
    pub level: Option<&'static str>,
    pub verdict: Verdict,
    /// What rust-analyzer is shown of the keys.
    pub documented: TokenStream,
}

/// What decides whether a value is an error.
pub enum Verdict {
    /// Its type.
    Type,
    /// It is one unless this says it is fine.
    OkIf(ExprPath),
    /// It is one when this says so.
    ErrorIf(ExprPath),
}

impl Verdict {
    /// Whether a path of the user's decides.
    pub fn names_a_path(&self) -> bool {
        !matches!(self, Self::Type)
    }
}

impl Shared {
    /// Reads and checks them.
    pub fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        let is_check = matches!(args.attribute(), Attribute::HealthCheck | Attribute::DqCheck);
        let runtime = RuntimePath::new(args, mistakes);
        Self {
            documented: editors::documented(args.attribute(), args.words(), &runtime),
            runtime,
            name: args
                .value("name", values::text, mistakes)
                .unwrap_or_else(|| default_name(args.attribute(), function)),
            tags: fields::tags(args, mistakes),
            arguments: if is_check {
                fields::values_of_check(args, mistakes)
            } else {
                fields::arguments(args, function, mistakes)
            },
            level: args.value("level", |key, expr| values::choice(key, expr, &values::LEVELS), mistakes),
            verdict: verdict(args, mistakes),
        }
    }

    /// `Level::Warning` for `warning`, in the runtime's words.
    pub fn variant(&self, kind: &str, word: &str) -> TokenStream {
        let private = self.runtime.private();
        let kind = proc_macro2::Ident::new(kind, Span::mixed_site());
        let variant = proc_macro2::Ident::new(&capitalised(word), Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #private::#kind::#variant)
    }
}

fn default_name(attribute: Attribute, function: &Function) -> LitStr {
    let name = function.name();
    let name = match attribute {
        Attribute::TrackedCommand => name.trim_matches('_').replace('_', "-"),
        _ => name,
    };
    LitStr::new(&name, Span::mixed_site())
}

fn verdict(args: &Args, mistakes: &mut Mistakes) -> Verdict {
    let ok_if = args.value("ok_if", values::function, mistakes);
    let error_if = args.value("error_if", values::function, mistakes);
    if let (Some(_), Some(key)) = (args.key("ok_if"), args.key("error_if")) {
        mistakes.at(key, "`ok_if` and `error_if` both decide what an error is; keep one");
    }
    match (ok_if, error_if) {
        (Some(path), _) => Verdict::OkIf(path),
        (None, Some(path)) => Verdict::ErrorIf(path),
        (None, None) => Verdict::Type,
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
