//! Functions that return a boxed future, as `#[async_trait]` and hand-written async recursion make them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{GenericArgument, Path, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound};

/// A body that ends in `Box::pin(async move { … })`, taken apart.
pub struct BoxedFuture {
    /// Everything up to the parentheses of `pin(…)`.
    pub before: TokenStream,
    /// The parentheses of `pin(…)`.
    pub parentheses: Group,
    /// `async move`.
    pub keywords: TokenStream,
    /// The braces of the async block.
    pub braces: Group,
    /// What the future gives, when the return type says so.
    pub output: Option<Type>,
}

impl BoxedFuture {
    /// Finds it where the return type and the last expression are those of a boxed future.
    pub fn find(signature: &Signature, statements: &TokenStream) -> Option<Self> {
        let ReturnType::Type(_, returned) = &signature.output else { return None };
        let segment = last_segment(returned)?;
        let output = match segment.ident.to_string().as_str() {
            "Pin" => first_type(segment).and_then(last_segment).and_then(first_type).and_then(future_output),
            "BoxFuture" | "LocalBoxFuture" => first_type(segment),
            _ => return None,
        };
        let mut before: Vec<TokenTree> = statements.clone().into_iter().collect();
        let Some(TokenTree::Group(parentheses)) = before.pop() else { return None };
        let [.., boxed, TokenTree::Punct(first), TokenTree::Punct(second), pin] = before.as_slice() else {
            return None;
        };
        let is_box_pin = is_word(boxed, "Box")
            && (first.as_char(), second.as_char()) == (':', ':')
            && is_word(pin, "pin")
            && parentheses.delimiter() == Delimiter::Parenthesis;
        let inside: Vec<TokenTree> = parentheses.stream().into_iter().collect();
        let (keywords, braces) = match inside.as_slice() {
            [keyword, TokenTree::Group(braces)] => (vec![keyword.clone()], braces),
            [keyword, by_move, TokenTree::Group(braces)] if is_word(by_move, "move") => {
                (vec![keyword.clone(), by_move.clone()], braces)
            }
            _ => return None,
        };
        let is_async = keywords.first().is_some_and(|keyword| is_word(keyword, "async"));
        (is_box_pin && is_async && braces.delimiter() == Delimiter::Brace).then(|| Self {
            before: before.iter().cloned().collect(),
            keywords: keywords.into_iter().collect(),
            braces: braces.clone(),
            output: output.cloned(),
            parentheses,
        })
    }

    /// The body, with other statements in the async block.
    pub fn around(&self, statements: TokenStream) -> TokenStream {
        let mut block = Group::new(Delimiter::Brace, statements);
        block.set_span(self.braces.span());
        let inside = self.keywords.clone().into_iter().chain([TokenTree::Group(block)]).collect();
        let mut parentheses = Group::new(Delimiter::Parenthesis, inside);
        parentheses.set_span(self.parentheses.span());
        self.before.clone().into_iter().chain([TokenTree::Group(parentheses)]).collect()
    }
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}

fn last_segment(kind: &Type) -> Option<&PathSegment> {
    match kind {
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments.args.iter()),
        _ => None,
    }
    .into_iter()
    .flatten()
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    arguments(segment).find_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

/// `T` of `dyn Future<Output = T> + …`.
fn future_output(object: &Type) -> Option<&Type> {
    let Type::TraitObject(object) = object else { return None };
    let future = object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => last_future(&bound.path),
        _ => None,
    })?;
    arguments(future).find_map(|argument| match argument {
        GenericArgument::AssocType(associated) if associated.ident == "Output" => Some(&associated.ty),
        _ => None,
    })
}

fn last_future(path: &Path) -> Option<&PathSegment> {
    path.segments.last().filter(|segment| segment.ident == "Future")
}
