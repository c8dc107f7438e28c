//! What is to be recorded, written wrongly.

use obs_runtime::{bq_cost, dq_check, health_check, track_performance, tracked_command, with_error_tracking};

struct Options {
    day: u32,
}

#[track_performance(args(day = options.day), tags(day = options.day))]
fn right(options: &Options) {
    let _ = options;
}

#[track_performance(args(options.day))]
fn a_field(options: &Options) {
    let _ = options;
}

#[track_performance(args(options.day()))]
fn a_method(options: &Options) {
    let _ = options;
}

#[track_performance(args(&options))]
fn a_reference(options: &Options) {
    let _ = options;
}

#[track_performance(args("options"))]
fn a_name_in_quotes(options: &Options) {
    let _ = options;
}

#[track_performance(args(day: options.day, options::DAY))]
fn a_colon_and_a_path(options: &Options) {
    let _ = options;
}

#[track_performance(tags(day))]
fn a_tag_without_a_value(day: u32) {
    let _ = day;
}

#[with_error_tracking(context(day, options.day))]
fn context_without_a_value(day: u32) {
    let _ = day;
}

#[track_performance(args(day = redacted, name = hashed, text = length))]
fn forms_misspelt(day: u32, name: &str, text: &str) {
    let _ = (day, name, text);
}

#[tracked_command(tags(command = 1, success = 2, argument = 3))]
fn labels_of_commands() {}

#[bq_cost(tags(query_type = 1, cache_hit = 2, kind = 3, reason = 4, dataset = 5))]
fn labels_of_queries() {}

#[health_check(tags(check = 1))]
fn label_of_checks() {}

#[dq_check(tags(check = 1, dataset = 2, severity = 3))]
fn labels_of_quality_checks() -> bool {
    true
}

#[track_performance(name = "two\nlines")]
fn a_name_of_two_lines() {}

#[track_performance(level = "notice")]
fn a_level_of_syslog() {}

#[track_performance("load")]
fn a_name_without_its_key() {}

fn main() {
    right(&Options { day: 1 });
}
