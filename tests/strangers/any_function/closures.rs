//! Functions that return closures whose signature comes from the return type.

macro_rules! closures {
    ($(#[$attribute:meta])*) => {
        use std::io;

        $(#[$attribute])*
        pub fn reader(folder: String) -> impl for<'a> Fn(&'a str) -> Result<Option<String>, io::Error> + Send + Sync {
            move |name| if name.is_empty() { Ok(None) } else { Ok(Some(format!("{folder}/{name}"))) }
        }
        $(#[$attribute])*
        pub fn same<'k, K: Eq, V>(key: &'k K, entries: &'k [(K, V)]) -> impl Fn(&usize) -> bool + use<'k, K, V> {
            move |&at| K::eq(key, &entries[at].0)
        }
        $(#[$attribute])*
        pub fn identity() -> impl for<'a> Fn(&'a str) -> &'a str { |text| text }
        $(#[$attribute])*
        pub fn method() -> impl Fn(&str) -> usize { |text| text.trim().len() }
        $(#[$attribute])*
        pub fn changing(mut count: u32) -> impl FnMut(&u32) -> u32 { move |by| { count += by.pow(1); count } }
        $(#[$attribute])*
        pub fn once(text: String) -> impl FnOnce(&mut String) { move |into| into.push_str(&text) }
        $(#[$attribute])*
        pub fn two() -> impl Fn(&str, &mut Vec<String>) -> bool { |text, seen| { seen.push(text.into()); seen.len() > 1 } }
        $(#[$attribute])*
        pub fn pattern() -> impl Fn((&str, u32)) -> usize { |(text, n)| text.len() + n as usize }
        $(#[$attribute])*
        pub fn early(is_long: bool) -> impl Fn(u32) -> u32 {
            let by = if is_long { 10 } else { 1 };
            return move |n| n.wrapping_mul(by);
        }
        $(#[$attribute])*
        pub fn asynchronous() -> impl AsyncFn(&str) -> usize { async |text| text.len() }
        $(#[$attribute])*
        pub fn boxed() -> Box<dyn for<'a> Fn(&'a str) -> &'a str> { Box::new(|text| text) }
        $(#[$attribute])*
        pub fn plain_results() -> Result<impl Fn(u32) -> u32, io::Error> { Ok(|n| n + 1) }

        pub struct Rules(Vec<u32>);
        impl Rules {
            $(#[$attribute])*
            pub fn is_broken(&self) -> impl Fn(&u32) -> bool + '_ { |value| !self.0.iter().any(|rule| rule == value) }
        }
        pub trait Keyed { fn key(&self) -> impl Fn(&str) -> String; }
        impl Keyed for Rules {
            $(#[$attribute])*
            fn key(&self) -> impl Fn(&str) -> String { let count = self.0.len(); move |name| name.repeat(count) }
        }

        pub fn run() -> Vec<String> {
            let mut text = String::new();
            once("x".into())(&mut text);
            let (mut seen, rules) = (vec![], Rules(vec![1, 2]));
            vec![
                format!("{:?}", (reader("a".into())("b").ok(), same(&1, &[(1, 2), (3, 4)])(&1))),
                format!("{:?}", (identity()("a"), method()(" a "), changing(3)(&4), text)),
                format!("{:?}", (two()("a", &mut seen), two()("b", &mut seen), pattern()(("a", 2)))),
                format!("{:?}", (early(true)(3), early(false)(3), boxed()("c"))),
                format!("{:?}", (plain_results().ok().map(|f| f(1)), rules.is_broken()(&3), rules.key()("k"))),
                format!("{:?}", crate::now(asynchronous()("four"))),
            ]
        }
    };
}
