//! `async` functions whose return type holds `impl Trait`.

macro_rules! outputs {
    ($(#[$attribute:meta])*) => {
        use std::fmt::{Debug, Display};

        use crate::now;

        #[derive(Debug)]
        pub struct Status(pub u16);

        $(#[$attribute])*
        pub async fn handler(n: u16) -> Result<impl Display, Status> { if n > 3 { Err(Status(404)) } else { Ok("fine") } }
        $(#[$attribute])*
        pub async fn numbers(n: u16) -> Result<impl Iterator<Item = u16>, std::io::Error> {
            if n > 3 { return Err(std::io::Error::other("no")); }
            Ok(0..n)
        }
        $(#[$attribute])*
        pub async fn maybe(n: u16) -> Option<impl Fn(u16) -> u16> { if n > 3 { None } else { Some(move |x| x + n) } }
        $(#[$attribute])*
        pub async fn text(n: u16) -> Result<impl Debug, String> { if n > 3 { Err("no".into()) } else { Ok(n) } }
        $(#[$attribute])*
        pub async fn boxed(n: &str) -> Result<impl Debug, Box<dyn std::error::Error>> { Ok(n.parse::<u8>()?) }
        $(#[$attribute])*
        pub async fn boxed_send(n: &str) -> Result<impl Debug + use<>, Box<dyn std::error::Error + Send + Sync>> { Ok(n.parse::<u8>()?) }
        $(#[$attribute])*
        pub async fn list(n: u8) -> Result<Vec<impl Debug>, Status> { if n > 3 { Err(Status(1)) } else { Ok(vec![n]) } }
        $(#[$attribute])*
        pub async fn pair(n: u8) -> (impl Debug, u8) { (Some(n), n) }
        $(#[$attribute])*
        pub async fn plain(n: u8) -> impl Debug { Some(n) }
        $(#[$attribute])*
        pub async fn both(n: u8) -> Result<impl Debug, impl Debug> { if n > 3 { Err(Status(2)) } else { Ok(n) } }
        $(#[$attribute])*
        pub async fn generic<T: Clone + Debug>(value: T) -> Option<impl Debug> { Some(vec![value.clone(), value]) }
        $(#[$attribute])*
        pub async fn questioned(n: &str) -> Result<impl Display, std::num::ParseIntError> { let n: u8 = n.parse()?; Ok(n) }

        pub struct Store(u8);
        impl Store {
            $(#[$attribute])*
            pub async fn get(&self, n: u8) -> Result<impl Debug + use<'_>, Status> { if n > 3 { Err(Status(3)) } else { Ok(&self.0) } }
        }

        $(#[$attribute])*
        pub async fn two(n: u8) -> Result<(impl Debug, impl Display), Status> { if n > 3 { Err(Status(4)) } else { Ok((Some(n), n)) } }
        $(#[$attribute])*
        pub async fn array(n: u8) -> [impl Debug; 2] { [n, n + 1] }
        $(#[$attribute])*
        pub async fn in_box(n: u8) -> Box<impl Debug> { Box::new(n) }
        $(#[$attribute])*
        pub async fn in_result_box(n: u8) -> Result<Box<impl Debug>, Box<dyn std::error::Error + Send>> { if n > 3 { Err(Box::new(std::io::Error::other("no"))) } else { Ok(Box::new(n)) } }
        $(#[$attribute])*
        pub async fn another_future(n: u8) -> impl std::future::Future<Output = Result<u8, Status>> { async move { if n > 3 { Err(Status(5)) } else { Ok(n) } } }
        $(#[$attribute])*
        pub async fn result_of_future(n: u8) -> Result<impl std::future::Future<Output = u8>, Status> { if n > 3 { Err(Status(6)) } else { Ok(std::future::ready(n)) } }
        $(#[$attribute])*
        pub async fn items(n: u8) -> impl IntoIterator<Item = Result<impl Debug, Status>> { (0..n).map(|n| if n > 1 { Err(Status(7)) } else { Ok(n) }) }
        $(#[$attribute])*
        pub async fn polled(n: u8) -> std::task::Poll<impl Debug> { if n > 3 { std::task::Poll::Pending } else { std::task::Poll::Ready(n) } }
        $(#[$attribute])*
        pub async fn flow(n: u8) -> std::ops::ControlFlow<impl Debug, u8> { if n > 3 { std::ops::ControlFlow::Break("no") } else { std::ops::ControlFlow::Continue(n) } }
        $(#[$attribute])*
        pub async fn borrowed<'a>(text: &'a str) -> Result<Option<impl Debug + Send + 'a>, &'a str> { if text.is_empty() { Err(text) } else { Ok(text.split(' ').nth(1)) } }
        $(#[$attribute])*
        pub async fn of_trait(value: impl Into<u64>) -> Result<impl Display, std::fmt::Error> { Ok(value.into()) }
        $(#[$attribute])*
        pub async fn of_closure<F: AsyncFn(u8) -> u8>(f: F) -> Option<impl Debug> { Some(f(1).await) }
        pub trait Handler { #[allow(async_fn_in_trait)] async fn handle(&self, n: u8) -> Result<impl Debug, Status>; }
        impl Handler for Store {
            $(#[$attribute])*
            async fn handle(&self, n: u8) -> Result<impl Debug, Status> { if n > self.0 { Err(Status(8)) } else { Ok(n) } }
        }

        pub fn run() -> Vec<String> {
            vec![
                format!("{:?}", (now(handler(1)).map(|d| d.to_string()), now(handler(4)).map(|d| d.to_string()))),
                format!("{:?}", (now(numbers(3)).map(Iterator::count).ok(), now(numbers(4)).map(Iterator::count).ok())),
                format!("{:?}", (now(maybe(1)).map(|f| f(2)), now(maybe(4)).map(|f| f(2)))),
                format!("{:?}", (now(text(1)), now(text(4)), now(boxed("1")), now(boxed("x")), now(boxed_send("x")))),
                format!("{:?}", (now(list(1)), now(list(4)), now(pair(1)), now(plain(1)), now(both(4)))),
                format!("{:?}", (now(generic("a")), now(questioned("x")).map(|d| d.to_string()), now(Store(1).get(2)), now(Store(1).get(4)))),
                format!("{:?}", (now(two(1)).map(|(a, b)| format!("{a:?}{b}")), now(two(4)).is_err(), now(array(1)), now(in_box(1)), now(in_result_box(1)).is_ok(), now(in_result_box(4)).is_err())),
                format!("{:?}", (now(now(another_future(1))), now(now(another_future(4))), now(result_of_future(1)).map(now), now(result_of_future(4)).map(now))),
                format!("{:?}", (now(items(3)).into_iter().collect::<Vec<_>>(), now(polled(1)), now(polled(4)), now(flow(1)), now(flow(4)), now(borrowed("a b")), now(borrowed("")))),
                format!("{:?}", (now(of_trait(1_u8)).map(|n| n.to_string()), now(of_closure(async |n| n + 1)), now(Store(1).handle(1)), now(Store(1).handle(2)))),
            ]
        }
    };
}
