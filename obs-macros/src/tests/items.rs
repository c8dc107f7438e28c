//! What an attribute may stand on.

use super::{expand, messages_in, messages_on, shown, tokens};

#[test]
fn a_const_function_is_one_mistake_however_many_attributes_it_has() {
    let message = "a `const fn` cannot be instrumented, as it may run at compile time; remove `const` or the attribute";
    assert_eq!(messages_on("track_performance", "", "pub const fn f() {}"), [message]);
    assert_eq!(messages_on("tracked_command", "", "#[track_performance] pub const fn f() {}"), [""; 0]);
    assert_eq!(messages_on("tracked_command", "", "#[inline] const unsafe fn f() {}"), [message]);
}

#[test]
fn other_functions_that_cannot_be_wrapped_say_why() {
    assert_eq!(
        messages_on("track_performance", "", "unsafe extern \"C\" fn f(n: u8, ...) {}"),
        ["a variadic function cannot be instrumented, as its arguments cannot be forwarded"],
    );
    assert_eq!(
        messages_on("track_performance", "", "fn f(&self) -> u8;"),
        ["a function without a body cannot be instrumented; annotate its implementations, or a default body"],
    );
}

#[test]
fn other_items_are_named() {
    for (item, kind, hint) in [
        ("struct S;", "struct", ""),
        ("pub(crate) struct S { a: u8 }", "struct", ""),
        ("enum E { A }", "enum", ""),
        ("union U { a: u8 }", "union", ""),
        ("mod m;", "mod", "; put it on the functions inside"),
        ("static S: u8 = 1;", "static", ""),
        ("const C: fn() = f;", "const", ""),
        ("type T = u8;", "type", ""),
        ("use a::{b, c};", "use", ""),
    ] {
        let article = if kind == "impl" || kind == "enum" { "an" } else { "a" };
        let message = format!("this attribute goes on a function, not on {article} `{kind}`{hint}");
        assert_eq!(messages_on("track_performance", "", item), [message], "{item}");
    }
    for (item, kind) in
        [("impl S { fn f() {} }", "an `impl`"), ("pub trait T {}", "a `trait`"), ("mod m {}", "a `mod`")]
    {
        let message = format!("this attribute goes on a function, not on {kind}; put it on the functions inside");
        assert_eq!(messages_on("bq_cost", "", item), [message], "{item}");
    }
    assert_eq!(messages_on("track_performance", "", "x + 1"), ["this attribute goes on a function"]);
}

#[test]
fn mistakes_of_the_attribute_are_told_beside_those_of_the_item() {
    assert_eq!(messages_on("track_performance", "nmae = 1", "struct S;").len(), 2);
}

#[test]
fn bodies_need_not_make_sense() {
    for body in
        ["{ let x = ; }", "{ x. }", "{ match { }", "{ ) }", "{ #![allow(dead_code)] foo(bar, }", "{ #! }", "{ # }"]
    {
        let Ok(item) = format!("fn f(a: u8) -> u8 {body}").parse::<proc_macro2::TokenStream>() else { continue };
        let attribute = crate::grammar::vocabulary::Attribute::TrackPerformance;
        assert_eq!(messages_in(crate::driver::expand(attribute, &tokens("args(a)"), item)), [""; 0]);
    }
}

#[test]
fn truncated_items_never_fail_to_expand() {
    let item = "#[doc = \"x\"] pub async unsafe extern \"C\" fn f<'a, T: Into<u8>>(self: &'a Self, (a, b): (T, u8)) \
                -> Pin<Box<dyn Future<Output = u8> + 'a>> where T: Copy { let a = b; Box::pin(async move { a }) }";
    let trees: Vec<_> = tokens(item).into_iter().collect();
    for length in 0..trees.len() {
        let item: proc_macro2::TokenStream = trees.iter().take(length).cloned().collect();
        for attribute in crate::grammar::vocabulary::Attribute::ALL {
            let expansion = crate::driver::expand(attribute, &tokens("args(a), name = "), item.clone());
            assert!(shown(expansion).ends_with(&shown(item.clone())));
        }
    }
}

#[test]
fn functions_that_macro_rules_made_are_functions() {
    let group = |inner: proc_macro2::TokenStream| {
        proc_macro2::TokenTree::Group(proc_macro2::Group::new(proc_macro2::Delimiter::None, inner))
    };
    let (visibility, kind, body) = (group(tokens("")), group(tokens("u8")), group(tokens("{ 1 }")));
    let function = quote::quote!(#visibility fn f(a: #kind) -> #kind #body);
    let attribute = crate::grammar::vocabulary::Attribute::TrackPerformance;
    for item in [function.clone(), group(function.clone()).into(), quote::quote!(#[inline] #function)] {
        assert_eq!(messages_in(crate::driver::expand(attribute, &tokens("args(a)"), item)), [""; 0]);
    }
    for word in ["mod", "trait", "impl"] {
        let word = tokens(word);
        let block = quote::quote!(#visibility #word m { #function });
        for item in [block.clone(), group(block.clone()).into(), quote::quote!(#[inline] #block)] {
            let expansion = crate::driver::expand(attribute, &tokens(""), item);
            assert_eq!(messages_in(expansion.clone()), [""; 0]);
            assert!(expansion.to_string().contains("track_performance"), "{expansion}");
        }
    }
}

#[test]
fn all_of_a_function_but_its_body_stays() {
    let head = "#[inline] #[must_use] pub(in crate::a) unsafe extern \"C\" fn r#f<'a, const N: usize>(mut a: [u8; N]) \
                -> &'a u8 where Self: 'a";
    let expansion = expand("track_performance", "", &format!("{head} {{ body() }}"));
    let expansion = shown(expansion);
    assert!(expansion.starts_with(&super::normal(head)), "{expansion}");
}
