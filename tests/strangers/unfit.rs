//! Values and functions whose type does not fit. Behind `//~` stands what is underlined of the line, and what is said.

use obs_runtime::{Secret, bq_cost, dq_check, health_check, track_performance, tracked_command, with_error_tracking};

struct Opaque;

#[derive(Debug)]
enum Failed {
    Always,
}

fn fine(value: &u32) -> bool {
    *value > 1
}

fn counts(value: &u32) -> u32 {
    *value
}

fn takes_two(_: &u32, _: &u32) -> bool {
    true
}

fn by_value(value: u32) -> bool {
    value > 1
}

fn of_text(text: &str) -> bool {
    text.is_empty()
}

fn shorter(items: &[u8]) -> bool {
    items.len() < 3
}

#[track_performance(args(key = redact, pin = hash, pass = len))]
fn redacted_secrets(key: &Secret<String>, pin: Secret<u32>, pass: &Secret<String>) {
    let _ = (key, pin, pass);
}

#[track_performance(args(connection))] //~ connection: a secret cannot be recorded as it is
fn a_secret(connection: Secret<String>) {
    drop(connection);
}

#[tracked_command(args(table, reference = &options.key))] //~ &: a secret cannot be recorded as it is
fn a_secret_within(table: &str, options: &Keys) {
    let _ = (table, options);
}

struct Keys {
    key: Option<Secret<Vec<u8>>>,
}

static FINE: fn(&u32) -> bool = fine;

#[track_performance(ok_if = fine, tags(a = value, b = "x", c = String::new()))]
fn right(value: u32) -> u32 {
    value
}

#[track_performance(ok_if = FINE)]
fn by_a_static(value: u32) -> u32 {
    value
}

#[track_performance(error_if = str::is_empty)]
fn text() -> String {
    String::new()
}

#[track_performance(error_if = of_text)]
fn borrowed() -> &'static str {
    ""
}

#[track_performance(ok_if = shorter)]
fn items() -> Vec<u8> {
    Vec::new()
}

#[track_performance(ok_if = Result::is_ok)]
async fn later() -> Result<u8, Failed> {
    Err(Failed::Always)
}

#[track_performance(tags(of = Opaque, unit = ()))] //~ Opaque: `Opaque` cannot be displayed: it does not implement `Display` //~ (): `()` cannot be displayed: it does not implement `Display`
fn tag_of_nothing() {}

#[track_performance(tags(of = value))] //~ value: `Option<u8>` cannot be displayed: it does not implement `Display`
fn tag_of_an_argument(value: Option<u8>) {
    let _ = value;
}

#[track_performance(tags(size = Opaque))] //~ Opaque: `Opaque` cannot be displayed: it does not implement `Display`
impl Opaque {
    fn told_once(&self) {}
    fn for_the_whole_block(&self) {}
}

#[tracked_command(user = Opaque)] //~ Opaque: `Opaque` cannot be displayed: it does not implement `Display`
fn user_of_nothing() {}

#[bq_cost(dataset = Opaque)] //~ Opaque: `Opaque` cannot be displayed: it does not implement `Display`
async fn data_set_of_nothing() {}

#[track_performance(ok_if = counts)] //~ counts: expected a function `fn(&u32) -> bool`
fn not_a_truth() -> u32 {
    1
}

#[track_performance(error_if = takes_two)] //~ takes_two: expected a function `fn(&u32) -> bool`
fn one_too_many() -> u32 {
    1
}

#[track_performance(ok_if = by_value)] //~ by_value: expected a function `fn(&u32) -> bool`
fn not_by_reference() -> u32 {
    1
}

#[track_performance(ok_if = fine)] //~ fine: expected a function `fn(&String) -> bool`
async fn another_type() -> String {
    String::new()
}

#[with_error_tracking(ignore_if = fine)] //~ fine: expected a function `fn(&Failed) -> bool`
fn another_error() -> Result<u32, Failed> {
    Ok(1)
}

#[track_performance(ok_if = Opaque)] //~ Opaque: expected a function `fn(&u32) -> bool`
fn no_function() -> u32 {
    1
}

#[health_check]
fn number() -> u32 { //~ u32: a health check cannot return `u32`
    1
}

#[health_check]
async fn later_number() -> Opaque { //~ Opaque: a health check cannot return `Opaque`
    Opaque
}

#[dq_check]
fn words() -> &'static str { //~ &: a data-quality check cannot return `&str`
    ""
}

#[dq_check(for_each = 3)] //~ 3: `for_each` needs a list, such as the call of a function that returns one: `for_each = expr`
fn no_list(_number: &u8) -> bool {
    true
}

#[dq_check(for_each = [Opaque])] //~ #[dq_check(for_each = [Opaque])]: an item of `for_each` cannot be a `Opaque`
fn of_opaque(_item: &Opaque) -> bool {
    true
}

fn main() {
    right(1);
    by_a_static(1);
    text();
    borrowed();
    items();
    let _ = later();
    tag_of_an_argument(None);
}
