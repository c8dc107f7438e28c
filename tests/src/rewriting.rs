//! Puts an attribute on every function of somebody else's source, which stays as it is otherwise.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, Signature, TraitItemFn, Visibility};

/// The source with the attribute on each function that can be wrapped, those in other functions and in tests too, and how
/// many there are.
///
/// # Errors
/// When it is not Rust.
pub fn annotated(source: &str, attribute: &str) -> syn::Result<(String, usize)> {
    let file = syn::parse_file(source)?;
    let mut places = Places(Vec::new());
    places.visit_file(&file);
    places.0.sort_unstable();
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for place in &places.0 {
        text.extend([&source[done..*place], attribute, " "]);
        done = *place;
    }
    text += &source[done..];
    Ok((text, places.0.len()))
}

/// Where functions begin behind their attributes, in bytes.
struct Places(Vec<usize>);

impl Places {
    fn function(&mut self, visibility: &Visibility, signature: &Signature) {
        if signature.constness.is_none() && signature.variadic.is_none() {
            let head = visibility.to_token_stream().into_iter().chain(signature.to_token_stream());
            self.0.extend(head.map(|tree| tree.span().byte_range().start).next());
        }
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.vis, &function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.vis, &function.sig);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if function.default.is_some() {
            self.function(&Visibility::Inherited, &function.sig);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_with_bodies_get_it_behind_what_they_have() {
        let source = "/// Ä.\n#[inline]\npub fn a() { fn b() {} }\nconst fn c() {}\nimpl T {\n    pub(crate) unsafe fn d(&self) {}\n}\n\
                      trait U { fn e(); fn f() {} }\nmod m { #[test] fn g() {} }\n";
        let expected = "/// Ä.\n#[inline]\n#[x] pub fn a() { #[x] fn b() {} }\nconst fn c() {}\nimpl T {\n    #[x] pub(crate) unsafe fn d(&self) {}\n}\n\
                        trait U { fn e(); #[x] fn f() {} }\nmod m { #[test] #[x] fn g() {} }\n";
        assert_eq!(annotated(source, "#[x]").unwrap(), (expected.to_owned(), 5));
    }
}
