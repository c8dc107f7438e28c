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

        $(#[$attribute])*
        pub fn several() -> (impl Fn(&str) -> usize, impl FnMut(&mut String)) { (|text| text.trim().len(), |text| text.push('c')) }
        $(#[$attribute])*
        pub fn listed() -> [impl for<'a> Fn(&'a str) -> usize; 1] { [|text: &str| text.len()] }
        $(#[$attribute])*
        pub fn nested() -> impl Fn(u8) -> Box<dyn Fn(&str) -> String> { |n| Box::new(move |text| text.repeat(n.into())) }
        $(#[$attribute])*
        pub fn branched(up: bool) -> impl Fn(&str) -> String { match up { true => str::to_uppercase, false => str::to_lowercase } }
        $(#[$attribute])*
        pub fn typed(up: bool) -> Result<impl for<'a> Fn(&'a str) -> usize, io::Error> { if up { Err(io::Error::other("up")) } else { Ok(|text: &str| text.len()) } }
        $(#[$attribute])*
        pub fn of_other(some: bool) -> Option<impl for<'a> Fn(&'a str) -> &'a str> { some.then(identity) }
        $(#[$attribute])*
        pub fn of_generic<T: PartialEq>(value: T) -> impl Fn(&T) -> bool { move |other| *other == value }
        $(#[$attribute])*
        pub fn lent<'v, T: Clone>(values: &'v [T]) -> impl for<'x> Fn(&'x mut Vec<T>) -> &'x [T] + 'v { move |into| { into.extend_from_slice(values); &into[..] } }
        $(#[$attribute])*
        pub fn composed<A, B, C>(f: impl Fn(&A) -> B, g: impl Fn(B) -> C) -> impl Fn(&A) -> C { move |a| g(f(a)) }
        $(#[$attribute])*
        pub fn padded<const N: usize>() -> impl Fn(&str) -> String { |text| format!("{text:>N$}") }
        $(#[$attribute])*
        pub unsafe fn not_safe() -> impl Fn(&u8) -> u8 { |n| *n }
        $(#[$attribute])*
        pub fn reborrowing() -> impl for<'a, 'b> Fn(&'a mut &'b u8) -> &'b u8 { |n| *n }
        $(#[$attribute])*
        pub async fn awaited(by: u32) -> impl Fn(u32) -> u32 { move |n| n + by }
        $(#[$attribute])*
        pub async fn awaited_typed() -> impl for<'a> Fn(&'a str) -> usize { |text: &str| text.len() }
        $(#[$attribute])*
        pub async fn inferred() -> impl Fn(&str) -> usize { |text| text.trim().len() }
        $(#[$attribute])*
        pub async fn inferred_late<'v>(values: &'v [u8]) -> impl for<'a> Fn(&'a str) -> &'a str + use<'v> {
            let by = values.len();
            if by > 9 { panic!("{by}"); }
            std::future::ready(()).await;
            move |text| if by == 0 { text } else { text.trim() }
        }
        $(#[$attribute])*
        pub async fn inferred_pair<T: Clone>(value: T) -> (impl Fn(&str) -> usize, T) { let other = value.clone(); drop(value); (|text| text.len(), other) }
        impl Rules {
            $(#[$attribute])*
            async fn hidden(&self) -> impl Fn(&u32) -> bool { let first = self.0[0]; move |value| value.pow(1) == first }
            $(#[$attribute])*
            pub async fn shown(&self) -> impl Fn(&u32) -> bool { std::future::ready(()).await; let first = self.0[0]; move |value| value.pow(1) == first }
        }
        $(#[$attribute])*
        pub fn pointer() -> for<'a> fn(&'a str) -> &'a str { |text| text.trim() }
        $(#[$attribute])*
        pub fn in_arc() -> std::sync::Arc<dyn Fn(&str) -> usize + Send + Sync> { std::sync::Arc::new(|text| text.len()) }

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
                format!("{:?}", { let (f, mut g) = several(); let mut text = String::from(" a "); g(&mut text); (f(&text), listed()[0]("l"), nested()(2)("n"), branched(true)("u")) }),
                format!("{:?}", (typed(false).ok().map(|f| f("ab")), typed(true).is_err(), of_other(true).map(|f| f("o")), of_other(false).is_none())),
                format!("{:?}", (of_generic(3)(&3), lent(&[1])(&mut vec![2]), composed(|n: &u8| n + 1, |n| n * 2)(&3), padded::<4>()("p"))),
                format!("{:?}", (unsafe { not_safe() }(&1), reborrowing()(&mut &1), crate::now(awaited(1))(2), crate::now(awaited_typed())("abc"), pointer()(" p "), in_arc()("ab"))),
                format!("{:?}", (crate::now(inferred())(" i "), crate::now(inferred_late(&[1]))(" l "), crate::now(inferred_pair(5)).0("p"))),
                format!("{:?}", (crate::now(rules.hidden())(&1), crate::now(rules.shown())(&2))),
            ]
        }
    };
}
