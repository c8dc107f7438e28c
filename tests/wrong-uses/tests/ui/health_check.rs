//! `#[health_check]`: accepted forms, then wrong uses.

use obs_runtime::health_check;

#[health_check]
fn plain() -> Result<(), std::num::ParseIntError> {
    "1".parse::<u8>().map(drop)
}

#[health_check(name = "cache", timeout = "1m 30s", critical = false, tags(tier = 1), args(host = "localhost"))]
async fn asynchronous() -> Result<(), std::num::ParseIntError> {
    "1".parse::<u8>().map(drop)
}

#[health_check(timeout = "5 minuts")]
fn unknown_unit() {}

#[health_check(timeout = "5")]
fn no_unit() {}

#[health_check(timeout = "0s")]
fn no_time() {}

#[health_check(timeout = 2)]
fn number_for_a_duration() {}

#[health_check(critical = "no")]
fn text_for_a_boolean() {}

#[health_check(ok_if = fine)]
fn key_of_others() {}

#[health_check(colour = "green")]
fn key_of_none() {}

#[health_check(groups("live", 3, "live"), after(), cache = 10, failures = 0)]
fn wrong_lists() {}

#[health_check(args(host, port = redact, token = "t"))]
fn wrong_arguments() {}

#[health_check]
fn takes_arguments(_host: &str, _port: u16) {}

#[health_check]
fn is_generic<T: Default>() {}

#[health_check]
unsafe extern "C" fn is_unsafe() {}

struct Pool;

impl Pool {
    #[health_check(groups("live"), after("database"), cache = "10s", failures = 3)]
    fn ping(&self) {}

    #[health_check]
    fn takes_self(self) {}
}

#[health_check]
const fn constant() {}

#[health_check]
mod module {}

#[health_check(groups(ready), after(database))]
fn forgotten_quotes() {}

fn main() {
    let _ = (plain(), asynchronous());
    std::sync::Arc::new(Pool).ping_health_check().register();
}
