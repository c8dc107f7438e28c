//! Return types that are futures.

use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, PathSegment, ReturnType, Type, TypeParamBound};

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
    /// The future of a return type, if it may be one.
    pub fn find(output: &ReturnType) -> Option<Self> {
        let ReturnType::Type(_, returned) = output else { return None };
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
                if !(name == "Pin" || name.contains("Fut")) || mentions_impl(returned) {
                    return None;
                }
                let output = match first_type(last).map(plain) {
                    Some(Type::Path(inner)) if name == "Pin" => {
                        inner.path.segments.last().and_then(first_type).map(plain).and_then(dyn_future_output)
                    }
                    _ => None,
                };
                let is_boxed = output.is_some() || ["BoxFuture", "LocalBoxFuture"].contains(&name.as_str());
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
    fn has_impl(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            proc_macro2::TokenTree::Group(group) => has_impl(group.stream()),
            proc_macro2::TokenTree::Ident(ident) => ident == "impl",
            _ => false,
        })
    }
    has_impl(written.to_token_stream())
}
