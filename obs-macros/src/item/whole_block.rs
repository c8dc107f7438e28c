//! `#[track_performance]` and `#[with_error_tracking]` on a whole `impl`, `trait` or `mod`: the attribute is added to each
//! function in it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Generics, LitStr, Token, Type};

use crate::grammar::args::{Args, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::fields;
use crate::grammar::function_filter::FunctionFilter;
use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::values;
use crate::grammar::vocabulary::{Attribute, SKIP, Vocabulary};
use crate::item::members::{self, Kind, Member};
use crate::item::order;

/// The keys that are copied to each function.
const HANDED_ON: [&str; 6] = ["tags", "level", "crate", "severity", "context", "ignore_if"];

/// Whether the argument is `skip` alone.
pub fn is_left_out(args: &TokenStream) -> bool {
    let mut trees = args.clone().into_iter();
    matches!(trees.next(), Some(TokenTree::Ident(word)) if word == SKIP.name) && trees.next().is_none()
}

/// A whole `impl`, `trait` or `mod`.
pub struct Block {
    whole: Member,
    /// Whether it is a trait or implements one, so that its functions have no visibility.
    of_trait: bool,
    /// Its name; `None` for an `impl` of an unnamed type.
    name: Option<String>,
    items: Vec<Item>,
}

/// An item of a block.
enum Item {
    /// A function that can be instrumented.
    Function {
        member: Member,
        is_public: bool,
        name: String,
    },
    Block(Box<Block>),
    Other(Member),
}

impl Block {
    /// Parses a block; `None` for other items.
    pub fn parse(item: &TokenStream) -> Option<Self> {
        Self::of(Member::one(item.clone()))
    }

    fn of(whole: Member) -> Option<Self> {
        let Kind::Block(word) = &whole.kind else { return None };
        let word = word.clone();
        let braces = whole.trees.last().and_then(members::braces)?;
        let items = Member::split(braces.stream()).into_iter().map(Item::of).collect();
        let behind = || {
            let trees = whole.trees[..whole.trees.len() - 1].iter();
            trees.skip_while(|tree| !matches!(tree, TokenTree::Ident(ident) if *ident == word)).skip(1).cloned()
        };
        let (name, of_trait) = if word == "impl" {
            implemented.parse2(behind().collect()).unwrap_or_default()
        } else {
            let name = behind().find_map(|tree| match tree {
                TokenTree::Ident(name) => Some(name.unraw().to_string()),
                _ => None,
            });
            (name, word == "trait")
        };
        Some(Self { whole, of_trait, name, items })
    }

    /// The paths of its functions within it.
    fn paths(&self, outer: &[String]) -> Vec<Vec<String>> {
        let path = |name: &String| outer.iter().chain([name]).cloned().collect::<Vec<_>>();
        self.items
            .iter()
            .flat_map(|item| match item {
                Item::Function { name, .. } => vec![path(name)],
                Item::Block(block) => block.paths(&block.name.as_ref().map_or_else(|| outer.to_vec(), path)),
                Item::Other(_) => Vec::new(),
            })
            .collect()
    }
}

impl Item {
    fn of(member: Member) -> Self {
        match &member.kind {
            Kind::Function(head) if head.can_be_wrapped => {
                let (is_public, name) = (head.is_public, head.word());
                Self::Function { member, is_public, name }
            }
            Kind::Block(_) => {
                let whole = Member::one(member.to_token_stream());
                Block::of(whole).map_or(Self::Other(member), |block| Self::Block(Box::new(block)))
            }
            Kind::Function(_) | Kind::Other => Self::Other(member),
        }
    }
}

/// The name of an `impl`'s type, else of its trait, and whether it implements a trait.
fn implemented(input: ParseStream) -> syn::Result<(Option<String>, bool)> {
    if input.peek(Token![<]) {
        input.parse::<Generics>()?;
    }
    input.parse::<Option<Token![!]>>()?;
    let first: Type = input.parse()?;
    let second: Option<Type> = if input.peek(Token![for]) {
        input.parse::<Token![for]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    input.parse::<TokenStream>()?;
    let of_trait = second.is_some();
    Ok((second.as_ref().and_then(type_name).or_else(|| type_name(&first)), of_trait))
}

fn type_name(kind: &Type) -> Option<String> {
    match kind {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw().to_string()),
        Type::Group(inner) => type_name(&inner.elem),
        Type::Paren(inner) => type_name(&inner.elem),
        _ => None,
    }
}

/// The block with the attribute on each selected function that does not have it yet.
pub fn expand(attribute: Attribute, tokens: &TokenStream, block: Block, diagnostics: &mut Diagnostics) -> TokenStream {
    let args = Args::parse(Vocabulary { attribute, on_block: true }, tokens.clone(), diagnostics);
    let runtime = RuntimePath::new(&args, diagnostics);
    let name = args.value("name", values::text, diagnostics);
    check_handed_on(&args, diagnostics);
    let choice = FunctionFilter::new(&args, &block.paths(&[]), block.of_trait, diagnostics);
    let own = Ident::new(attribute.name(), Span::mixed_site());
    let attribute = OnEach { attribute, path: quote!(#runtime::#own), runtime, handed_on: handed_on(&args), choice };
    let outer = name.map(|name| name.value()).or_else(|| block.name.clone());
    attribute.on_block(block, &outer.into_iter().collect::<Vec<_>>(), &[])
}

/// Validates the copied keys, so that an error is reported once and not for each function.
fn check_handed_on(args: &Args, diagnostics: &mut Diagnostics) {
    fields::tags(args, diagnostics);
    fields::fields("context", args, diagnostics);
    args.value("level", |key, expr| values::choice(key, expr, &values::LEVELS), diagnostics);
    args.value("severity", |key, expr| values::choice(key, expr, &values::ERROR_SEVERITIES), diagnostics);
    args.value("ignore_if", values::function, diagnostics);
}

fn handed_on(args: &Args) -> TokenStream {
    let given = HANDED_ON.iter().filter_map(|key| Some((args.key(key)?, args.written(key)?)));
    given
        .map(|(key, value)| match value {
            Value::Expr(expr) => quote!(#key = #expr,),
            Value::List(list) => quote!(#key #list,),
            Value::Absent => quote!(#key,),
        })
        .collect()
}

/// The attribute to add to functions.
struct OnEach {
    attribute: Attribute,
    path: TokenStream,
    runtime: RuntimePath,
    handed_on: TokenStream,
    choice: FunctionFilter,
}

impl OnEach {
    /// `named` is the prefix of operation names, `inside` the path of the block within the annotated one.
    fn on_block(&self, block: Block, named: &[String], inside: &[String]) -> TokenStream {
        let Block { whole, of_trait, name: _, items } = block;
        let with = |path: &[String], name: &String| path.iter().chain([name]).cloned().collect::<Vec<_>>();
        let mut inner = TokenStream::new();
        for item in items {
            match item {
                Item::Function { member, is_public, name } => {
                    if self.choice.takes(&with(inside, &name), is_public || of_trait) && !self.stands_on(&member) {
                        let operation = LitStr::new(&with(named, &name).join("::"), Span::mixed_site());
                        let Self { path, handed_on, .. } = self;
                        inner.extend(quote_spanned!(Span::mixed_site()=> #[#path(name = #operation, #handed_on)]));
                    }
                    member.to_tokens(&mut inner);
                }
                Item::Block(block) if self.stands_on(&block.whole) => block.whole.to_tokens(&mut inner),
                Item::Block(block) => {
                    let (named, inside) = match &block.name {
                        Some(name) => (with(named, name), with(inside, name)),
                        None => (named.to_vec(), inside.to_vec()),
                    };
                    inner.extend(self.on_block(*block, &named, &inside));
                }
                Item::Other(member) => member.to_tokens(&mut inner),
            }
        }
        let Member { attributes, mut trees, kind: _ } = whole;
        if let Some(last) = trees.last_mut() {
            let mut braces = Group::new(Delimiter::Brace, inner);
            braces.set_span(last.span());
            *last = TokenTree::Group(braces);
        }
        let mut expansion = TokenStream::new();
        for attribute in attributes {
            attribute.to_tokens(&mut expansion);
        }
        expansion.extend(trees);
        expansion
    }

    fn stands_on(&self, member: &Member) -> bool {
        member.attributes.iter().any(|other| order::ours(other, &self.runtime) == Some(self.attribute))
    }
}
