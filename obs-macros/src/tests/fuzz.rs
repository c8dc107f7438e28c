//! Token streams as they come while somebody types, and as nobody would type them: no attribute panics on any, and none
//! loses the item.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use super::{messages_in, shown, tokens};
use crate::driver;
use crate::error_kind;
use crate::grammar::vocabulary::Attribute;

/// Stands once in each body.
const MARK: &str = "__stands_in_the_body";

const ARGUMENTS: [&str; 9] = [
    "name = \"load\", tags(table = table, shard = 1 + 1), args(rows, password = redact, user = hash, names = len)",
    "ok_if = Result::is_ok, level = \"info\", crate = ::facade::obs, args(a = self.x().y, b = [1, 2], c = |x| x + 1)",
    "user = options.user(), cron = \"0 3 * * MON-FRI\", timezone = \"Europe/Berlin\", max_runtime = \"30m\"",
    "context(attempt = 3), severity = \"warning\", ignore_if = <E as Is<u8>>::fine, fallback = Ok(Default::default())",
    "query_type = \"select\", dataset = table, alert_over_usd = 5.5, error_if = self::failed",
    "timeout = \"1m 30s\", critical = false, groups(\"live\"), cache = \"10s\", after(\"database\", N), failures = 3",
    "dataset = \"d\", column = names::COLUMN, warn_above = 1, fail_above = 2.5, warn_below = -1, fail_below = -2.5e3, for_each = tables()",
    "only(a, inner::B::c), skip(d), public_only",
    "skip",
];

const ITEMS: [&str; 12] = [
    "pub fn load(table: &str, mut rows: u64, (a, _): (u8, u8)) -> Result<u64, Error> { __stands_in_the_body; rows? }",
    "async fn later<'a, T: Into<u8>>(self: Box<Self>, x: &'a T) -> impl Future<Output = u8> where T: Copy { __stands_in_the_body }",
    "#[doc = \"d\"] #[inline] unsafe extern \"C\" fn f(p: *const u8, ...) -> ! { __stands_in_the_body; loop {} }",
    "fn boxed(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> { Box::pin(async move { __stands_in_the_body }) }",
    "fn check() -> f64 { #![allow(unused)] __stands_in_the_body; 0.5 }",
    "#[track_performance] #[with_error_tracking(fallback = x)] #[tracked_command] fn many(x: u8) { __stands_in_the_body }",
    "impl<const N: usize> Tr<u8> for Csv<{ N }> where [u8; N]: Sized { const C: u8 = { 1 }; fn f(&self) { __stands_in_the_body } }",
    "pub(crate) mod m { #![doc = \"m\"] use a::{b, c}; macro_rules! x { () => {} } fn a() { __stands_in_the_body } impl T { fn d() {} } }",
    "unsafe trait Tr: Sized { fn name(&self); fn title(&self) -> u8 { __stands_in_the_body; 1 } }",
    "#[error_kind(crate = ::facade)] enum E { #[error_kind(\"a\")] A, B(u8), C { __stands_in_the_body: u8 } }",
    "const fn constant<const N: usize>() -> [u8; { N + 1 }] { __stands_in_the_body }",
    "struct S<T>(T) where T: __stands_in_the_body;",
];

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn tree(&mut self) -> TokenTree {
        const WORDS: [&str; 16] = [
            "fn", "impl", "mod", "async", "const", "self", "crate", "skip", "name", "args", "redact", "enum", "pub",
            "x", "_", "where",
        ];
        const PUNCTUATION: [char; 14] = ['=', ',', ';', '#', '!', '<', '>', ':', '&', '.', '-', '|', '?', '\''];
        const DELIMITERS: [Delimiter; 4] =
            [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
        match self.below(5) {
            0 => Ident::new(WORDS[self.below(WORDS.len())], Span::call_site()).into(),
            1 => Ident::new_raw("type", Span::call_site()).into(),
            2 => Punct::new(PUNCTUATION[self.below(13)], [Spacing::Alone, Spacing::Joint][self.below(2)]).into(),
            3 => match self.below(4) {
                0 => Literal::string("0 3 ä \u{0} *").into(),
                1 => Literal::f64_unsuffixed(1e300).into(),
                2 => Literal::u128_suffixed(u128::MAX).into(),
                _ => Literal::byte_string(b"\xff").into(),
            },
            _ => {
                let inside: TokenStream = (0..self.below(3)).map(|_| self.tree()).collect();
                Group::new(DELIMITERS[self.below(4)], inside).into()
            }
        }
    }

    /// Tokens with one of them changed, at any depth.
    fn changed(&mut self, tokens: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
        if trees.is_empty() {
            return self.tree().into();
        }
        let at = self.below(trees.len());
        if let TokenTree::Group(group) = &trees[at]
            && self.below(3) > 0
        {
            let mut inside = Group::new(group.delimiter(), self.changed(group.stream()));
            inside.set_span(group.span());
            trees[at] = inside.into();
            return trees.into_iter().collect();
        }
        match self.below(7) {
            0 => drop(trees.remove(at)),
            1 => trees.insert(at, trees[at].clone()),
            2 => trees.swap(at, 0),
            3 => trees[at] = self.tree(),
            4 => trees.insert(at, self.tree()),
            5 => trees[at] = Group::new(Delimiter::None, trees[at].clone().into()).into(),
            _ => trees.truncate(at),
        }
        trees.into_iter().collect()
    }
}

/// Expands, and checks what must hold of any expansion.
fn try_out(attribute: Attribute, arguments: &TokenStream, item: &TokenStream) {
    let (said_arguments, said) = (arguments.to_string(), item.to_string());
    let expand = || driver::expand(attribute, arguments, item.clone());
    let Ok(expansion) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(expand)) else {
        panic!("#[{}({said_arguments})] panicked on {said}", attribute.name());
    };
    let text = shown(expansion.clone());
    let marks = |text: &str| text.matches(MARK).count();
    let body = marks(&shown(item.clone()));
    // A name that is checked in a build with obs off stands there twice, never in the body's place.
    assert!(marks(&text) >= body.min(1), "#[{}({said_arguments})] lost the body of {said}", attribute.name());
    assert!(
        said_arguments.contains(MARK) || cfg!(feature = "off") || marks(&text) <= body,
        "#[{}({said_arguments})] doubled the body of {said}",
        attribute.name()
    );
    if !messages_in_any(&expansion).is_empty() {
        // Invisible brackets may be opened, which shows in the blanks only.
        let dense = |text: &str| text.split_whitespace().collect::<String>();
        assert!(
            dense(&text).ends_with(&dense(&shown(item.clone()))),
            "#[{}({said_arguments})] has diagnostics and changed {said}",
            attribute.name()
        );
    }
}

/// The messages, where the tokens are ours: a mutated item may hold the word itself.
fn messages_in_any(expansion: &TokenStream) -> Vec<String> {
    let ours = expansion.to_string().starts_with(":: core :: compile_error")
        || expansion.to_string().starts_with("::core::compile_error");
    if ours { messages_in(expansion.clone()) } else { Vec::new() }
}

#[test]
fn half_typed_arguments_and_items_never_panic_nor_lose_the_item() {
    for attribute in Attribute::ALL {
        for (arguments, item) in ARGUMENTS.iter().flat_map(|arguments| ITEMS.map(|item| (*arguments, item))) {
            let (whole, item) = (tokens(arguments), tokens(item));
            let trees: Vec<TokenTree> = whole.into_iter().collect();
            for length in 0..=trees.len() {
                try_out(attribute, &trees[..length].iter().cloned().collect(), &item);
            }
        }
        for item in ITEMS {
            let trees: Vec<TokenTree> = tokens(item).into_iter().collect();
            for length in 0..trees.len() {
                try_out(attribute, &TokenStream::new(), &trees[..length].iter().cloned().collect());
            }
        }
    }
}

#[test]
fn twenty_thousand_changed_token_streams_never_panic_nor_lose_the_item() {
    let mut dice = Dice(20_261_124);
    for round in 0..20_000 {
        let attribute = Attribute::ALL[round % Attribute::ALL.len()];
        let mut arguments = tokens(ARGUMENTS[dice.below(ARGUMENTS.len())]);
        let mut item = tokens(ITEMS[dice.below(ITEMS.len())]);
        for _ in 0..=dice.below(3) {
            match dice.below(2) {
                0 => arguments = dice.changed(arguments),
                _ => item = dice.changed(item),
            }
        }
        try_out(attribute, &arguments, &item);
    }
}

#[test]
fn a_derive_never_panics_either() {
    let mut dice = Dice(7);
    for _ in 0..4_000 {
        let mut item = tokens(ITEMS[dice.below(ITEMS.len())]);
        for _ in 0..=dice.below(3) {
            item = dice.changed(item);
        }
        let said = item.to_string();
        let expand = || error_kind::expand(item);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(expand)).is_ok(), "panicked on {said}");
    }
}

#[test]
fn what_is_nested_deeply_does_not_overflow_the_stack() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100), close.repeat(100));
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("-", ""), ("&", "")] {
        let nested = nested(open, close);
        try_out(Attribute::TrackPerformance, &tokens(&format!("tags(a = {nested})")), &tokens(ITEMS[0]));
        try_out(Attribute::TrackPerformance, &tokens(""), &tokens(&format!("fn f() {{ {MARK}; {nested} }}")));
    }
}
