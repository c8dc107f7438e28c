//! Functions that return a future without being `async`, and other values that do their work later.

macro_rules! futures {
    ($(#[$attribute:meta])*) => {
        use std::fmt::{Debug, Display};
        use std::future::{Future, IntoFuture, Ready, ready};
        use std::io;
        use std::pin::{Pin, pin};
        use std::task::{Context, Poll};

        use crate::now;

        type Answer<'a> = Pin<Box<dyn Future<Output = Result<u8, &'a str>> + 'a>>;
        type SendFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

        $(#[$attribute])*
        pub fn block(n: u8) -> impl Future<Output = Result<u8, io::Error>> { async move { if n > 3 { Err(io::Error::other("no")) } else { Ok(n) } } }
        $(#[$attribute])*
        pub fn question_mark(text: &str) -> impl Future<Output = Result<u8, std::num::ParseIntError>> + Send { async move { let n: u8 = text.parse()?; Ok(n) } }
        $(#[$attribute])*
        pub fn captures_less<T: Clone>(value: &T) -> impl Future<Output = Option<T>> + use<T> { let copy = value.clone(); async move { Some(copy) } }
        $(#[$attribute])*
        pub fn borrows<'a, T: Debug>(first: &'a T, rest: &'a [T]) -> impl Future<Output = String> + 'a { async move { format!("{first:?}{rest:?}") } }
        $(#[$attribute])*
        pub fn opaque_output(n: u8) -> impl Future<Output = Result<impl Display, String>> { async move { if n > 3 { Err("no".to_owned()) } else { Ok(n) } } }
        $(#[$attribute])*
        pub fn nothing() -> impl Future<Output = ()> + Send + Sync + Unpin { ready(()) }
        $(#[$attribute])*
        pub fn of_argument<F: Future<Output = u8>>(future: F) -> impl Future<Output = u8> { async move { future.await.saturating_add(1) } }
        $(#[$attribute])*
        pub fn argument_itself<F: Future>(future: F) -> F { future }
        $(#[$attribute])*
        pub fn of_closure<F>(f: impl FnOnce(u8) -> F) -> impl Future<Output = F::Output> where F: Future { f(3) }
        $(#[$attribute])*
        pub fn two_ways(fast: bool) -> Pin<Box<dyn Future<Output = u8> + Send>> { if fast { return Box::pin(ready(1)); } Box::pin(async { 2 }) }
        $(#[$attribute])*
        pub fn aliased(text: &str) -> Answer<'_> { Box::pin(async move { text.parse().map_err(|_| text) }) }
        $(#[$attribute])*
        pub fn aliased_send<T: Send + 'static>(value: T) -> SendFuture<Option<T>> { Box::pin(ready(Some(value))) }
        $(#[$attribute])*
        pub fn named(n: u8) -> Ready<Result<u8, u8>> { ready(if n > 3 { Err(n) } else { Ok(n) }) }
        $(#[$attribute])*
        pub fn maybe(n: u8) -> Option<impl Future<Output = u8>> { (n < 3).then(|| ready(n)) }
        $(#[$attribute])*
        pub fn several(n: u8) -> Vec<Pin<Box<dyn Future<Output = u8>>>> { (0..n).map(|n| Box::pin(async move { n }) as _).collect() }
        $(#[$attribute])*
        pub fn unpin(n: u8) -> Box<dyn Future<Output = u8> + Unpin> { Box::new(ready(n)) }
        $(#[$attribute])*
        pub fn by_reference<'f>(future: Pin<&'f mut (dyn Future<Output = u8> + 'f)>) -> Pin<&'f mut (dyn Future<Output = u8> + 'f)> { future }
        $(#[$attribute])*
        pub fn later() -> impl FnOnce(&str) -> Pin<Box<dyn Future<Output = usize> + '_>> { |text| Box::pin(async move { text.len() }) }
        $(#[$attribute])*
        pub fn cloneable(n: u8) -> impl Future<Output = u8> + Clone { #[derive(Clone)] struct Own(u8); impl Future for Own { type Output = u8; fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> { Poll::Ready(self.0) } } Own(n) }
        $(#[$attribute])*
        pub fn into_future(n: u8) -> impl IntoFuture<Output = u8> { ready(n) }
        $(#[$attribute])*
        pub fn lazy(n: u8) -> impl Iterator<Item = u8> + DoubleEndedIterator { (0..n).map(|n| n * 2) }
        $(#[$attribute])*
        pub unsafe fn not_safe(n: u8) -> impl Future<Output = u8> { async move { n } }

        pub trait Service<R> {
            type Error;
            type Future: Future<Output = Result<R, Self::Error>>;
            fn call(&mut self, request: R) -> Self::Future;
            fn load(&self, n: u8) -> impl Future<Output = Result<R, Self::Error>> + Send;
            $(#[$attribute])*
            fn twice(&self, n: u8) -> impl Future<Output = Result<(R, R), Self::Error>> where Self: Sized { async move { Ok((self.load(n).await?, self.load(n).await?)) } }
        }
        pub struct Store(u8);
        impl Service<u8> for Store {
            type Error = io::Error;
            type Future = Ready<Result<u8, io::Error>>;
            $(#[$attribute])*
            fn call(&mut self, request: u8) -> Self::Future { ready(Ok(request + self.0)) }
            $(#[$attribute])*
            fn load(&self, n: u8) -> impl Future<Output = Result<u8, io::Error>> + Send { let own = self.0; async move { if n > 3 { Err(io::Error::other("no")) } else { Ok(own) } } }
        }
        impl Store {
            $(#[$attribute])*
            pub fn take(self, mut by: u8) -> impl Future<Output = u8> { by += self.0; async move { by } }
            $(#[$attribute])*
            pub fn change<'s>(&'s mut self, by: &'s u8) -> impl Future<Output = &'s mut u8> { async move { self.0 += by; &mut self.0 } }
        }
        impl IntoFuture for Store {
            type Output = u8;
            type IntoFuture = Pin<Box<dyn Future<Output = u8>>>;
            $(#[$attribute])*
            fn into_future(self) -> Self::IntoFuture { Box::pin(async move { self.0 }) }
        }

        pub fn run() -> Vec<String> {
            let mut store = Store(1);
            vec![
                format!("{:?}", (now(block(1)).ok(), now(block(4)).map_err(|e| e.to_string()), now(question_mark("1")), now(question_mark("x")))),
                format!("{:?}", (now(captures_less(&"a".to_owned())), now(borrows(&1, &[2])), now(nothing()))),
                format!("{:?}", (now(opaque_output(1)).map(|n| n.to_string()), now(opaque_output(4)).map(|n| n.to_string()))),
                format!("{:?}", (now(of_argument(ready(1))), now(argument_itself(ready(2))), now(of_closure(|n| async move { n })))),
                format!("{:?}", (now(two_ways(true)), now(two_ways(false)), now(aliased("x")), now(aliased_send("y")))),
                format!("{:?}", (now(named(1)), now(named(4)), maybe(1).map(now), maybe(4).map(now))),
                format!("{:?}", (several(2).into_iter().map(now).collect::<Vec<_>>(), now(unpin(3)), now(by_reference(pin!(ready(4)))))),
                format!("{:?}", (now(later()("four")), now(cloneable(1).clone()), now(into_future(2).into_future()), lazy(3).rev().collect::<Vec<_>>())),
                format!("{:?}", (now(unsafe { not_safe(1) }), now(store.call(2)).ok(), now(store.load(3)).ok(), now(store.load(4)).is_err())),
                format!("{:?}", (now(store.twice(1)).ok(), now(store.twice(4)).is_err(), now(store.change(&3)), now(Store(5).take(1)), now(Store(6).into_future()))),
            ]
        }
    };
}
