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
            ]
        }
    };
}
