//! Return types that are futures.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound};

/// The future that a function returns without being `async`.
pub enum ReturnedFuture {
    /// `impl Future<Output = T>`, with bounds that the wrapped future satisfies, too.
    Opaque { output: Type },
    /// A type that may be a boxed future. The compiler decides, as it may be an alias.
    ByType {
        /// The output, if it is written.
        output: Option<Type>,
        /// Whether it is one, judging by its name.
        is_boxed: bool,
    },
}

impl ReturnedFuture {
    /// The future that a function returns, if its return type may be one. The name of an alias need not say so: the body tells
    /// whether it makes a future.
    pub fn find(signature: &Signature, body: &TokenStream) -> Option<Self> {
        let ReturnType::Type(_, returned) = &signature.output else { return None };
        match plain(returned) {
            Type::ImplTrait(opaque) => {
                let has_known_bounds = opaque.bounds.iter().all(|bound| match bound {
                    TypeParamBound::Trait(bound) => is_known(&bound.path),
                    _ => true,
                });
                let output = opaque.bounds.iter().find_map(future_output).filter(|_| has_known_bounds)?;
                Some(Self::Opaque { output: output.clone() })
            }
            Type::Path(path) => {
                let last = path.path.segments.last()?;
                let name = last.ident.to_string();
                let may_be_one = name == "Pin" || name.contains("Fut") || (may_be_alias(&name) && makes_future(body));
                if !may_be_one || mentions_impl(returned) || signature.ident == "main" {
                    return None;
                }
                let output = match first_type(last).map(plain) {
                    Some(Type::Path(inner)) if name == "Pin" => {
                        inner.path.segments.last().and_then(first_type).map(plain).and_then(dyn_future_output)
                    }
                    _ if is_box_future(&name) => first_type(last),
                    _ => None,
                };
                let is_boxed = output.is_some() || is_box_future(&name);
                Some(Self::ByType { output: output.cloned(), is_boxed })
            }
            _ => None,
        }
    }

    /// The output, if it is written.
    pub fn output(&self) -> Option<&Type> {
        match self {
            Self::Opaque { output } => Some(output),
            Self::ByType { output, .. } => output.as_ref(),
        }
    }

    /// Whether it certainly is a future.
    pub fn is_certain(&self) -> bool {
        matches!(self, Self::Opaque { .. } | Self::ByType { is_boxed: true, .. })
    }
}

fn is_box_future(name: &str) -> bool {
    ["BoxFuture", "LocalBoxFuture"].contains(&name)
}

/// Whether a type of that name may be an alias of a boxed future: it is none that every program has.
fn may_be_alias(name: &str) -> bool {
    const OTHERS: [&str; 15] = [
        "Arc", "Box", "Cow", "Duration", "ExitCode", "HashMap", "HashSet", "Instant", "Option", "PathBuf", "Rc",
        "Result", "Self", "String", "Vec",
    ];
    name.starts_with(|letter: char| letter.is_uppercase()) && !OTHERS.contains(&name)
}

/// Whether tokens mention a future that they make or box.
fn makes_future(body: &TokenStream) -> bool {
    body.clone().into_iter().any(|tree| match tree {
        TokenTree::Group(group) => makes_future(&group.stream()),
        TokenTree::Ident(word) => ["async", "boxed", "boxed_local", "pin"].iter().any(|making| word == making),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The path of `Box::pin` and the future in it, if a body is nothing else and the future cannot end the body early.
pub fn boxed_expression(body: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let trees: Vec<TokenTree> = body.clone().into_iter().collect();
    let (TokenTree::Group(future), path) = trees.split_last()? else { return None };
    let path: TokenStream = path.iter().cloned().collect();
    let names: Vec<String> = syn::parse2::<Path>(path.clone())
        .ok()?
        .segments
        .iter()
        .map(|segment| segment.to_token_stream().to_string())
        .collect();
    let is_box = matches!(names.as_slice(), [.., boxed, pin] if boxed == "Box" && pin == "pin");
    let is_call = future.delimiter() == Delimiter::Parenthesis;
    (is_box && is_call && goes_on(future.stream())).then(|| (path, future.stream()))
}

/// Whether an expression has one value, and neither returns from the function around it nor contains a macro that might.
fn goes_on(expression: TokenStream) -> bool {
    let mut is_async = false;
    expression.into_iter().all(|tree| match tree {
        // What ends a block of `async` ends nothing else.
        TokenTree::Group(group) => {
            let is_block = group.delimiter() == Delimiter::Brace && std::mem::take(&mut is_async);
            is_block || (group.delimiter() != Delimiter::None && is_closed(group.stream()))
        }
        TokenTree::Ident(word) => {
            is_async = word == "async" || (word == "move" && is_async);
            word != "return"
        }
        TokenTree::Punct(mark) => !['?', '!', ','].contains(&mark.as_char()),
        TokenTree::Literal(_) => true,
    })
}

/// Like [`goes_on`], for what stands in delimiters, where a comma separates arguments.
fn is_closed(tokens: TokenStream) -> bool {
    let without_commas =
        tokens.into_iter().filter(|tree| !matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ','));
    goes_on(without_commas.collect())
}

/// The type without the invisible groups that `macro_rules!` puts around fragments.
fn plain(mut written: &Type) -> &Type {
    loop {
        written = match written {
            Type::Group(inner) => &inner.elem,
            Type::Paren(inner) => &inner.elem,
            other => return other,
        }
    }
}

/// Whether the future that wraps another one implements this trait if that does.
fn is_known(path: &Path) -> bool {
    let name = path.segments.last().map(|segment| segment.ident.to_string());
    matches!(name.as_deref(), Some("Future" | "Send" | "Sync" | "Unpin"))
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(written) => Some(written),
        _ => None,
    })
}

/// `T` of `dyn Future<Output = T> + …`.
fn dyn_future_output(object: &Type) -> Option<&Type> {
    let Type::TraitObject(object) = object else { return None };
    object.bounds.iter().find_map(future_output)
}

/// `T` of `Future<Output = T>`.
fn future_output(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let future = bound.path.segments.last().filter(|segment| segment.ident == "Future")?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(associated) if associated.ident == "Output" => Some(&associated.ty),
        _ => None,
    })
}

/// Whether the type contains `impl Trait`.
pub fn mentions_impl(written: &impl ToTokens) -> bool {
    fn has_impl(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => has_impl(group.stream()),
            TokenTree::Ident(ident) => ident == "impl",
            _ => false,
        })
    }
    has_impl(written.to_token_stream())
}
