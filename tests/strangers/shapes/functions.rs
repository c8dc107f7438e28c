//! The functions: each shape, under the given attributes.

/// All shapes, under these attributes.
macro_rules! shapes {
    ($module:ident, $(#[$attribute:meta])*) => {
        mod $module {
            use super::*;

            $(#[$attribute])*
            fn free(a: u32, b: &str) -> u32 {
                if a > 3 { return a; }
                b.len() as u32
            }

            $(#[$attribute])*
            fn panics(_a: Noisy, b: Noisy) -> Option<u32> {
                let _local = Noisy("local");
                if b.0.len() == 1 { panic!("as {}", b.0); }
                Some(1)
            }

            // When the temporaries of a last expression are dropped depends on the edition.
            $(#[$attribute])*
            fn drops_last(_a: Noisy, b: Noisy) -> Option<usize> {
                let _local = Noisy("local");
                note(b.0);
                Some(Noisy("temporary").0.len())
            }
            $(#[$attribute])*
            fn drops_last_unit(_a: Noisy, _: Noisy) -> usize {
                let _local = Noisy("local");
                Noisy("temporary").0.len()
            }
            $(#[$attribute])*
            async fn drops_last_async(_a: Noisy, _: Noisy) -> Result<usize, String> {
                let _local = Noisy("local");
                pause().await;
                Ok(Noisy("temporary").0.len())
            }

            #[derive(Debug)]
            pub struct Kind(Noisy, u32);

            impl Kind {
                $(#[$attribute])*
                fn by_value(self, other: Noisy) -> Option<u32> { Some(self.1 + other.0.len() as u32) }
                $(#[$attribute])*
                fn by_reference(&self) -> &Noisy { &self.0 }
                $(#[$attribute])*
                fn by_mutable_reference(&mut self) -> Option<&mut u32> { self.1 += 1; Some(&mut self.1) }
                $(#[$attribute])*
                fn changed(mut self) -> Result<Self, Odd> { self.1 += 1; if self.1 > 9 { Err(Odd) } else { Ok(self) } }
                $(#[$attribute])*
                fn boxed(self: Box<Self>, _: Noisy) -> Result<u32, Odd> { Ok(self.1) }
                $(#[$attribute])*
                fn counted(self: std::rc::Rc<Self>) -> Option<u32> { Some(self.1) }
                $(#[$attribute])*
                fn shared(self: std::sync::Arc<Self>) -> Option<u32> { Some(self.1) }
                $(#[$attribute])*
                fn pinned(self: Pin<&mut Self>) -> Option<u32> { Some(self.1) }
                $(#[$attribute])*
                fn associated(a: u32) -> Self { Kind(Noisy("associated"), a) }
                $(#[$attribute])*
                fn as_self(self) -> Self { Self(Noisy("self"), self.1) }
                $(#[$attribute])*
                async fn later(&mut self, by: u32) -> &u32 { pause().await; self.1 += by; &self.1 }
                $(#[$attribute])*
                async fn later_by_value(mut self, other: Noisy) -> Option<u32> { pause().await; self.1 += 1; Some(self.1 + other.0.len() as u32) }
            }

            pub trait Defaults: Debug {
                fn without(&self) -> Option<u32>;
                $(#[$attribute])*
                fn with(&self) -> Result<String, Odd> { Ok(format!("{:?} {:?}", self, self.without())) }
                $(#[$attribute])*
                fn sized(self) -> u32 where Self: Sized { self.without().unwrap_or(3) }
            }

            impl Defaults for Kind {
                $(#[$attribute])*
                fn without(&self) -> Option<u32> { Some(self.1).filter(|n| *n > 3) }
            }

            impl Named for Kind {
                $(#[$attribute])*
                fn name(&self) -> String { "kind".to_string() }
                $(#[$attribute])*
                fn title(&self) -> Result<String, std::fmt::Error> { Err(std::fmt::Error)?; Ok(self.name()) }
                $(#[$attribute])*
                fn made() -> Self { Kind(Noisy("made"), 1) }
            }

            fn outer(a: u32) -> u32 {
                $(#[$attribute])*
                fn nested(b: u32) -> Option<u32> { b.checked_sub(1) }
                nested(a).unwrap_or(7)
            }

            macro_rules! made {
                ($name:ident, $kind:ty, $value:expr, $body:block, $whole:item) => {
                    $(#[$attribute])*
                    fn $name(a: $kind) -> Option<$kind> { let b: $kind = $value; if a > b { return None; } $body }
                    $whole
                };
            }
            made!(from_a_macro, u32, { 1 + 2 }, { Some(3) }, $(#[$attribute])* fn whole_item(a: u32) -> u32 { a + 1 });

            $(#[$attribute])*
            unsafe fn dangerous(a: *const u32) -> Option<u32> { unsafe { a.as_ref() }.copied() }

            $(#[$attribute])*
            extern "C" fn foreign(a: u32, _: u8) -> u32 { a * 2 }

            $(#[$attribute])*
            pub unsafe extern "C" fn both(a: u32) -> Option<Box<u32>> { Some(Box::new(a)) }

            $(#[$attribute])*
            fn generic<T, const N: usize>(items: [T; N], more: impl IntoIterator<Item = T>) -> Result<Vec<T>, Odd>
            where
                T: Clone + Debug,
            {
                if N == 0 { return Err(Odd); }
                Ok(items.iter().cloned().chain(more).collect())
            }

            $(#[$attribute])*
            fn elided(a: &str) -> Option<&str> { a.get(1..) }

            $(#[$attribute])*
            fn named<'a, 'b: 'a>(a: &'a str, b: &'b str) -> Result<&'a str, &'b str> { if a.is_empty() { Err(b) } else { Ok(a) } }

            $(#[$attribute])*
            fn mutably<'a>(rows: &'a mut Vec<u32>, mut other: &'a mut Vec<u32>) -> Option<&'a mut u32> {
                if rows.is_empty() { other = rows; }
                other.last_mut()
            }

            $(#[$attribute])*
            fn higher_ranked<F>(f: F) -> Option<usize> where F: for<'x> Fn(&'x str) -> &'x str { Some(f("four").len()) }

            $(#[$attribute])*
            fn gives_iterator<'a>(rows: &'a [u32], by: u32) -> impl Iterator<Item = u32> + 'a { rows.iter().map(move |row| row + by) }

            $(#[$attribute])*
            fn gives_closure(by: Noisy) -> impl Fn(usize) -> usize { move |n| n + by.0.len() }

            $(#[$attribute])*
            fn never(a: Noisy) -> ! { panic!("never {}", a.0) }

            $(#[$attribute])*
            async fn never_later(a: Noisy) -> ! { pause().await; panic!("never later {}", a.0) }

            $(#[$attribute])*
            fn gives_future(a: u32) -> impl Future<Output = Option<u32>> { async move { pause().await; Some(a) } }

            $(#[$attribute])*
            fn boxes_future<'a>(a: &'a str) -> Pin<Box<dyn Future<Output = Result<&'a str, Odd>> + Send + 'a>> {
                note("before");
                Box::pin(async move { pause().await; if a.is_empty() { return Err(Odd); } Ok(a) })
            }

            $(#[$attribute])*
            fn coerces(a: u32) -> Result<Box<dyn Debug>, Box<dyn Debug>> {
                if a > 3 { return Ok(Box::new("text")); }
                if a > 2 { return Err(Box::new(a)); }
                Ok(Box::new(a))
            }

            $(#[$attribute])*
            fn by_question_mark(a: &str) -> Result<u32, Box<dyn std::error::Error>> { if a == "odd" { Err(Odd)? } Ok(a.parse::<u32>()?) }

            $(#[$attribute])*
            async fn by_question_mark_later(a: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> { pause().await; Ok(a.parse::<u32>()?) }

            $(#[$attribute])*
            fn patterns((a, b): (u8, u8), mut x: u32, _: Noisy, [first, .., last]: [u8; 3], Noisy(text): &Noisy) -> Option<u32> {
                x += u32::from(a + b + first + last);
                Some(x + text.len() as u32)
            }

            $(#[$attribute])*
            fn r#match(r#type: u32) -> Option<u32> { Some(r#type) }

            mod shadows {
                #![allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals, unused_imports)]
                pub struct Ok; pub struct Err; pub struct Some; pub struct None; pub struct Option; pub struct Result; pub struct String; pub struct Box; pub struct Vec;
                pub mod core {} pub mod std {} pub mod obs_runtime {}
                pub trait Clone {} pub trait Drop {} pub trait Display {} pub trait Iterator {} pub trait FnOnce {} pub trait Fn {}
                pub fn drop() {} pub fn __call() {} pub static value: u8 = 1; pub static entry: u8 = 1;

                $(#[$attribute])*
                pub fn shadowed(a: u32) -> ::std::result::Result<u32, super::Odd> {
                    let __call = a;
                    let _: (Ok, String, u8) = (Ok, String, value + entry);
                    if __call > 3 { return ::std::result::Result::Err(super::Odd); }
                    ::std::result::Result::Ok(a)
                }

                $(#[$attribute])*
                pub async fn shadowed_later(a: u32) -> ::std::option::Option<u32> { super::pause().await; ::std::option::Option::Some(a) }
            }

            $(#[$attribute])*
            fn names_of_ours(display: u32, guard: u32, call: u32, value: u32, entry: u32, error: u32, path: u32, judge: u32) -> Option<u32> {
                Some(display + guard + call + value + entry + error + path + judge)
            }

            $(#[$attribute])*
            /// Documented, with attributes above and inside.
            #[must_use]
            #[inline]
            #[cfg(not(any()))]
            #[allow(clippy::needless_return)]
            fn attributed(a: u32) -> Option<u32> {
                #![allow(unused_variables)]
                //! More.
                let unused = 3;
                #[cfg(any())]
                compile_error!("never there");
                return Some(a);
            }

            $(#[$attribute])*
            #[expect(unused_variables)]
            fn expected(a: u32) -> Option<u32> { let unused = 3; Some(a) }

            $(#[$attribute])*
            #[cfg(any())]
            fn not_there(a: Missing) -> Missing { a }

            $(#[$attribute])*
            fn recursive(a: u32) -> Option<u32> { if a == 0 { None } else { recursive(a - 1).or(Some(a)) } }

            $(#[$attribute])*
            async fn recursive_later(a: u32) -> Option<u32> { if a == 0 { return None; } Box::pin(recursive_later(a - 1)).await.or(Some(a)) }

            $(#[$attribute])*
            fn closures(a: u32) -> Result<u32, Odd> {
                let find = |n: u32| -> Option<u32> { let n = n.checked_sub(2)?; if n > 5 { return None; } Some(n) };
                let tried = (|| { find(a).ok_or(Odd)?; Ok::<u32, Odd>(1) })();
                fn inner(n: u32) -> u32 { if n > 1 { return 1; } n }
                Ok(tried? + inner(a))
            }

            $(#[$attribute])*
            fn labels(a: u32) -> Option<u32> {
                let found = 'found: { if a > 2 { break 'found 9; } 1 };
                'outer: for i in 0.. { for j in 0..i { if i * j > a { break 'outer; } if j > 3 { continue 'outer; } if i > 20 { return None; } } }
                Some(loop { break found; })
            }

            $(#[$attribute])*
            fn returns(a: u32) -> Option<u32> {
                match a { 0 => return None, 1 => { return Some(1) } _ => {} }
                let Some(b) = a.checked_sub(2) else { return Some(2) };
                let c = if b == 1 { return Some(3) } else { b };
                while c > 5 { return Some(4); }
                Some(if c == 2 { return { Some(5) } } else { c })
            }

            $(#[$attribute])*
            fn unit(a: Noisy) { if a.0 == "x" { return; } note("unit") }

            $(#[$attribute])*
            async fn unit_later(a: Noisy, _: Noisy) { pause().await; if a.0 == "x" { return; } note("unit later") }

            $(#[$attribute])*
            async fn with_async_closure(a: u32) -> Option<u32> {
                let add = async |n: u32| -> Option<u32> { pause().await; n.checked_add(a) };
                add(1).await
            }

            $(#[$attribute])*
            async fn is_sent(a: Cell<u32>, text: String) -> Option<u32> { pause().await; Some(a.get() + text.len() as u32) }

            $(#[$attribute])*
            async fn is_not_sent(a: u32) -> Option<u32> { let b = std::rc::Rc::new(a); pause().await; Some(*b) }

            $(#[$attribute])*
            async fn drops(a: Noisy, b: Noisy, _: Noisy) -> Result<(), Odd> { let _local = Noisy("local"); pause().await; drop(b); let _ = &a; Err(Odd) }

            pub fn cases() -> super::Cases {
                let kind = || Kind(Noisy("kind"), 4);
                let mut cases: super::Cases = Vec::new();
                cases! { cases:
                    "free" => (free(4, ""), free(1, "ab")),
                    "panics" => panics(Noisy("a"), Noisy("b")),
                    "does not panic" => panics(Noisy("a"), Noisy("bb")),
                    "last temporary" => drops_last(Noisy("a"), Noisy("b")),
                    "last temporary, bare value" => drops_last_unit(Noisy("a"), Noisy("b")),
                    "last temporary, async" => wait(drops_last_async(Noisy("a"), Noisy("b"))),
                    "self" => kind().by_value(Noisy("other")),
                    "&self" => kind().by_reference(),
                    "&mut self" => kind().by_mutable_reference(),
                    "mut self" => (kind().changed(), Kind(Noisy("kind"), 9).changed().is_err()),
                    "self: Box" => Box::new(kind()).boxed(Noisy("other")),
                    "self: Rc" => std::rc::Rc::new(kind()).counted(),
                    "self: Arc" => std::sync::Arc::new(kind()).shared(),
                    "self: Pin" => Box::pin(kind()).as_mut().pinned(),
                    "associated" => Kind::associated(3),
                    "-> Self" => kind().as_self(),
                    "async &mut self" => *wait(kind().later(3)),
                    "async mut self" => wait(kind().later_by_value(Noisy("other"))),
                    "async mut self, cancelled" => give_up(kind().later_by_value(Noisy("other"))),
                    "default method" => (kind().with(), kind().sized()),
                    "trait's method" => (kind().without(), kind().name(), kind().title(), Kind::made()),
                    "nested" => (outer(3), outer(0)),
                    "macro" => (from_a_macro(1), from_a_macro(9), whole_item(1)),
                    "unsafe" => unsafe { (dangerous(&3), dangerous(std::ptr::null()), both(3)) },
                    "extern" => foreign(2, 3),
                    "generic" => (generic([1, 2], vec![3]), generic([], vec![()])),
                    "elided" => (elided("text"), elided("")),
                    "named" => (named("a", "b"), named("", "b")),
                    "&mut" => (mutably(&mut vec![1], &mut vec![2]), mutably(&mut vec![], &mut vec![2])),
                    "for<'x>" => higher_ranked(|text| &text[1..]),
                    "-> impl Iterator" => gives_iterator(&[1, 2], 3).collect::<Vec<_>>(),
                    "-> impl Fn" => gives_closure(Noisy("by"))(3),
                    "-> !" => Some(()).map(|()| -> u8 { never(Noisy("a")) }),
                    "async -> !" => Some(()).map(|()| -> u8 { wait(never_later(Noisy("a"))) }),
                    "async -> !, cancelled" => give_up(never_later(Noisy("a"))),
                    "-> impl Future" => wait(gives_future(3)),
                    "-> Pin<Box<dyn Future>>" => (wait(boxes_future("a")), wait(boxes_future("")), give_up(boxes_future("b"))),
                    "coercion" => (coerces(1), coerces(3), coerces(4)),
                    "?" => (by_question_mark("1"), by_question_mark("x"), by_question_mark("odd")),
                    "async ?" => (wait(by_question_mark_later("1")), wait(by_question_mark_later("x"))),
                    "patterns" => patterns((1, 2), 3, Noisy("a"), [1, 2, 3], &Noisy("b")),
                    "raw" => r#match(3),
                    "shadowed" => (shadows::shadowed(3), shadows::shadowed(4), wait(shadows::shadowed_later(3))),
                    "names of ours" => names_of_ours(1, 2, 3, 4, 5, 6, 7, 8),
                    "attributes" => (attributed(3), expected(3)),
                    "recursion" => (recursive(3), wait(recursive_later(3))),
                    "closures" => (closures(1), closures(3), closures(9)),
                    "labels" => (labels(1), labels(3), labels(1000)),
                    "returns" => (0..9).map(returns).collect::<Vec<_>>(),
                    "unit" => (unit(Noisy("x")), unit(Noisy("y"))),
                    "async unit" => (wait(unit_later(Noisy("x"), Noisy("z"))), wait(unit_later(Noisy("y"), Noisy("z")))),
                    "async unit, cancelled" => give_up(unit_later(Noisy("x"), Noisy("z"))),
                    "async closure" => wait(with_async_closure(3)),
                    "Send" => (probe(&is_sent(Cell::new(1), String::new())).is_send(), wait(is_sent(Cell::new(1), String::new()))),
                    "not Send" => (probe(&is_not_sent(1)).is_send(), wait(is_not_sent(1))),
                    "async drops" => wait(drops(Noisy("a"), Noisy("b"), Noisy("c"))),
                    "async drops, cancelled" => give_up(drops(Noisy("a"), Noisy("b"), Noisy("c"))),
                }
                cases
            }

            pub fn futures() -> Vec<super::Made> {
                let mut kind = Kind(Noisy("kind"), 4);
                futures! {
                    "async &mut self" => kind.later(3),
                    "async mut self" => Kind(Noisy("kind"), 4).later_by_value(Noisy("other")),
                    "async -> !" => never_later(Noisy("a")),
                    "-> impl Future" => gives_future(3),
                    "-> Pin<Box<dyn Future>>" => boxes_future("a"),
                    "async ?" => by_question_mark_later("1"),
                    "shadowed" => shadows::shadowed_later(3),
                    "async recursion" => recursive_later(3),
                    "async unit" => unit_later(Noisy("x"), Noisy("z")),
                    "async closure" => with_async_closure(3),
                    "Send" => is_sent(Cell::new(1), String::new()),
                    "not Send" => is_not_sent(1),
                    "async drops" => drops(Noisy("a"), Noisy("b"), Noisy("c")),
                }
            }
        }
    };
}
