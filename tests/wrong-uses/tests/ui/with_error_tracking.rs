//! `#[with_error_tracking]`: accepted forms, then wrong uses.

use obs_runtime::with_error_tracking;

#[derive(Debug)]
struct Failed;

impl Failed {
    fn is_expected(&self) -> bool {
        true
    }
}

#[with_error_tracking]
fn plain() -> Result<(), Failed> {
    Err(Failed)
}

#[with_error_tracking(context(table = name, attempt = 1 + 1), severity = "warning", ignore_if = Failed::is_expected)]
fn ignoring(name: &str) -> Result<usize, Failed> {
    Ok(name.len())
}

#[with_error_tracking(fallback = Ok(0), error_if = Result::is_err)]
async fn falling_back() -> Result<u32, Failed> {
    Err(Failed)
}

#[with_error_tracking(severity = "wraning")]
fn unknown_severity() {}

#[with_error_tracking(severity = Warning)]
fn severity_of_another_kind() {}

#[with_error_tracking(context = 3)]
fn no_list() {}

#[with_error_tracking(context(a, b = 1, b = 2))]
fn wrong_list() {}

#[with_error_tracking(ignore_if = |error| true)]
fn no_path() -> Result<(), Failed> {
    Ok(())
}

#[with_error_tracking(ok_if = Result::is_ok, error_if = Result::is_err)]
fn two_judges() -> Result<(), Failed> {
    Ok(())
}

#[with_error_tracking(dataset = "d")]
fn key_of_another_attribute() {}

struct Store;

#[with_error_tracking]
impl Store {
    fn on_an_impl(&self) {}
}

trait Source {
    #[with_error_tracking]
    fn without_a_body(&self) -> Result<(), Failed>;
}

fn main() {
    let _ = (plain(), ignoring("x"), falling_back());
}
