//! Error types that are not `'static`.

macro_rules! errors {
    ($(#[$attribute:meta])*) => {
        use std::error::Error;
        use std::fmt;
        use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

        use crate::now;

        pub struct Queue<T>(Vec<T>);
        pub struct Full<T>(pub T);
        impl<T> fmt::Debug for Full<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("Full") }
        }
        impl<T> fmt::Display for Full<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("the queue is full") }
        }
        impl<T> Error for Full<T> {}
        impl<T> Queue<T> {
            $(#[$attribute])*
            pub fn offer(&mut self, value: T) -> Result<(), Full<T>> {
                if self.0.len() < 1 { self.0.push(value); Ok(()) } else { Err(Full(value)) }
            }
            $(#[$attribute])*
            pub async fn offer_async(&mut self, value: T) -> Result<(), Full<T>> { self.offer(value) }
        }
        $(#[$attribute])*
        pub async fn offer_later<T>(value: T) -> Result<(), Full<T>> { Err(Full(value)) }

        pub trait Source<'s> { type Error: Error; fn read(self) -> Result<u8, Self::Error>; }
        pub trait Plain { type Error; fn read(self) -> Result<u8, Self::Error>; }
        impl<'s> Source<'s> for &'s str { type Error = NoNumber<'s>; fn read(self) -> Result<u8, NoNumber<'s>> { number(self) } }
        impl<'s> Plain for &'s str { type Error = NoNumber<'s>; fn read(self) -> Result<u8, NoNumber<'s>> { number(self) } }
        $(#[$attribute])*
        pub fn first<'s, S: Source<'s>>(source: S) -> Result<u8, S::Error> { source.read() }
        $(#[$attribute])*
        pub fn first_plain<P: Plain>(source: P) -> Result<u8, P::Error> { source.read() }
        $(#[$attribute])*
        pub async fn first_later<'s, S: Source<'s>>(source: S) -> Result<u8, S::Error> { source.read() }

        #[derive(Debug)]
        pub struct NoNumber<'a>(pub &'a str);
        impl fmt::Display for NoNumber<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{} is no number", self.0) }
        }
        impl Error for NoNumber<'_> {}
        $(#[$attribute])*
        pub fn number<'a>(text: &'a str) -> Result<u8, NoNumber<'a>> { text.parse().map_err(|_| NoNumber(text)) }
        $(#[$attribute])*
        pub fn elided(text: &str) -> Result<u8, NoNumber<'_>> { number(text) }
        type Read<'a, T> = Result<T, NoNumber<'a>>;
        $(#[$attribute])*
        pub fn aliased(text: &str) -> Read<'_, u8> { number(text) }
        $(#[$attribute])*
        pub async fn awaited(text: &str) -> Read<'_, u8> { number(text) }
        $(#[$attribute])*
        pub fn locked(value: &Mutex<u8>) -> Result<MutexGuard<'_, u8>, PoisonError<MutexGuard<'_, u8>>> { value.lock() }
        $(#[$attribute])*
        pub fn shared<T>(value: &RwLock<T>) -> Result<RwLockReadGuard<'_, T>, PoisonError<RwLockReadGuard<'_, T>>> { value.read() }

        pub struct Halves<W>(pub W);
        $(#[$attribute])*
        pub fn join<W: std::io::Write>(left: W) -> Result<W, Halves<W>> { Err(Halves(left)) }
        $(#[$attribute])*
        pub fn handed_on<T, E>(result: Result<T, E>) -> Result<T, E> { result }
        $(#[$attribute])*
        pub fn shown<T, E: fmt::Display>(result: Result<T, E>) -> Result<T, E> { result }
        $(#[$attribute])*
        pub fn debugged<T, E: fmt::Debug>(result: Result<T, E>) -> Result<T, E> { result }
        $(#[$attribute])*
        pub fn text_error(text: &str) -> Result<u8, &str> { text.parse().map_err(|_| text) }
        $(#[$attribute])*
        pub fn boxed<'a>(text: &'a str) -> Result<u8, Box<dyn Error + 'a>> { number(text).map_err(Into::into) }
        $(#[$attribute])*
        pub fn boxed_send<'a>(text: &'a str) -> Result<u8, Box<dyn Error + Send + Sync + 'a>> { number(text).map_err(Into::into) }
        $(#[$attribute])*
        pub fn by_reference<'a>(error: &'a NoNumber<'a>) -> Result<(), &'a (dyn Error + 'a)> { Err(error) }
        $(#[$attribute])*
        pub fn nested<'a, T>(value: &'a T) -> Result<(), Full<Full<&'a T>>> { Err(Full(Full(value))) }
        $(#[$attribute])*
        pub fn of_function<F: Fn(&str)>(f: F) -> Result<(), Full<F>> { Err(Full(f)) }

        $(#[$attribute])*
        pub fn sum<'a, I: Iterator<Item = &'a str>>(texts: I) -> Result<u8, NoNumber<'a>> { texts.map(number).sum() }
        pub trait Lender { type Error<'e> where Self: 'e; fn lend(&mut self, n: usize) -> Result<&mut u8, Self::Error<'_>>; }
        pub struct Bytes(Vec<u8>);
        impl Lender for Bytes {
            type Error<'e> = &'e [u8];
            $(#[$attribute])*
            fn lend(&mut self, n: usize) -> Result<&mut u8, &[u8]> { if n < self.0.len() { Ok(&mut self.0[n]) } else { Err(&self.0) } }
        }
        $(#[$attribute])*
        pub fn lent<L: Lender>(from: &mut L) -> Result<&mut u8, L::Error<'_>> { from.lend(7) }
        $(#[$attribute])*
        pub fn given_back<T>(values: &mut Vec<T>, value: T) -> Result<&mut T, (T, &mut Vec<T>)> { if values.is_empty() { Err((value, values)) } else { values[0] = value; Ok(&mut values[0]) } }
        $(#[$attribute])*
        pub fn flow<'a>(text: &'a str) -> std::ops::ControlFlow<NoNumber<'a>, u8> { match number(text) { Ok(n) => std::ops::ControlFlow::Continue(n), Err(error) => std::ops::ControlFlow::Break(error) } }
        $(#[$attribute])*
        pub fn polled<T>(value: T) -> std::task::Poll<Result<(), Full<T>>> { std::task::Poll::Ready(Err(Full(value))) }
        $(#[$attribute])*
        pub fn optional<'a>(text: &'a str) -> Option<Result<u8, NoNumber<'a>>> { (!text.is_empty()).then(|| number(text)) }
        $(#[$attribute])*
        pub fn counted<T, const N: usize>(values: Vec<T>) -> Result<[T; N], Vec<T>> { values.try_into() }
        $(#[$attribute])*
        pub fn in_arc<'a>(text: &'a str) -> Result<u8, std::sync::Arc<NoNumber<'a>>> { number(text).map_err(std::sync::Arc::new) }
        $(#[$attribute])*
        pub fn dynamic<'a>(text: &'a str) -> Result<Box<dyn Iterator<Item = char> + 'a>, NoNumber<'a>> { number(text).map(|_| Box::new(text.chars()) as _) }
        $(#[$attribute])*
        pub fn never<T>(value: T) -> Result<T, std::convert::Infallible> { Ok(value) }
        $(#[$attribute])*
        pub fn shared_text(text: &str) -> Result<u8, std::rc::Rc<str>> { text.parse().map_err(|_| text.into()) }
        $(#[$attribute])*
        pub fn of_pointer<'a>(f: fn(&'a str) -> bool, text: &'a str) -> Result<(), Full<fn(&'a str) -> bool>> { if f(text) { Ok(()) } else { Err(Full(f)) } }
        pub trait Fetch { type Error; #[allow(async_fn_in_trait)] async fn fetch<'a>(&'a self, text: &'a str) -> Result<u8, Self::Error>; }
        impl<'s> Fetch for &'s str {
            type Error = Full<&'s str>;
            $(#[$attribute])*
            async fn fetch<'a>(&'a self, text: &'a str) -> Result<u8, Full<&'s str>> { if text == *self { Ok(1) } else { Err(Full(self)) } }
        }

        pub struct Reunite<S>(pub S);
        impl<S> fmt::Debug for Reunite<S> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("Reunite") } }
        impl<S> fmt::Display for Reunite<S> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("no pair") } }
        impl<S: std::any::Any> Error for Reunite<S> {}
        pub struct Half<S>(S);
        impl<S> Half<S> {
            $(#[$attribute])*
            pub fn reunite(self, other: Half<S>) -> Result<S, Reunite<S>> { drop(other); Err(Reunite(self.0)) }
            $(#[$attribute])*
            pub async fn reunite_later<Item>(self, other: Item) -> Result<Item, Reunite<(S, Item)>> { Err(Reunite((self.0, other))) }
            $(#[$attribute])*
            pub fn reunite_future(self) -> impl std::future::Future<Output = Result<u8, Reunite<S>>> { async move { Err(Reunite(self.0)) } }
        }
        #[derive(Debug)]
        pub struct Wrapped<E>(pub E);
        impl<E> fmt::Display for Wrapped<E> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("wrapped") } }
        impl<E: Error + 'static> Error for Wrapped<E> { fn source(&self) -> Option<&(dyn Error + 'static)> { Some(&self.0) } }
        $(#[$attribute])*
        pub fn wrapped<E: Error>(error: E) -> Result<(), Wrapped<E>> { Err(Wrapped(error)) }
        $(#[$attribute])*
        pub fn wrapped_static<E: Error + 'static>(error: E) -> Result<(), Wrapped<E>> { Err(Wrapped(error)) }
        $(#[$attribute])*
        pub fn wrapped_projection<'s, S: Source<'s>>(source: S) -> Result<u8, Wrapped<Option<S::Error>>> { source.read().map_err(|error| Wrapped(Some(error))) }

        pub trait Object<'data> { type Items<'f> where Self: 'f, 'data: 'f; fn items(&self) -> Result<Self::Items<'_>, Reunite<u8>>; }
        pub struct NoItems<'data, 'file, R>(std::marker::PhantomData<(&'data (), &'file (), R)>);
        pub struct File<'data, R>(pub R, pub &'data str);
        impl<'data, R> Object<'data> for File<'data, R> {
            type Items<'f> = NoItems<'data, 'f, R> where Self: 'f, 'data: 'f;
            $(#[$attribute])*
            fn items(&self) -> Result<Self::Items<'_>, Reunite<u8>> { if self.1.is_empty() { Err(Reunite(1)) } else { Ok(NoItems(std::marker::PhantomData)) } }
        }
        pub struct Buffer<'buf, 'slice, 'item> { bytes: &'buf mut [u8], items: std::marker::PhantomData<&'slice [&'item u8]> }
        impl<'buf> From<&'buf mut [u8]> for Buffer<'buf, '_, '_> {
            $(#[$attribute])*
            fn from(bytes: &'buf mut [u8]) -> Self { Self { bytes, items: std::marker::PhantomData } }
        }
        impl Default for Buffer<'_, '_, '_> {
            $(#[$attribute])*
            fn default() -> Self { Self { bytes: &mut [], items: std::marker::PhantomData } }
        }

        /// One of its lifetimes is bound by the source, and nothing relates it to the other one.
        #[derive(Debug)]
        pub struct Rows<'data, 'file, S: Source<'data>> { source: S, of: std::marker::PhantomData<(&'data (), &'file ())> }
        impl<'data, 'file, S: Source<'data> + Copy> Rows<'data, 'file, S> {
            $(#[$attribute])*
            pub fn new(source: S) -> Self { let of = std::marker::PhantomData; Rows { source, of } }
            $(#[$attribute])*
            pub fn first(source: S) -> Option<Self> { Some(Self { source, of: std::marker::PhantomData }) }
            $(#[$attribute])*
            pub fn read(source: S) -> Result<Self, S::Error> { source.read()?; Ok(Self { source, of: std::marker::PhantomData }) }
            $(#[$attribute])*
            pub fn refused(source: S) -> Result<u8, Self> { Err(Self { source, of: std::marker::PhantomData }) }
            $(#[$attribute])*
            pub async fn later(source: S) -> Result<Self, Rows<'data, 'file, S>> { std::future::ready(()).await; Err(Self { source, of: std::marker::PhantomData }) }
            $(#[$attribute])*
            pub fn future(source: S) -> impl std::future::Future<Output = Result<u8, Self>> { async move { Err(Self { source, of: std::marker::PhantomData }) } }
        }

        pub fn run() -> Vec<String> {
            let text = String::from("x");
            let mut queue = Queue(vec![]);
            let none = NoNumber("none");
            vec![
                format!("{:?}", (queue.offer(&text), queue.offer(&text), now(queue.offer_async(&text)))),
                format!("{:?}", now(offer_later(&text))),
                format!("{:?}", (first("3"), first("x"), first_plain("x"), now(first_later("x")))),
                format!("{:?}", (number("1"), elided(&text), aliased(&text), now(awaited(&text)))),
                format!("{:?}", (locked(&Mutex::new(1)).is_ok(), shared(&RwLock::new(&text)).is_ok())),
                format!("{:?}", (join(Vec::new()).is_err(), handed_on::<(), _>(Err(&text)), shown::<(), _>(Err(&text)), debugged::<(), _>(Err(&text)))),
                format!("{:?}", (text_error(&text), boxed(&text), boxed_send(&text), by_reference(&none).is_err())),
                format!("{:?}", (nested(&text).is_err(), of_function(|_| ()).is_err())),
                format!("{:?}", (sum(["1", "2"].into_iter()), sum(["1", "x"].into_iter()), Bytes(vec![1]).lend(0), Bytes(vec![1]).lend(1), lent(&mut Bytes(vec![2])))),
                format!("{:?}", (given_back(&mut vec![], 1), given_back(&mut vec![1], 2), flow("x"), polled(&text), optional(""), optional("x"))),
                format!("{:?}", (counted::<_, 2>(vec![&text]), counted::<_, 1>(vec![&text]), in_arc(&text), dynamic("1").map(Iterator::count).ok(), dynamic(&text).err())),
                format!("{:?}", (never(&text), shared_text(&text), of_pointer(str::is_empty, &text).is_err(), now((&*text).fetch("x")), now((&*text).fetch("y")))),
                format!("{:?}", (Half(&text).reunite(Half(&text)).is_err(), now(Half(&text).reunite_later(&none)).is_err(), now(Half(&text).reunite_future()).is_err())),
                format!("{:?}", (wrapped(NoNumber(&text)), wrapped_static(fmt::Error), wrapped_projection(&*text))),
                format!("{:?}", (Rows::new(&*text), Rows::first(&*text), Rows::read(&*text), Rows::refused(&*text), now(Rows::later(&*text)), now(Rows::future(&*text)))),
                format!("{:?}", (File(1, "").items().is_err(), Buffer::from(&mut [1][..]).bytes.len(), Buffer::default().bytes.len())),
            ]
        }
    };
}
