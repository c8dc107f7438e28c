//! The attributes that are put on made-up functions: right ones, and wrong ones with what is to be said of them.

use super::Dice;
use super::functions::{Case, Returns};

/// Attributes that fit the function, one to four, in any order; seldom many, as they are what takes the time.
pub fn right(dice: &mut Dice, case: &Case) -> String {
    let mut names = vec!["track_performance", "with_error_tracking", "bq_cost", "tracked_command"];
    let count = [1, 1, 1, 2, 2, 3, 4][dice.below(7)];
    let mut attributes = String::new();
    for _ in 0..count {
        let name = names.remove(dice.below(names.len()));
        let keys = keys(dice, name, case);
        let keys = if keys.is_empty() && dice.once_in(2) { String::new() } else { format!("({})", keys.join(", ")) };
        let path = dice.one(&["", "", "obs_runtime::", "::obs_runtime::"]);
        attributes.extend(["#[", path, name, &keys, "]\n"]);
    }
    attributes
}

fn keys(dice: &mut Dice, attribute: &str, case: &Case) -> Vec<String> {
    let mut keys = Vec::new();
    let mut perhaps = |dice: &mut Dice, key: String| {
        if dice.once_in(3) {
            keys.push(key);
        }
    };
    perhaps(dice, format!("name = \"operation-{}\"", dice.clone().below(9)));
    let level = dice.one(&["trace", "debug", "info", "warning", "error", "critical"]);
    perhaps(dice, format!("level = \"{level}\""));
    match case.shown.first() {
        Some(name) => {
            perhaps(dice, format!("tags(first = {name}, two = 1 + 1)"));
            let form = dice.one(&["redact", "hash"]);
            perhaps(
                dice,
                dice.clone()
                    .one(&["args({})", "args({} = {form})", "args(x = {}, y = \"text\")"])
                    .replace("{form}", form)
                    .replace("{}", name),
            );
        }
        None => perhaps(dice, "tags(group = \"none\")".to_owned()),
    }
    if case.returns == Returns::Number {
        perhaps(dice, dice.clone().one(&["ok_if = small", "error_if = small"]).to_owned());
    }
    match attribute {
        "with_error_tracking" => {
            perhaps(dice, "severity = \"warning\"".to_owned());
            perhaps(dice, "context(attempt = 3, kind = Odd(3))".to_owned());
            if case.returns == Returns::Odd {
                perhaps(dice, "ignore_if = is_odd".to_owned());
            }
        }
        "bq_cost" => {
            perhaps(dice, "query_type = \"select\"".to_owned());
            perhaps(dice, "alert_over_usd = 5.0".to_owned());
            perhaps(dice, "max_usd = 20, max_bytes = \"1 TiB\"".to_owned());
            perhaps(dice, "labels(team = \"growth\")".to_owned());
            perhaps(dice, "dataset = \"users\"".to_owned());
        }
        "tracked_command" => {
            perhaps(dice, "user = \"ada\"".to_owned());
            perhaps(dice, "cron = \"0 3 * * *\", timezone = \"Europe/Berlin\"".to_owned());
        }
        _ => {}
    }
    keys
}

/// Wrong attributes, each with one mistake, and a part of what is to be said.
pub const WRONG: [(&str, &str); 24] = [
    ("#[track_performance(nmae = \"x\")]", "did you mean `name`?"),
    ("#[track_performance(name = 5)]", "`name` needs a string literal"),
    ("#[track_performance(name)]", "`name` has no value"),
    ("#[track_performance(level = \"inof\")]", "did you mean \"info\"?"),
    ("#[track_performance(args(no_such_argument))]", "the function has no argument `no_such_argument`"),
    ("#[track_performance(tags(outcome = 1))]", "`outcome` is a label set by obs"),
    ("#[track_performance(timeout = \"2s\")]", "`timeout` is a key of"),
    ("#[track_performance(ok_if = 5)]", "`ok_if` needs the path of a function"),
    ("#[track_performance(name = \"a\" level = \"info\")]", "expected `,`"),
    ("#[track_performance(crate = obs)]", "needs an absolute path"),
    ("#[track_performance(public_only)]", "goes on a whole block"),
    ("#[with_error_tracking(severity = \"fatal\")]", "unknown `severity` \"fatal\""),
    ("#[with_error_tracking(context(k))]", "`k` has no value"),
    ("#[with_error_tracking(cron = \"@daily\")]", "`cron` is a key of"),
    ("#[with_error_tracking(ignore_if = |e| true)]", "needs the path of a function"),
    ("#[bq_cost(alert_over_usd = -1)]", "is below zero"),
    ("#[bq_cost(query_type = \"\")]", "`query_type` is empty"),
    ("#[bq_cost(name = \"a\", name = \"b\")]", "is a duplicate key"),
    ("#[bq_cost(tags[a = 1])]", "expected parentheses"),
    ("#[tracked_command(cron = \"0 61 * * *\")]", "61 is not a valid hour"),
    ("#[tracked_command(cron = \"@daily\", margin = \"5 minuts\")]", "did you mean \"minutes\"?"),
    ("#[tracked_command(timezone = \"UTC\")]", "needs a schedule"),
    ("#[tracked_command(user)]", "`user` has no value"),
    ("#[tracked_command(args(password = token))]", "looks like a secret"),
];
