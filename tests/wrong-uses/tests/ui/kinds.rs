//! Functions of all kinds: accepted forms, then wrong uses, which leave the function as it is.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use obs_runtime::{bq_cost, track_performance, tracked_command, with_error_tracking};

#[track_performance(args(text))]
#[with_error_tracking(context(size = text.len()))]
#[bq_cost(dataset = text)]
#[tracked_command(user = text)]
fn future(text: &str) -> impl Future<Output = Result<u8, std::num::ParseIntError>> {
    async move { text.parse() }
}

#[track_performance(args(by))]
#[with_error_tracking(tags(by = by))]
#[bq_cost(labels(by = by))]
#[tracked_command(args(by))]
fn closure(by: usize) -> impl for<'a> Fn(&'a str) -> &'a str {
    move |text| &text[by..]
}

#[track_performance(frist = 1)]
fn unknown_key(text: &str) -> impl Future<Output = usize> {
    async move { text.len() }
}

#[track_performance(args(txet))]
fn unknown_argument(text: &str) -> Pin<Box<dyn Future<Output = usize> + '_>> {
    Box::pin(async move { text.len() })
}

#[track_performance(level = "loud")]
fn unknown_level() -> impl for<'a> Fn(&'a str) -> &'a str {
    |text| text
}

#[track_performance(args(token))]
async fn secret(token: &str) -> Result<impl Debug, &str> {
    if token.is_empty() { Err(token) } else { Ok(1) }
}

#[track_performance(ok_if = usize::is_power_of_two, error_if = usize::is_power_of_two)]
#[track_caller]
fn two_verdicts(text: &str) -> Option<usize> {
    Some(text.len())
}

#[with_error_tracking(ignore = is_empty)]
fn key_cut_short<'a>(text: &'a str) -> Result<u8, Box<dyn Error + 'a>> {
    Ok(text.parse()?)
}

#[with_error_tracking(severity = "fatal")]
fn severity_of_others() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[with_error_tracking(context(text))]
fn context_by_name_twice(text: &str) -> impl Future<Output = usize> {
    async move { text.len() }
}

#[with_error_tracking(context(at = 1, at = 2))]
fn the_same_twice(text: &str) -> (impl Fn(&str) -> usize, usize) {
    (|text| text.len(), text.len())
}

#[with_error_tracking(fallback)]
fn fallback_without_value() -> impl Future<Output = u8> {
    async { 1 }
}

#[bq_cost(max_usd = -1)]
fn less_than_nothing() -> impl Future<Output = u8> {
    async { 1 }
}

#[bq_cost(max_bytes = "1 TB")]
fn other_units() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[bq_cost(query_type = kind)]
async fn no_literal(kind: &str) -> Result<impl Debug, &str> {
    Ok(kind)
}

#[bq_cost(labels(1))]
fn label_without_name(text: &str) -> Result<u8, &str> {
    text.parse().map_err(|_| text)
}

#[bq_cost(budget = "")]
fn budget_without_name() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async { 1 })
}

#[tracked_command(init)]
fn init_elsewhere() -> impl Future<Output = u8> {
    async { 1 }
}

#[tracked_command(timezone = "UTC")]
fn timezone_without_schedule() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[tracked_command(cron = "61 * * * *")]
async fn no_such_minute() -> Result<impl Debug, String> {
    Ok(1)
}

#[tracked_command(name = 1)]
fn name_that_is_a_number(text: &str) -> Result<u8, &str> {
    text.parse().map_err(|_| text)
}

#[tracked_command(args(text, text))]
fn an_argument_twice(text: &str) -> impl Future<Output = usize> {
    async move { text.len() }
}

fn main() {
    let _ = (closure(1)("ab"), unknown_level()("a"), severity_of_others()("a"), the_same_twice("a").0("b"));
    drop((future("1"), unknown_key("a"), unknown_argument("a"), secret("a"), two_verdicts("a"), fallback_without_value()));
}
