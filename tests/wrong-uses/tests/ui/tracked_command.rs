//! `#[tracked_command]`: accepted forms, then wrong uses.

use obs_runtime::{track_performance, tracked_command};

struct Options {
    user: String,
}

#[tracked_command]
fn nightly_load() {}

#[tracked_command(name = "load", user = options.user, tags(kind = "full"), args(day, dsn = redact), level = "info")]
fn load(options: &Options, day: u32, dsn: &str) -> Result<u32, std::num::ParseIntError> {
    let _ = (&options.user, dsn);
    day.to_string().parse()
}

#[tracked_command(crate = ::obs_runtime, ok_if = Option::is_some,)]
async fn find(id: u32) -> Option<u32> {
    Some(id)
}

mod entry_points {
    #[obs_runtime::tracked_command(init)]
    pub fn main() -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

#[tracked_command(nmae = "x")]
fn unknown_key() {}

#[tracked_command(timeout = "2s")]
fn key_of_another_attribute() {}

#[tracked_command(max_usd = 3.0)]
fn key_of_none() {}

#[tracked_command(name = "a", name = "b")]
fn twice() {}

#[tracked_command(name)]
fn no_value() {}

#[tracked_command(user = )]
fn half_typed() {}

#[tracked_command(name("x"))]
fn one_value() {}

#[tracked_command("x")]
fn no_key() {}

#[tracked_command(name = "x" level = "info")]
fn no_comma() {}

#[tracked_command(name = "")]
fn empty_name() {}

#[tracked_command(name = 3, level = "inof", crate = obs, nmae = 1)]
fn all_at_once() {}

#[tracked_command(args(dya))]
fn no_such_argument(day: u32) {
    let _ = day;
}

#[tracked_command(args(password, alias = token))]
fn secrets(password: &str, token: &str) {
    let _ = (password, token);
}

#[tracked_command]
#[track_performance]
const fn constant() {}

#[tracked_command]
struct NoFunction;

#[tracked_command(init)]
fn not_main() {}

struct Job;

impl Job {
    #[tracked_command(init)]
    fn method(&self) {}

    #[tracked_command(init)]
    fn main(&self) {}
}

#[tracked_command(init = "other")]
fn another_word() {}

mod lists {
    #[obs_runtime::tracked_command(init("lenient"))]
    fn main() {}
}

mod words {
    #[obs_runtime::tracked_command(init = "leneint")]
    fn main() {}
}

mod values {
    #[obs_runtime::tracked_command(init = true)]
    fn main() {}
}

#[track_performance(init)]
fn key_of_commands() {}

fn main() {
    nightly_load();
}
