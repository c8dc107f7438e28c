//! Which attribute wraps which.

use proc_macro2::TokenTree;

use super::{expanded, normal, shown, tokens};
use crate::grammar::vocabulary::Attribute;

#[test]
fn an_outer_attribute_steps_behind_the_last_inner_one() {
    assert_eq!(
        expanded(
            "tracked_command",
            "name = \"x\", user = me",
            "#[inline] #[obs_runtime::track_performance(level = \"info\")] #[doc = \"d\"] #[bq_cost] #[test] fn f() { 1 }",
        ),
        normal(
            "#[inline] #[obs_runtime::track_performance(level = \"info\")] #[doc = \"d\"] #[bq_cost] \
             #[::obs_runtime::tracked_command(name = \"x\", user = me)] #[test] fn f() { 1 }",
        ),
    );
}

#[test]
fn it_steps_behind_inner_ones_only() {
    assert_eq!(
        expanded("bq_cost", "", "#[track_performance] #[tracked_command] fn f() {}"),
        normal("#[track_performance] #[::obs_runtime::bq_cost()] #[tracked_command] fn f() {}"),
    );
    let stays = expanded("track_performance", "", "#[tracked_command] #[with_error_tracking] fn f() -> R {}");
    assert!(stays.contains("performance ( __CALLSITE"), "{stays}");
}

#[test]
fn the_same_attribute_twice_is_an_error() {
    let is_error = |args: &str, other: &str| {
        let expansion = expanded("track_performance", args, &format!("#[inline] {other} fn f() {{}}"));
        expansion.contains("`#[track_performance]` is on this function twice")
    };
    for (args, other) in [
        ("", "#[track_performance]"),
        ("", "#[bq_cost] #[obs_runtime::track_performance(tags(name = f))]"),
        ("level = \"info\"", "#[track_performance(owner = \"me\")]"),
        ("name = \"a\"", "#[track_performance(owner = \"me\", name = \"a\")]"),
    ] {
        assert!(is_error(args, other), "{args} {other}");
    }
    for (args, other) in [
        ("", "#[bq_cost]"),
        ("", "#[autometrics::track_performance]"),
        ("", "#[track_performance(name = \"a\")]"),
        ("name = \"b\"", "#[track_performance(name = \"a\")]"),
    ] {
        assert!(!is_error(args, other), "{args} {other}");
    }
}

#[test]
fn the_path_of_the_runtime_is_kept() {
    assert_eq!(
        expanded("bq_cost", "crate = ::my::obs_facade", "#[my::obs_facade::track_performance] fn f() {}"),
        normal("#[my::obs_facade::track_performance] #[::my::obs_facade::bq_cost(crate = ::my::obs_facade)] fn f() {}",),
    );
}

#[test]
fn attributes_of_others_do_not_count() {
    for other in ["#[autometrics::track_performance]", "#[tokio::main]", "#[instrument]"] {
        let expansion = expanded("tracked_command", "", &format!("{other} fn main() -> R {{}}"));
        assert!(expansion.contains("command ( __CALLSITE"), "{expansion}");
    }
}

#[test]
fn a_main_that_initialises_does_so_before_its_runtime_starts() {
    let first = expanded("tracked_command", "init", "#[allow(x)] #[tokio::main] #[allow(y)] async fn main() -> R {}");
    assert_eq!(
        first,
        normal(
            "#[allow(x)] #[tokio::main] #[::obs_runtime::tracked_command(init)] #[allow(y)] async fn main() -> R {}"
        ),
    );
}

/// Expands the first of our attributes, again and again, as the compiler does.
fn expand_all(written: &[&str]) -> String {
    let mut item = tokens(&format!("#[{}] fn f() -> R {{}}", written.join("] #[")));
    for _ in 0..100 {
        let mut trees: Vec<TokenTree> = item.clone().into_iter().collect();
        let [TokenTree::Punct(pound), TokenTree::Group(group), ..] = trees.as_slice() else { break };
        assert_eq!(pound.as_char(), '#');
        let name = group.stream().into_iter().filter_map(|tree| match tree {
            TokenTree::Ident(ident) => Attribute::named(&ident.to_string()),
            _ => None,
        });
        let name = name.last().unwrap();
        item = crate::driver::expand(name, &tokens(""), trees.drain(2..).collect());
    }
    shown(item)
}

#[test]
fn every_order_comes_to_the_same() {
    let ours = ["tracked_command", "bq_cost", "with_error_tracking", "track_performance"];
    let wanted = ["command ( __CALLSITE", "cost ( __CALLSITE", "errors ( __CALLSITE", "performance ( __CALLSITE"];
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| ![a, b].contains(c)) {
                let d = 6 - a - b - c;
                let expansion = expand_all(&[ours[a], ours[b], ours[c], ours[d]]);
                let places: Vec<_> = wanted.iter().map(|call| expansion.find(call).unwrap()).collect();
                assert!(places.is_sorted(), "{a} {b} {c} {d}: {expansion}");
            }
        }
    }
}
