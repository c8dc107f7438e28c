//! Attributes on a whole `impl`, `trait` or `mod`.

#[cfg(not(feature = "off"))]
use super::expanded;
use super::{messages_on, normal, shown, tokens};
use crate::item::members::{Kind, Member};

/// The items of a block, each with an `f` before a function that can be wrapped and a `b` before a block.
fn split(block: &str) -> Vec<String> {
    let shown = |member: Member| {
        let kind = match &member.kind {
            Kind::Function(head) if head.can_be_wrapped => "f ",
            Kind::Block(_) => "b ",
            Kind::Function(_) | Kind::Other => "",
        };
        format!("{kind}{}", shown(quote::ToTokens::into_token_stream(member)))
    };
    Member::split(tokens(block)).into_iter().map(shown).collect()
}

#[test]
fn a_block_is_split_into_its_items_whatever_they_hold() {
    let items = [
        ("", "#![allow(unused)] use a::{b, c::{d}};"),
        ("", "use x::y;"),
        ("", "#[doc = \"d\"] pub const X: Point = Point { x: 1 };"),
        ("", "static S: [u8; { 3 }] = [0; { 3 }];"),
        ("", "type T<const N: usize> = Array<{ N }>;"),
        ("", "struct A;"),
        ("", "struct B(u8);"),
        ("", "pub(crate) struct C<const N: usize = { 3 }> { c: u8 }"),
        ("", "enum E { V { x: u8 }, W }"),
        ("", "macro_rules! m { () => { fn not_me() {} } }"),
        ("", "m!();"),
        ("", "m! { fn nor_me() {} }"),
        ("", "extern \"C\" { fn outside(); }"),
        ("", "extern crate alloc;"),
        ("f ", "fn plain() {}"),
        (
            "f ",
            "#[inline] pub(in crate::a) async unsafe fn many<T>(x: T) -> Option<{ 3 }> where T: Into<[u8; { 2 }]> { x }",
        ),
        ("f ", "extern \"C\" fn outward() {}"),
        ("f ", "fn braces(self: Box<Array<{ N }>>) -> Array<{ N + 1 }> { let x = S { y: 1 }; }"),
        ("f ", "default fn specialised() {}"),
        ("", "const fn constant() {}"),
        ("", "pub const unsafe fn constant_too() {}"),
        ("", "fn without_body(&self) -> u8;"),
        ("", "unsafe extern \"C\" fn variadic(n: u8, ...) {}"),
        ("b ", "impl Array<{ 3 }> for S { fn inside() {} }"),
        ("b ", "unsafe impl<T> Tr for S<T> where T: Copy {}"),
        ("b ", "pub unsafe trait Tr { fn f(&self); }"),
        ("b ", "pub mod inner { fn f() {} }"),
        ("", "mod elsewhere;"),
        ("f ", "fn last() {}"),
    ];
    let block = items.map(|(_, item)| item).join("\n");
    // The block's own attribute stands before the item that follows it.
    let expected: Vec<String> = items.iter().map(|(kind, item)| format!("{kind}{}", normal(item))).collect();
    assert_eq!(split(&block), expected);
}

#[test]
fn what_is_half_typed_is_kept_as_it_is() {
    for half in [
        "fn",
        "fn f",
        "fn f(",
        "pub",
        "#[",
        "#[x]",
        "impl",
        "impl X",
        "const",
        "mod",
        "struct S {",
        "fn f() -> {} fn g() {}",
    ] {
        let Ok(half) = half.parse::<proc_macro2::TokenStream>() else { continue };
        let all: proc_macro2::TokenStream =
            Member::split(half.clone()).into_iter().map(quote::ToTokens::into_token_stream).collect();
        assert_eq!(shown(all), shown(half));
    }
}

/// The names of the operations that a block gets, in their order.
#[cfg(not(feature = "off"))]
fn names(args: &str, block: &str) -> Vec<String> {
    let expansion = expanded("track_performance", args, block);
    let names = expansion.split("# [ : : obs_runtime : : track_performance ( name = \"").skip(1);
    names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[cfg(not(feature = "off"))]
#[test]
fn operations_are_named_by_the_path_from_the_block_on() {
    for (block, expected) in [
        ("impl Csv { fn read(&self) {} pub async fn r#move() {} }", &["Csv::read", "Csv::move"][..]),
        ("impl Reader for Csv { fn read(&self) {} }", &["Csv::read"]),
        (
            "impl<T: Into<u8>, const N: usize> io::Reader<T> for a::b::Wrapper<T, { N }> where T: Copy { fn read(&self) {} }",
            &["Wrapper::read"],
        ),
        ("impl<'a> Reader for &'a [u8] { fn read(&self) {} }", &["Reader::read"]),
        ("impl Reader for (u8, u8) { fn read(&self) {} }", &["Reader::read"]),
        ("pub trait Reader { fn name(&self); fn read(&self) {} }", &["Reader::read"]),
        (
            "pub(crate) mod loader { fn run() {} mod csv { fn read() {} impl Csv { fn open() {} } } impl<T> Tr for &T { fn t() {} } }",
            &["loader::run", "loader::csv::read", "loader::csv::Csv::open", "loader::Tr::t"],
        ),
        ("impl Csv { const fn at_compile_time() {} }", &[]),
        ("mod m {}", &[]),
    ] {
        assert_eq!(names("", block), expected, "{block}");
    }
    assert_eq!(names("name = \"Store\"", "impl Csv { fn read() {} }"), ["Store::read"]);
    assert_eq!(names("name = \"load\"", "mod m { impl A { fn read() {} } }"), ["load::A::read"]);
}

#[cfg(not(feature = "off"))]
#[test]
fn functions_are_chosen_by_name_and_by_visibility() {
    let block = "mod m { pub fn a() {} fn b() {} impl T { pub(crate) fn c() {} fn d() {} } impl Tr for T { fn e() {} } mod n { fn a() {} } }";
    for (args, expected) in [
        ("only(a, T::d)", &["m::a", "m::T::d"][..]),
        ("only(T)", &["m::T::c", "m::T::d", "m::T::e"]),
        ("skip(T, n)", &["m::a", "m::b"]),
        ("skip(a, T::c, T::e,)", &["m::b", "m::T::d", "m::n::a"]),
        ("public_only", &["m::a", "m::T::c", "m::T::e"]),
        ("public_only, skip(T)", &["m::a"]),
    ] {
        assert_eq!(names(args, block), expected, "{args}");
    }
}

#[cfg(not(feature = "off"))]
#[test]
fn what_bears_the_attribute_itself_keeps_it() {
    let block = "impl S { #[track_performance(name = \"mine\")] fn a() {} #[obs_runtime::track_performance(skip)] fn b() {} \
                 #[with_error_tracking] fn c() {} #[other::track_performance] fn d() {} }";
    assert_eq!(names("", block), ["S::c", "S::d"]);
    let block =
        "mod m { #[track_performance] impl S { fn a() {} } #[track_performance(skip)] mod n { fn b() {} } fn c() {} }";
    assert_eq!(names("", block), ["m::c"]);
}

#[test]
fn skip_alone_leaves_everything_as_it_is() {
    for item in ["fn f() {}", "impl S { fn f() {} }", "#[inline] const fn f() {}"] {
        for attribute in ["track_performance", "with_error_tracking"] {
            assert_eq!(messages_on(attribute, "skip", item), [""; 0]);
        }
    }
}

#[cfg(not(feature = "off"))]
#[test]
fn all_but_the_attributes_comes_through_as_it_was() {
    let block = "#[doc = \"d\"] pub mod m { #![allow(unused)] use a::b; #[inline] pub fn f(x: u8) -> u8 { x } const C: u8 = { 1 }; }";
    let expansion = expanded("with_error_tracking", "severity = \"warning\", tags(a = x)", block);
    let own = normal("#[::obs_runtime::with_error_tracking(name = \"m::f\", tags(a = x), severity = \"warning\",)]");
    assert!(expansion.contains(&own), "{expansion}");
    assert_eq!(expansion.replacen(&format!("{own} "), "", 1), normal(block));
    let expansion = expanded("track_performance", "crate = ::facade::obs", "impl S { fn f() {} }");
    let own = normal("#[::facade::obs::track_performance(name = \"S::f\", crate = ::facade::obs,)]");
    assert!(expansion.contains(&own), "{expansion}");
}

#[test]
fn mistakes_on_a_block_are_told_once_and_all_of_them() {
    let block = "impl S { fn read(&self) {} fn write(&self) {} }";
    let takes = "`#[track_performance]` on a whole block takes `name`, `tags`, `level`, `crate`, `only`, `skip` and `public_only`";
    let found = messages_on(
        "track_performance",
        "args(a), only(raed), level = \"lots\", tags(operation = 1), public_only = true, skip(), timeout = \"2s\"",
        block,
    );
    let expected = [
        format!("`args` goes on a function, not on a whole block; {takes}"),
        "`public_only` takes no value".to_owned(),
        format!("`timeout` is a key of `#[health_check]` and `#[dq_check]`; {takes}"),
        "`operation` is a label set by obs; rename the tag".to_owned(),
        "unknown `level` \"lots\"; allowed: \"trace\", \"debug\", \"info\", \"warning\" or \"warn\", \"error\", \"critical\""
            .to_owned(),
        "the block has no function `raed` that can be instrumented, did you mean `read`? it has `read` and `write`"
            .to_owned(),
        "`skip` is empty: `skip(a, b, …)`".to_owned(),
        "`only` and `skip` cannot be combined; remove one".to_owned(),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        messages_on("track_performance", "public_only", "impl Tr for S { fn f() {} }"),
        ["`public_only` has no effect here: functions of a trait are as public as the trait"]
    );
    assert_eq!(
        messages_on("track_performance", "only(read, read, 5)", block),
        ["`only` needs the names of functions in the block: `only(a, b, …)`"]
    );
    assert_eq!(
        messages_on("track_performance", "only(f)", "impl S { const fn f() {} }"),
        ["the block has no function `f` that can be instrumented; it has none"]
    );
}

#[test]
fn keys_of_blocks_do_not_go_on_functions() {
    let found = messages_on("track_performance", "public_only, skip, only(a)", "fn f() {}");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("`public_only` goes on a whole block: `impl`, `trait` or `mod`; "), "{found:?}");
    assert!(found[1].contains("(`#[track_performance(skip)]` leaves a function out)"), "{found:?}");
    let [found] = messages_on("bq_cost", "only(a)", "fn f() {}").try_into().unwrap();
    assert!(found.starts_with("`only` is a key of `#[with_error_tracking]` and `#[track_performance]`; "), "{found}");
}
