//! Fails in twenty functions, every second of which is inlined, panics, captures by a call, and fails in an `async` function.

use obs_runtime::{Observability, capture_error, with_error_tracking};

#[derive(Debug)]
struct Bad;

impl std::fmt::Display for Bad {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("bad")
    }
}

impl std::error::Error for Bad {}

macro_rules! failing {
    ($($(#[$inline:meta])? $name:ident)*) => {
        $($(#[$inline])? #[with_error_tracking] fn $name() -> Result<(), Bad> { Err(Bad) })*

        fn fail() {
            $(let _ = $name();)*
        }
    };
}

failing! {
    one #[inline(always)] two three #[inline(always)] four five #[inline(always)] six seven #[inline(always)] eight
    nine #[inline(always)] ten eleven #[inline(always)] twelve thirteen #[inline(always)] fourteen
    fifteen #[inline(always)] sixteen seventeen #[inline(always)] eighteen
}

struct Loader;

impl Loader {
    #[inline(always)]
    #[with_error_tracking(name = "another name")]
    fn nineteen() -> Result<(), Bad> {
        Err(Bad)
    }
}

impl std::str::FromStr for Loader {
    type Err = Bad;

    #[with_error_tracking(name = "still another name")]
    fn from_str(_: &str) -> Result<Self, Bad> {
        Err(Bad)
    }
}

#[inline(never)]
fn panics(row: usize) {
    let rows: Vec<usize> = Vec::new();
    println!("{}", rows[row]);
}

#[inline(never)]
fn captures() {
    capture_error(&std::fmt::Error);
}

#[with_error_tracking]
async fn fails_later() -> Result<(), Bad> {
    tokio::task::yield_now().await;
    Err(Bad)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = Observability::builder().in_app_include(["tokio::runtime::"]).init()?;
    fail();
    let _ = Loader::nineteen();
    let _ = "".parse::<Loader>();
    captures();
    let _ = std::panic::catch_unwind(|| panics(7));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let _ = runtime.block_on(async { fails_later().await });
    Ok(())
}
