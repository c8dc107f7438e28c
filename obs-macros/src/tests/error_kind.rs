//! `#[derive(ErrorKind)]`

use super::{messages_in, normal, shown, tokens};

fn derived(item: &str) -> String {
    shown(crate::error_kind::expand(tokens(item)))
}

fn messages(item: &str) -> Vec<String> {
    messages_in(crate::error_kind::expand(tokens(item)))
}

#[test]
fn each_variant_has_its_label() {
    assert_eq!(
        derived(
            "enum E<'a, T: Copy> where T: 'a { Timeout, HttpTimeout(T), HTTPError { at: &'a u8 }, Http2Reset, r#Type }"
        ),
        normal(
            "#[automatically_derived] impl<'a, T: Copy> ::obs_runtime::ErrorKind for E<'a, T> where T: 'a {
                fn error_kind(&self) -> &'static str {
                    match self {
                        Self::Timeout { .. } => \"timeout\",
                        Self::HttpTimeout { .. } => \"http_timeout\",
                        Self::HTTPError { .. } => \"http_error\",
                        Self::Http2Reset { .. } => \"http2_reset\",
                        Self::r#Type { .. } => \"type\",
                    }
                }
            }"
        ),
    );
}

#[test]
fn a_type_without_parameters_is_registered() {
    let registration = normal(
        "const _: () = { ::obs_runtime::__private::link! {
            ErrorKinds KIND = ::obs_runtime::__private::RegisteredKind::new(|error| {
                use ::obs_runtime::__private::judge::*;
                (&&ErrorType::<E>::new()).kind(error)
            })
        } };",
    );
    for (item, is_registered) in
        [("enum E { A }", true), ("enum E<'a> { A(&'a u8) }", false), ("enum E<T> { A(T) }", false)]
    {
        assert_eq!(derived(item).ends_with(&registration), is_registered && !cfg!(feature = "off"), "{item}");
    }
}

#[test]
fn an_enum_without_variants_has_no_label() {
    assert!(derived("enum Never {}").contains("match * self { }"));
}

#[test]
fn the_runtime_may_be_elsewhere() {
    assert!(
        derived("#[error_kind(crate = crate::obs)] enum E { A }").contains("impl crate : : obs : : ErrorKind for E")
    );
}

#[test]
fn wrong_uses_say_why() {
    assert_eq!(messages("struct S;"), ["`ErrorKind` can be derived for an enum, not for a struct"]);
    assert_eq!(messages("union U { a: u8 }"), ["`ErrorKind` can be derived for an enum, not for a union"]);
    assert_eq!(
        messages("#[error_kind(crat = ::obs)] enum E { #[error_kind(crate = ::obs)] A }"),
        [
            "unknown key `crat`, did you mean `crate`? `#[error_kind]` takes `crate`",
            "`error_kind` goes on the enum, not on a variant",
        ],
    );
    assert_eq!(messages("#[error_kind(crate)] enum E { A }"), ["`crate` has no value: `crate = ::path`"]);
    assert_eq!(
        messages("#[error_kind(crate = ::a, crate = ::b)] enum E { A }"),
        ["`crate` is a duplicate key; remove one"],
    );
    assert_eq!(messages("#[error_kind] enum E { A }").len(), 1);
}
