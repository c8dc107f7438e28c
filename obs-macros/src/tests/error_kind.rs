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
                match ::obs_runtime::__private::judge::ErrorType::<E>::new() {
                    __type => {
                        use ::obs_runtime::__private::judge::*;
                        (&&__type).kind(error)
                    }
                }
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
fn a_struct_has_the_label_of_its_name_and_a_function_gives_any() {
    assert!(derived("struct HttpError(u16);").contains(&normal("{ \"http_error\" }")));
    for item in ["struct E;", "enum E { A }"] {
        let derived = derived(&format!("#[error_kind(with = E::label)] {item}"));
        assert!(derived.contains(&normal("{ E::label(self) }")), "{derived}");
    }
}

#[test]
fn the_runtime_may_be_elsewhere() {
    assert!(
        derived("#[error_kind(crate = crate::obs)] enum E { A }").contains("impl crate : : obs : : ErrorKind for E")
    );
}

#[test]
fn wrong_uses_say_why() {
    assert_eq!(messages("union U { a: u8 }"), ["`ErrorKind` can be derived for an enum or a struct, not for a union"]);
    let elsewhere = "`error_kind` goes on the type, not on a variant or a field";
    assert_eq!(
        messages("#[error_kind(crat = ::obs)] enum E { #[error_kind(crate = ::obs)] A }"),
        ["unknown key `crat`, did you mean `crate`? `#[error_kind]` takes `with` and `crate`", elsewhere],
    );
    assert_eq!(messages("struct S { #[error_kind(with = a)] a: u8 }"), [elsewhere]);
    assert_eq!(messages("enum E { A(#[error_kind(with = a)] u8) }"), [elsewhere]);
    for (key, usage) in [("crate", "::path"), ("with", "path")] {
        assert_eq!(
            messages(&format!("#[error_kind({key})] enum E {{ A }}")),
            [format!("`{key}` has no value: `{key} = {usage}`")]
        );
        assert_eq!(
            messages(&format!("#[error_kind({key} = ::a, {key} = ::b)] enum E {{ A }}")),
            [format!("`{key}` is a duplicate key; remove one")],
        );
    }
    assert_eq!(messages("#[error_kind(with = \"label\")] struct S;").len(), 1);
    for bare in ["#[error_kind]", "#[error_kind()]", "#[error_kind = \"label\"]"] {
        assert_eq!(
            messages(&format!("{bare} enum E {{ A }}")),
            ["`#[error_kind]` needs a key: `#[error_kind(with = path)]` or `#[error_kind(crate = ::path)]`"]
        );
    }
}
