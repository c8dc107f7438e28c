//! The item under an attribute. Its head is parsed; its body is kept as tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{FnArg, Pat, ReturnType, Signature, Visibility};

use crate::item::outer_attribute::{OuterAttribute, take_attributes};
use crate::item::returned_future::ReturnedFuture;

/// The item under an attribute.
pub struct Item {
    /// Its remaining attributes.
    pub attributes: Vec<OuterAttribute>,
    /// The function, or the reason why the item cannot be instrumented.
    pub function: syn::Result<Function>,
}

/// A function with a body.
pub struct Function {
    /// The tokens between attributes and body.
    pub head: TokenStream,
    pub visibility: Visibility,
    pub signature: Signature,
    pub body: Body,
    /// Its remaining attributes.
    pub attributes: Vec<OuterAttribute>,
    pub shape: Shape,
}

/// The body of a function.
pub struct Body {
    /// The braces.
    pub braces: Group,
    /// `#![…]` at its start.
    pub inner_attributes: TokenStream,
    /// The tokens after them.
    pub statements: TokenStream,
}

/// How a function produces its value.
pub enum Shape {
    Sync,
    Async,
    /// It returns a future.
    Future(Box<ReturnedFuture>),
}

impl Item {
    /// Parses any item; never fails.
    pub fn parse(item: TokenStream) -> Self {
        let mut trees = trees(item);
        let attributes = take_attributes(&mut trees);
        let mut function = Function::parse(trees);
        if let Ok(function) = &mut function {
            function.attributes.clone_from(&attributes);
            // The location of the caller is kept for values only.
            let is_tracked = || attributes.iter().any(OuterAttribute::is_track_caller);
            if matches!(&function.shape, Shape::Future(future) if !future.is_certain()) && is_tracked() {
                function.shape = Shape::Sync;
            }
        }
        Self { attributes, function }
    }
}

impl Function {
    fn parse(mut trees: Vec<TokenTree>) -> syn::Result<Self> {
        let last = trees.pop();
        let before: TokenStream = trees.iter().cloned().collect();
        let Some(TokenTree::Group(braces)) = last.clone().filter(is_braces) else {
            let all: TokenStream = trees.into_iter().chain(last.clone()).collect();
            let is_function = fn_head.parse2(all.clone()).is_ok();
            let message =
                "a function without a body cannot be instrumented; annotate its implementations, or a default body";
            return Err(if is_function { syn::Error::new_spanned(last, message) } else { not_a_function(&all) });
        };
        let (visibility, signature) = match fn_head.parse2(before.clone()) {
            Ok(head) => head,
            Err(_) if !has_word(&before, "fn") => return Err(not_a_function(&before)),
            Err(error) => return Err(error),
        };
        if let Some(constness) = &signature.constness {
            let message =
                "a `const fn` cannot be instrumented, as it may run at compile time; remove `const` or the attribute";
            return Err(syn::Error::new_spanned(constness, message));
        }
        if let Some(variadic) = &signature.variadic {
            let message = "a variadic function cannot be instrumented, as its arguments cannot be forwarded";
            return Err(syn::Error::new_spanned(variadic, message));
        }
        let body = Body::new(braces);
        let shape = match ReturnedFuture::find(&signature, &body.statements) {
            _ if signature.asyncness.is_some() => Shape::Async,
            Some(future) => Shape::Future(Box::new(future)),
            None => Shape::Sync,
        };
        Ok(Self { head: before, visibility, signature, body, attributes: Vec::new(), shape })
    }

    /// Its name, without `r#`.
    pub fn name(&self) -> String {
        self.signature.ident.unraw().to_string()
    }

    /// Whether its name is that of a program's entry point.
    pub fn is_main(&self) -> bool {
        self.signature.ident == "main"
    }

    /// The span of its return type, or of its name if it has none.
    pub fn return_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Default => self.signature.ident.span(),
            ReturnType::Type(_, output) => syn::spanned::Spanned::span(output),
        }
    }

    /// The `fallback` expressions of its remaining attributes.
    pub fn fallbacks(&self) -> TokenStream {
        self.attributes.iter().filter_map(OuterAttribute::fallback).collect()
    }

    /// Whether a call gives a future.
    pub fn gives_future(&self) -> bool {
        match &self.shape {
            Shape::Sync => false,
            Shape::Async => true,
            Shape::Future(future) => future.is_certain(),
        }
    }

    /// The first paragraph of its documentation, on one line.
    pub fn documentation(&self) -> Option<String> {
        let texts: Vec<String> = self.attributes.iter().filter_map(OuterAttribute::documentation).collect();
        let text = texts.join("\n");
        let lines = text.split('\n').map(str::trim);
        let first: Vec<&str> = lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
        (!first.is_empty()).then(|| first.join(" "))
    }

    /// Whether it has an attribute `test`.
    pub fn is_test(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.path.last().is_some_and(|word| word == "test"))
    }

    /// The names that its arguments bind, except `self`.
    pub fn argument_names(&self) -> Vec<Ident> {
        let mut names = Vec::new();
        for argument in &self.signature.inputs {
            if let FnArg::Typed(argument) = argument {
                bound_names(&argument.pat, &mut names);
            }
        }
        names
    }
}

impl Body {
    fn new(braces: Group) -> Self {
        let trees: Vec<TokenTree> = braces.stream().into_iter().collect();
        let mut start = 0;
        while let [TokenTree::Punct(pound), TokenTree::Punct(bang), TokenTree::Group(_), ..] = &trees[start..]
            && (pound.as_char(), bang.as_char()) == ('#', '!')
        {
            start += 3;
        }
        let statements = trees.iter().skip(start).cloned().collect();
        Self { braces, inner_attributes: trees.into_iter().take(start).collect(), statements }
    }

    /// The braces with other tokens inside.
    pub fn braces_around(&self, tokens: TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Brace, tokens);
        group.set_span(self.braces.span());
        group
    }
}

/// The statements as an inner block, in which inner items may still come first. The braces have the span of the user's, whose edition
/// says when the temporaries of the last expression are dropped. The parentheses are hygienic, so that no lint reports the braces as
/// unnecessary.
pub fn ours(statements: &Group) -> Group {
    let mut block = Group::new(Delimiter::Parenthesis, TokenTree::from(statements.clone()).into());
    block.set_span(Span::mixed_site().located_at(statements.span()));
    block
}

/// The tokens of the item without the invisible groups that `macro_rules!` puts around it or its body.
fn trees(item: TokenStream) -> Vec<TokenTree> {
    let mut trees: Vec<TokenTree> = item.into_iter().collect();
    while let Some(TokenTree::Group(group)) = trees.last()
        && group.delimiter() == Delimiter::None
    {
        let inner = group.stream();
        trees.pop();
        trees.extend(inner);
    }
    trees
}

fn fn_head(input: ParseStream) -> syn::Result<(Visibility, Signature)> {
    let head = (input.parse()?, input.parse()?);
    input.parse::<Option<syn::Token![;]>>()?;
    Ok(head)
}

fn not_a_function(item: &TokenStream) -> syn::Error {
    const KINDS: [&str; 11] =
        ["struct", "enum", "union", "impl", "trait", "mod", "static", "const", "type", "use", "macro_rules"];
    let kind = item.clone().into_iter().find(|tree| KINDS.contains(&tree.to_string().as_str()));
    match kind {
        Some(kind) => {
            let word = kind.to_string();
            let inside = match word.as_str() {
                "impl" | "trait" | "mod" => "; put it on the functions inside",
                _ => "",
            };
            let article = if ["impl", "enum"].contains(&word.as_str()) { "an" } else { "a" };
            let message = format!("this attribute goes on a function, not on {article} `{word}`{inside}");
            syn::Error::new_spanned(kind, message)
        }
        None => syn::Error::new_spanned(item, "this attribute goes on a function"),
    }
}

fn has_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|tree| matches!(tree, TokenTree::Ident(ident) if ident == word))
}

fn is_braces(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// The names that a pattern binds, in order.
pub fn bound_names(pattern: &Pat, names: &mut Vec<Ident>) {
    match pattern {
        Pat::Ident(bound) => {
            names.push(bound.ident.clone());
            if let Some((_, inner)) = &bound.subpat {
                bound_names(inner, names);
            }
        }
        Pat::Paren(inner) => bound_names(&inner.pat, names),
        Pat::Reference(inner) => bound_names(&inner.pat, names),
        Pat::Slice(inner) => inner.elems.iter().for_each(|pattern| bound_names(pattern, names)),
        Pat::Struct(inner) => inner.fields.iter().for_each(|field| bound_names(&field.pat, names)),
        Pat::Tuple(inner) => inner.elems.iter().for_each(|pattern| bound_names(pattern, names)),
        Pat::TupleStruct(inner) => inner.elems.iter().for_each(|pattern| bound_names(pattern, names)),
        Pat::Or(inner) => inner.cases.iter().take(1).for_each(|pattern| bound_names(pattern, names)),
        _ => {}
    }
}
