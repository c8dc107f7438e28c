//! Schedules of commands: accepted forms, then wrong uses.

use obs_runtime::tracked_command;

#[tracked_command(
    cron = "*/15 6-22 1,15 JAN-NOV mon-fri",
    timezone = "Europe/Berlin",
    max_runtime = "1h 30m",
    margin = "5m",
    monitor = "nightly-load_2"
)]
fn everything() {}

#[tracked_command(cron = "@midnight")]
fn by_name() {}

#[tracked_command(cron = "0 61 * * *")]
fn no_hour() {}

#[tracked_command(cron = "0 3 * FEBRUARY *")]
fn no_month() {}

#[tracked_command(cron = "0 3 * * MO", timezone = "Europe/Berln")]
fn no_weekday_and_no_zone() {}

#[tracked_command(cron = "0 3 * *")]
fn one_field_too_few() {}

#[tracked_command(cron = "0 0 3 * * *")]
fn one_field_too_many() {}

#[tracked_command(cron = "0 0 30 FEB *")]
fn a_day_that_never_comes() {}

#[tracked_command(cron = "*/90 * * * *")]
fn a_step_too_wide() {}

#[tracked_command(cron = "0 5-3 * * *")]
fn a_range_that_goes_backwards() {}

#[tracked_command(cron = "0 5 * * FRI-SUN")]
fn a_weekday_range_that_sentry_refuses() {}

#[tracked_command(cron = "+5 * * * *")]
fn a_sign() {}

#[tracked_command(cron = "@dayly")]
fn no_such_name() {}

#[tracked_command(cron = daily)]
fn a_word() {}

#[tracked_command(timezone = "UTC", max_runtime = "30m", margin = "5m", monitor = "m")]
fn no_schedule() {}

#[tracked_command(cron = "@daily", timezone = "europe/berlin")]
fn a_zone_in_small_letters() {}

#[tracked_command(cron = "@daily", max_runtime = "30 minuts", margin = 5)]
fn no_durations() {}

#[tracked_command(cron = "@daily", monitor = "Nightly Load")]
fn no_slug() {}

#[tracked_command(cron = "@daily", monitor = "2026")]
fn a_number_is_no_slug() {}

#[tracked_command(every = "90s")]
fn not_whole_minutes() {}

#[tracked_command(cron = "@daily", every = "6h")]
fn two_schedules() {}

#[tracked_command(every = "6h", timezone = "UTC", failure_threshold = 0)]
fn an_interval_in_a_zone() {}

fn main() {
    everything();
    by_name();
}
