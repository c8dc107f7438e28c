//! `only(…)`, `skip(…)`, `public_only`: selects functions of a block.

use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use crate::grammar::args::{Args, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::message;

/// Selects functions of a block by their paths within it.
pub struct FunctionFilter {
    only: Option<Vec<Vec<String>>>,
    skip: Vec<Vec<String>>,
    public_only: bool,
}

impl FunctionFilter {
    /// Reads the keys; `known` are the functions of the block.
    pub fn new(args: &Args, known: &[Vec<String>], of_trait: bool, diagnostics: &mut Diagnostics) -> Self {
        let only = args.key("only").map(|_| functions("only", args, known, diagnostics));
        let skip = functions("skip", args, known, diagnostics);
        if let (Some(_), Some(key)) = (args.key("only"), args.key("skip")) {
            diagnostics.at(key, "`only` and `skip` cannot be combined; remove one");
        }
        let public_only = args.key("public_only");
        if let Some(key) = public_only.filter(|_| of_trait) {
            let message = "`public_only` has no effect here: functions of a trait are as public as the trait";
            diagnostics.at(key, message);
        }
        Self { only, skip, public_only: public_only.is_some() }
    }

    /// Whether a function is selected.
    pub fn takes(&self, path: &[String], is_public: bool) -> bool {
        let named = |names: &[Vec<String>]| names.iter().any(|name| path.starts_with(name));
        (is_public || !self.public_only) && !named(&self.skip) && self.only.as_deref().is_none_or(named)
    }
}

/// `key(a, b, C::d)`: paths of functions, or of inner blocks with all their functions.
fn functions(key: &str, args: &Args, known: &[Vec<String>], diagnostics: &mut Diagnostics) -> Vec<Vec<String>> {
    let Some(Value::List(group)) = args.written(key) else { return Vec::new() };
    if group.stream().is_empty() {
        diagnostics.at(group, format!("`{key}` is empty: `{key}(a, b, …)`"));
        return Vec::new();
    }
    let read = |input: ParseStream| Punctuated::<Path, Token![,]>::parse_terminated_with(input, Path::parse_mod_style);
    let Ok(named) = read.parse2(group.stream()) else {
        diagnostics.at(group, format!("`{key}` needs the names of functions in the block: `{key}(a, b, …)`"));
        return Vec::new();
    };
    let mut kept: Vec<Vec<String>> = Vec::new();
    for path in named {
        let name: Vec<String> = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        if kept.contains(&name) {
            diagnostics.at(&path, format!("`{}` is a duplicate in `{key}`; remove one", name.join("::")));
        } else if known.iter().any(|function| function.starts_with(&name)) {
            kept.push(name);
        } else {
            diagnostics.at(&path, no_function(&name.join("::"), known));
        }
    }
    kept
}

fn no_function(written: &str, known: &[Vec<String>]) -> String {
    let known: Vec<String> = known.iter().map(|path| path.join("::")).collect();
    let quoted: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let has = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", message::list(&quoted)) };
    let fault = format!("the block has no function `{written}` that can be instrumented");
    message::with_suggestion(&fault, written, known.iter().map(String::as_str), '`', &has)
}
