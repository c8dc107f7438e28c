//! Calls of functions whose arguments are constant.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use crate::bigquery::estimate::constants::intervals::moved;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::constants::value::{Constant, Folded, span, time_of, truncate, utc};

/// Functions whose result is constant if their arguments are, and is not computed here.
const OTHERS: [&str; 22] = [
    "abs",
    "coalesce",
    "extract",
    "format",
    "greatest",
    "if",
    "ifnull",
    "least",
    "left",
    "lower",
    "lpad",
    "mod",
    "nullif",
    "replace",
    "right",
    "substr",
    "substring",
    "timestamp_diff",
    "date_diff",
    "datetime_diff",
    "unix_date",
    "upper",
];

/// The positional arguments of a call; `None` if there are others.
pub(in crate::bigquery::estimate) fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    match &function.args {
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::Subquery(_) => None,
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect(),
    }
}

/// The part of a date that an argument names, such as `MONTH` or `WEEK(MONDAY)`.
pub(in crate::bigquery::estimate) fn part(expr: &Expr) -> String {
    expr.to_string().to_uppercase()
}

/// Folds an expression.
type Fold<'f> = &'f dyn Fn(&Expr) -> Folded;

/// The value of a call, if it is constant; `fold` gives those of its arguments.
pub(super) fn call(function: &Function, settings: &Settings, fold: Fold<'_>) -> Folded {
    let (Some(args), None) = (arguments(function), &function.over) else { return Folded::Dynamic };
    let name = function.name.to_string().to_lowercase();
    match (name.as_str(), args.as_slice()) {
        ("current_date" | "current_datetime" | "current_timestamp", args) => current(&name, args, settings, fold),
        ("date_add" | "datetime_add" | "timestamp_add", [time, Expr::Interval(by)]) => moved(time, by, 1, fold),
        ("date_sub" | "datetime_sub" | "timestamp_sub", [time, Expr::Interval(by)]) => moved(time, by, -1, fold),
        ("date_trunc" | "datetime_trunc" | "timestamp_trunc", [time, unit]) => computed(&[time], fold, |values| {
            let [time] = values else { return None };
            truncate(time.time()?, &part(unit)).map(|start| typed(&name, start))
        }),
        ("last_day", [time, rest @ ..]) => computed(&[time], fold, |values| last_day(values.first()?, rest)),
        _ => computed(&args, fold, |values| value(&name, values)).unless_known(&name),
    }
}

impl Folded {
    /// A call of a function that is not known here may depend on more than its arguments.
    fn unless_known(self, name: &str) -> Self {
        match self {
            Self::Unknown if !is_pure(name) => Self::Dynamic,
            other => other,
        }
    }
}

fn is_pure(name: &str) -> bool {
    OTHERS.contains(&name) || COMPUTED.contains(&name)
}

/// The functions of [`value`].
const COMPUTED: [&str; 13] = [
    "concat",
    "date",
    "date_from_unix_date",
    "datetime",
    "format_date",
    "format_datetime",
    "format_timestamp",
    "parse_date",
    "parse_timestamp",
    "timestamp",
    "timestamp_micros",
    "timestamp_millis",
    "timestamp_seconds",
];

/// Folds the arguments, and computes the value from theirs.
fn computed(args: &[&Expr], fold: Fold<'_>, compute: impl FnOnce(&[Constant]) -> Option<Constant>) -> Folded {
    let mut values = Vec::new();
    let mut all_known = true;
    for arg in args {
        match fold(arg) {
            Folded::Dynamic => return Folded::Dynamic,
            Folded::Unknown => all_known = false,
            Folded::Known(value) => values.push(value),
        }
    }
    if all_known { Folded::of(compute(&values)) } else { Folded::Unknown }
}

/// The moment at which the query runs, in UTC or in a time zone.
fn current(name: &str, args: &[&Expr], settings: &Settings, fold: Fold<'_>) -> Folded {
    let zone = match args {
        [] => Some(TimeZone::UTC),
        [zone] => match fold(zone) {
            Folded::Known(Constant::Text(zone)) => TimeZone::get(&zone).ok(),
            _ => None,
        },
        _ => None,
    };
    let (Some(now), Some(zone)) = (settings.now, zone) else { return Folded::Unknown };
    let time = zone.to_datetime(now);
    Folded::Known(match name {
        "current_date" => Constant::Date(time.date()),
        "current_datetime" => Constant::Datetime(time),
        _ => Constant::Timestamp(utc(now)),
    })
}

/// The result type of a `…_TRUNC` function, by its name.
fn typed(name: &str, time: DateTime) -> Constant {
    match name {
        "date_trunc" => Constant::Date(time.date()),
        "datetime_trunc" => Constant::Datetime(time),
        _ => Constant::Timestamp(time),
    }
}

fn last_day(time: &Constant, part_of: &[&Expr]) -> Option<Constant> {
    let date = time.time()?.date();
    match part_of.first().map(|unit| part(unit)).as_deref() {
        None | Some("MONTH") => Some(Constant::Date(date.last_of_month())),
        Some("YEAR") => Some(Constant::Date(date.last_of_year())),
        _ => None,
    }
}

/// The value of a function of constants.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all>
fn value(name: &str, values: &[Constant]) -> Option<Constant> {
    match (name, values) {
        ("date", [value]) => value.time().map(|time| Constant::Date(time.date())),
        ("date", [year, month, day]) => date(year, month, day).map(Constant::Date),
        ("timestamp", [value]) => value.time().map(Constant::Timestamp),
        ("datetime", [value]) => value.time().map(Constant::Datetime),
        ("datetime", [year, month, day, hour, minute, second]) => {
            let small = |value: &Constant| i8::try_from(value.int()?).ok();
            let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
            Some(Constant::Datetime(date(year, month, day)?.to_datetime(time)))
        }
        ("date_from_unix_date", [days]) => {
            let epoch = Date::new(1970, 1, 1).ok()?;
            epoch.checked_add(span(days.int()?, "DAY")?).ok().map(Constant::Date)
        }
        ("timestamp_seconds", [value]) => Timestamp::from_second(value.int()?).ok().map(utc).map(Constant::Timestamp),
        ("timestamp_millis", [value]) => {
            Timestamp::from_millisecond(value.int()?).ok().map(utc).map(Constant::Timestamp)
        }
        ("timestamp_micros", [value]) => time_of(value.int()?).map(Constant::Timestamp),
        ("parse_date", [format, text]) => Date::strptime(format.text()?, text.text()?).ok().map(Constant::Date),
        ("parse_timestamp", [format, text]) => {
            let (format, text) = (format.text()?, text.text()?);
            let date = || Date::strptime(format, text).ok().map(|date| date.at(0, 0, 0, 0));
            // A format with a zone is not read.
            let time = || DateTime::strptime(format, text).ok();
            if format.contains("%z") || format.contains("%Z") { None } else { time().or_else(date) }
        }
        .map(Constant::Timestamp),
        ("format_date" | "format_datetime" | "format_timestamp", [format, time]) => {
            written(format.text()?, time.time()?).map(Constant::Text)
        }
        ("concat", parts) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Constant::text).collect();
            Some(Constant::Text(parts?.concat()))
        }
        _ => None,
    }
}

fn date(year: &Constant, month: &Constant, day: &Constant) -> Option<Date> {
    let small = |value: &Constant| i8::try_from(value.int()?).ok();
    Date::new(i16::try_from(year.int()?).ok()?, small(month)?, small(day)?).ok()
}

/// A time in a format. Only elements that mean the same everywhere are read.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time>
fn written(format: &str, time: DateTime) -> Option<String> {
    const READ: &str = "YmdHMSFTjy";
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter == '%' && !letters.next().is_some_and(|element| READ.contains(element)) {
            return None;
        }
    }
    let mut written = String::new();
    std::fmt::Write::write_fmt(&mut written, format_args!("{}", time.strftime(format))).ok()?;
    Some(written)
}
