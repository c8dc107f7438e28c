//! The test of imports can fail: a cycle of each kind is found, and what is no cycle is not reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::graph::{Graph, cycles, describe_cycles, imports};
use crate::rules::{against_order, code_in_mod_file};
use crate::source::Crate;

fn graph(files: &[(&str, &str)]) -> Graph {
    let files: BTreeMap<PathBuf, String> = files.iter().map(|(path, text)| (path.into(), (*text).to_owned())).collect();
    imports(&Crate::read(Path::new("lib.rs"), &|path| files.get(path).cloned()))
}

/// The graph of two modules beside each other, `a` and `b`.
fn beside(a: &str, b: &str) -> Graph {
    graph(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", a), ("b.rs", b)])
}

#[track_caller]
fn assert_circle(graph: &Graph, files: &[&str]) {
    let groups: Vec<BTreeSet<PathBuf>> = cycles(graph).into_iter().map(|cycle| cycle.files).collect();
    assert_eq!(groups, [files.iter().map(PathBuf::from).collect()], "{graph:#?}");
}

#[track_caller]
fn assert_no_circle(graph: &Graph) {
    assert_eq!(describe_cycles(graph), "", "{graph:#?}");
}

/// What `b` is in most trees: it has a type and imports `a`.
const B: &str = "use crate::a::A;\npub struct B(A);\npub fn b() {}";

#[test]
fn a_cycle_through_crate_paths_is_found() {
    assert_circle(&beside("use crate::b::B;\npub struct A(B);", B), &["a.rs", "b.rs"]);
}

#[test]
fn a_cycle_through_super_is_found() {
    assert_circle(&beside("use super::b::B;\npub struct A(B);", B), &["a.rs", "b.rs"]);
    let deep = [
        ("lib.rs", "mod outer;\nmod b;"),
        ("outer/mod.rs", "mod a;\npub use a::A;"),
        ("outer/a.rs", "use super::super::b::B;\npub struct A(B);"),
        ("b.rs", "use crate::outer::A;\npub struct B(A);"),
    ];
    assert_circle(&graph(&deep), &["b.rs", "outer/a.rs"]);
}

#[test]
fn a_cycle_between_a_module_and_its_child_is_found() {
    let parents = ["use self::child::Child;", "use child::Child;", "type Child = child::Child;"];
    for import in parents {
        let parent = format!("mod child;\n{import}\npub struct A(Child);");
        let files = [("lib.rs", "mod a;"), ("a.rs", &*parent), ("a/child.rs", "use super::A;\npub struct Child(A);")];
        assert_circle(&graph(&files), &["a.rs", "a/child.rs"]);
    }
}

#[test]
fn a_cycle_through_braces_is_found() {
    let imports = [
        "use crate::{b::{self as other, B}, c};",
        "use crate::{b::B};",
        "use super::b::{B::Variant};",
        "use super::{b::{B as Other}};",
    ];
    for import in imports {
        assert_circle(&beside(&format!("{import}\npub struct A;"), B), &["a.rs", "b.rs"]);
    }
}

#[test]
fn a_cycle_through_a_glob_is_found() {
    assert_circle(&beside("use crate::b::*;\npub struct A(B);", B), &["a.rs", "b.rs"]);
    let re_exported = [
        ("lib.rs", "mod a;\nmod b;\nmod prelude;"),
        ("a.rs", "use crate::prelude::*;\npub struct A(B);"),
        ("b.rs", B),
        ("prelude.rs", "pub use crate::b::*;"),
    ];
    assert_circle(&graph(&re_exported), &["a.rs", "b.rs"]);
}

#[test]
fn a_cycle_through_re_exports_is_found() {
    for import in ["use crate::y::B;", "use crate::y::Second;", "use crate::Exported;", "use super::super::Exported;"] {
        let files = [
            ("lib.rs", "mod x;\nmod y;\npub use y::B as Exported;"),
            ("x/mod.rs", "mod a;\npub use a::A;\npub(crate) use a::A as First;"),
            ("x/a.rs", &format!("{import}\npub struct A;")),
            ("y/mod.rs", "mod b;\npub use self::b::{B, B as Second};"),
            ("y/b.rs", "use crate::x::First;\npub struct B(First);"),
        ];
        assert_circle(&graph(&files), &["x/a.rs", "y/b.rs"]);
    }
}

#[test]
fn a_cycle_through_a_path_in_code_is_found() {
    let uses = [
        "pub fn a() { crate::b::b() }",
        "pub fn a() -> super::b::B { todo!() }",
        "use crate::b;\npub fn a() { b::b() }",
        "use crate::b as other;\npub fn a() { let _ = [0].map(|_| other::b); }",
        "pub fn a() { use crate::{b::b}; b() }",
        "pub fn a(x: u8) { if let super::b::LAST = x {} }",
        "impl<T> From<Vec<crate::b::B>> for A {}",
        "#[derive(crate::b::Derived)]\nstruct X;",
        "pub fn a() { <u8 as crate::b::Trait>::call() }",
    ];
    for code in uses {
        assert_circle(&beside(&format!("pub struct A;\n{code}"), B), &["a.rs", "b.rs"]);
    }
}

#[test]
fn a_cycle_through_the_body_of_a_macro_is_found() {
    let uses = [
        "pub fn a(x: u8) -> bool { matches!(x, crate::b::FIRST | 2) }",
        "pub fn a() { println!(\"{:?}\", super::b::b()) }",
        "macro_rules! make { () => { $crate::b::b() } }",
        "macro_rules! make { () => { use $crate::b::B; } }",
        "use crate::b;\npub fn a() { assert!(b::b() == ()) }",
    ];
    for code in uses {
        assert_circle(&beside(&format!("pub struct A;\n{code}"), B), &["a.rs", "b.rs"]);
    }
}

#[test]
fn a_cycle_through_a_macro_is_found() {
    let called = "pub struct A;\npub fn a() { b_of!(1) }";
    assert_circle(&beside(called, &format!("{B}\nmacro_rules! b_of {{ ($x:expr) => {{ $x }} }}")), &["a.rs", "b.rs"]);
    let imported = "use crate::b::b_of;\npub struct A;";
    let defined = format!("{B}\nmacro_rules! b_of {{ () => {{}} }}\npub(crate) use b_of;");
    assert_circle(&beside(imported, &defined), &["a.rs", "b.rs"]);
}

#[test]
fn a_cycle_through_a_renamed_import_is_found() {
    assert_circle(&beside("use crate::b::B as Other;\npub struct A(Other);", B), &["a.rs", "b.rs"]);
    let renamed = "use crate::b as other;\nuse self::other::B;\npub struct A(B);";
    assert_circle(&beside(renamed, B), &["a.rs", "b.rs"]);
}

#[test]
fn a_cycle_through_the_crate_s_own_name_is_found() {
    for a in ["use own::b::B;", "use ::own::b::B;", "type B = ::own::b::B;"] {
        let files = [
            ("lib.rs", "extern crate self as own;\nmod a;\nmod b;"),
            ("a.rs", &format!("{a}\npub struct A(B);")),
            ("b.rs", B),
        ];
        assert_circle(&graph(&files), &["a.rs", "b.rs"]);
    }
}

#[test]
fn a_cycle_through_a_file_with_another_path_is_found() {
    let files = [
        ("lib.rs", "mod a;\n#[path = \"elsewhere/other.rs\"]\nmod b;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("elsewhere/other.rs", "mod part;\npub use part::B;"),
        ("elsewhere/part.rs", B),
    ];
    assert_circle(&graph(&files), &["a.rs", "elsewhere/part.rs"]);
}

#[test]
fn a_cycle_through_an_inline_module_is_found() {
    let inline = "pub struct A;\nmod inner { mod deep;\nuse super::super::b::B;\nuse super::A; }";
    let files = [("lib.rs", "mod a;\nmod b;"), ("a.rs", inline), ("a/inner/deep.rs", "use crate::b::b;"), ("b.rs", B)];
    assert_circle(&graph(&files), &["a.rs", "b.rs"]);
}

#[test]
fn a_cycle_through_what_a_mod_file_defines_is_found() {
    let files = [
        ("lib.rs", "mod x;"),
        ("x/mod.rs", "mod a;\npub use a::A;\npub fn helper() {}"),
        ("x/a.rs", "use super::helper;\npub struct A;"),
    ];
    assert_circle(&graph(&files), &["x/a.rs", "x/mod.rs"]);
}

#[test]
fn a_long_cycle_is_shown_with_its_names() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;"),
        ("a.rs", "use crate::b::B;\n\npub fn a() { B::new() }"),
        ("b.rs", "use crate::c::C;\npub struct B;"),
        ("c.rs", "pub struct C(super::a::A);"),
        ("d.rs", "use crate::a::A;"),
    ];
    let expected = "a.rs → b.rs → c.rs → a.rs (3 files)\n  a.rs → b.rs: crate::b::B:1\n  \
                    b.rs → c.rs: crate::c::C:1\n  c.rs → a.rs: super::a::A:1\n";
    assert_eq!(describe_cycles(&graph(&files)), expected);
}

#[test]
fn tests_and_comments_import_nothing() {
    let uses = [
        "#[cfg(test)]\nmod tests { use crate::b::B; }",
        "#[cfg(all(test, unix))]\nmod tests { use crate::b::B; }",
        "#[cfg(test)]\nuse crate::b::B;",
        "#[cfg(test)]\npub fn only<X, Y>(x: X, y: Y) -> crate::b::B { crate::b::b() }",
        "#[test]\nfn works() { crate::b::b() }",
        "impl A { #[cfg(test)] pub const fn of(self) { crate::b::b() } fn after(self) {} }",
        "struct S { #[cfg(test)] b: Vec<crate::b::B, u8>, after: u8 }",
        "pub fn a() { #[cfg(test)] crate::b::b(); after() }",
        "/// As [`crate::b::B`] does:\n/// ```\n/// use crate::b::B;\n/// ```\npub struct S;",
        "//! Below [`B`](crate::b::B).",
        "// crate::b::B\npub const NAME: &str = \"crate::b::B\";",
        "pub(in crate::b) struct S;",
    ];
    for code in uses {
        assert_no_circle(&beside(&format!("{code}\npub struct A;"), B));
    }
    let file = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "#[cfg(test)]\nmod tests;\npub struct A;"),
        ("a/tests.rs", "use crate::b::B;"),
        ("b.rs", B),
    ];
    assert_no_circle(&graph(&file));
    assert_circle(&beside("pub struct A;\n#[cfg(not(test))]\nuse crate::b::B;", B), &["a.rs", "b.rs"]);
}

#[test]
fn what_only_looks_like_an_import_is_none() {
    let uses = [
        // Another crate's, a variable's, a field's, a local's.
        "use ::b::B;",
        "type B = ::b::B;",
        "fn a(b: TokenStream) -> TokenStream { quote!(::b::B; #b::B) }",
        "macro_rules! make { ($b:ident) => { $b::B } }",
        "fn a(b: X) { b.b; let b = 1; b }",
        "fn a() { Vec::<u8>::b::c() }",
    ];
    for code in uses {
        assert_no_circle(&beside(&format!("use crate::b;\n{code}\npub struct A;"), B));
    }
}

#[test]
fn of_a_module_and_a_function_with_one_name_the_one_that_is_used_is_imported() {
    let with = |import: &str| {
        graph(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use b::c;"),
            ("a.rs", &format!("{import}\npub struct A;")),
            ("b.rs", "use crate::a::A;\npub fn c(_: A) {}"),
            ("c.rs", "pub struct C;"),
        ])
    };
    assert_no_circle(&with("use crate::c::{self as other, C};\nfn a(c: other::C) { c; }"));
    assert_no_circle(&with("use crate::c;\nfn a(x: c::C) { x.c(); }"));
    assert_circle(&with("use crate::c;\nfn a() { c() }"), &["a.rs", "b.rs"]);
}

#[test]
fn a_mod_file_that_only_declares_stands_in_no_cycle() {
    let files = [
        ("lib.rs", "mod x;"),
        ("x/mod.rs", "//! Words.\nmod a;\nmod b;\npub use a::A;\npub(crate) use b::{B, help};"),
        ("x/a.rs", "use super::{B, help};\npub struct A(B);"),
        ("x/b.rs", "pub struct B;\npub fn help() {}"),
    ];
    assert_no_circle(&graph(&files));
}

#[test]
fn code_in_a_mod_file_is_found() {
    let text = "//! Words.\nmod a;\npub use a::A;\n#[cfg(test)]\nmod tests;\n";
    assert_eq!(code_in_mod_file(text), [""; 0]);
    let code = ["fn f() {}", "struct S;", "impl S {}", "const C: u8 = 1;", "macro_rules! m { () => {} }", "mod m {}"];
    for item in code {
        assert_eq!(code_in_mod_file(&format!("{text}{item}")).len(), 1, "{item}");
    }
}

#[test]
fn an_import_against_the_order_is_found() {
    let files = [
        (
            "lib.rs",
            "mod base;\nmod events;\nmod one;\nmod other;\nmod odd;\npub use events::Event;\nfn f(_: one::One) {}",
        ),
        ("base/mod.rs", "mod level;\npub use level::Level;\npub use crate::odd::Odd as Above;"),
        ("base/level.rs", "pub struct Level(super::super::events::Event);"),
        ("events/mod.rs", "mod event;\nmod field;\npub use event::Event;"),
        (
            "events/event.rs",
            "use crate::base::Level;\nuse crate::odd::Odd;\nuse super::field::Field;\npub struct Event;",
        ),
        ("events/field.rs", "pub struct Field;"),
        ("odd.rs", "pub struct Odd;"),
        ("one.rs", "use crate::events::Event;\npub struct One;"),
        ("other.rs", "use crate::one::One;\npub struct Other(One);"),
    ];
    let expected = [
        "base/level.rs imports events/event.rs: super::super::events::Event:1",
        "events/event.rs imports odd.rs: crate::odd::Odd:2",
        "odd.rs has no place in the order",
        "other.rs imports one.rs: crate::one::One:1",
    ];
    let order: &[&[&str]] = &[&["base"], &["events"], &["one.rs", "other.rs"], &["lib.rs"]];
    assert_eq!(against_order(&graph(&files), Path::new(""), order), expected);
}
