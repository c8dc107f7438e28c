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

        pub fn run() -> Vec<String> {
            vec![
                format!("{:?}", (now(handler(1)).map(|d| d.to_string()), now(handler(4)).map(|d| d.to_string()))),
                format!("{:?}", (now(numbers(3)).map(Iterator::count).ok(), now(numbers(4)).map(Iterator::count).ok())),
                format!("{:?}", (now(maybe(1)).map(|f| f(2)), now(maybe(4)).map(|f| f(2)))),
                format!("{:?}", (now(text(1)), now(text(4)), now(boxed("1")), now(boxed("x")), now(boxed_send("x")))),
                format!("{:?}", (now(list(1)), now(list(4)), now(pair(1)), now(plain(1)), now(both(4)))),
                format!("{:?}", (now(generic("a")), now(questioned("x")).map(|d| d.to_string()), now(Store(1).get(2)), now(Store(1).get(4)))),
            ]
        }
    };
}
