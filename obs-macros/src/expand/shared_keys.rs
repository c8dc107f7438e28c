//! The keys of all attributes.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{ExprPath, LitStr};

use crate::expand::ide;
use crate::grammar::args::Args;
use crate::grammar::arguments::{self, Argument};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::fields::{self, Field};
use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::values;
use crate::grammar::vocabulary::Attribute;
use crate::item::function::Function;

/// The values of the keys of all attributes.
pub struct SharedKeys {
    pub runtime: RuntimePath,
    pub name: LitStr,
    /// The function's own name, if the operation's or command's name does not tell it.
    pub function: Option<String>,
    pub tags: Vec<Field>,
    pub arguments: Vec<Argument>,
    pub level: Option<&'static str>,
    pub verdict: Verdict,
    /// The item that documents the keys for rust-analyzer.
    pub documented: TokenStream,
}

/// How a return value is classified.
pub enum Verdict {
    /// By its type.
    Type,
    /// An error unless this function returns `true`.
    OkIf(ExprPath),
    /// An error if this function returns `true`.
    ErrorIf(ExprPath),
}

impl Verdict {
    /// Whether a function of the user classifies it.
    pub fn names_a_path(&self) -> bool {
        !matches!(self, Self::Type)
    }
}

impl SharedKeys {
    /// Reads and validates them.
    pub fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        let is_check = matches!(args.attribute(), Attribute::HealthCheck | Attribute::DqCheck);
        let runtime = RuntimePath::new(args, diagnostics);
        let name = args
            .value("name", values::text, diagnostics)
            .unwrap_or_else(|| default_name(args.attribute(), function, args.key("init").is_some()));
        let own_name = function.name();
        Self {
            documented: ide::documented(args.attribute(), args.words(), &runtime),
            runtime,
            // The runtime reads the name of a command with underscores.
            function: (name.value().replace('-', "_") != own_name).then_some(own_name),
            name,
            tags: fields::tags(args, diagnostics),
            arguments: if is_check {
                arguments::values_of_check(args, diagnostics)
            } else {
                arguments::arguments(args, &function.argument_names(), function.is_test(), diagnostics)
            },
            level: args.value("level", |key, expr| values::choice(key, expr, &values::LEVELS), diagnostics),
            verdict: verdict(args, diagnostics),
        }
    }

    /// The path of a runtime enum's variant: `Level::Warning` for `warning`.
    pub fn variant(&self, kind: &str, word: &str) -> TokenStream {
        let private = self.runtime.private();
        let kind = proc_macro2::Ident::new(kind, Span::mixed_site());
        let variant = proc_macro2::Ident::new(&capitalised(word), Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #private::#kind::#variant)
    }
}

fn default_name(attribute: Attribute, function: &Function, initialises: bool) -> LitStr {
    let name = function.name();
    let name = match attribute {
        Attribute::TrackedCommand => {
            let program = std::env::var("CARGO_BIN_NAME").or_else(|_| std::env::var("CARGO_PKG_NAME"));
            let name = program.ok().filter(|_| initialises).unwrap_or(name);
            name.trim_matches('_').replace('_', "-")
        }
        _ => name,
    };
    LitStr::new(&name, Span::mixed_site())
}

fn verdict(args: &Args, diagnostics: &mut Diagnostics) -> Verdict {
    let ok_if = args.value("ok_if", values::function, diagnostics);
    let error_if = args.value("error_if", values::function, diagnostics);
    if let (Some(_), Some(key)) = (args.key("ok_if"), args.key("error_if")) {
        diagnostics.at(key, "`ok_if` and `error_if` cannot be combined; remove one");
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
