//! Results of data-quality checks as Markdown, for the summary of a job and comments on pull requests.

use crate::base::text::is_active;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::status::QualityStatus;

/// How many checks are listed with their reasons, and as many without. GitHub takes comments of 65,536 characters.
const MAX_CHECKS: usize = 100;

/// How many characters of a text are shown.
const MAX_CHARS: usize = 300;

/// A table of the checks that did not pass, their failing rows, and the names of the others.
pub fn quality(report: &QualityReport) -> String {
    let verdict = if report.passed() { "The data can be used." } else { "The data must not be used." };
    let kinds = [
        QualityStatus::Errored,
        QualityStatus::Failed,
        QualityStatus::NoData,
        QualityStatus::Warned,
        QualityStatus::Skipped,
        QualityStatus::Passed,
    ];
    let counts = kinds.into_iter().map(|status| (status, report.count(status))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(status, count)| format!("{count} {}", words(status))).collect();
    let mut text = format!("## Data quality: {}\n\n**{verdict}**\n", counts.join(", "));
    // The worst first; in the order of the report otherwise.
    let mut open: Vec<&QualityResult> =
        report.results.iter().filter(|result| result.status != QualityStatus::Passed).collect();
    open.sort_by_key(|result| (!result.rejects(), kinds.iter().position(|status| *status == result.status)));
    if !open.is_empty() {
        text += "\n| status | check | dataset | column | severity | value | why | owner |\n| --- | --- | --- | --- | --- | ---: | --- | --- |\n";
        open.iter().take(MAX_CHECKS).for_each(|result| text += &row(result));
        text += &more(open.len());
    }
    open.iter().take(MAX_CHECKS).for_each(|result| text += &failing_rows(result));
    let passed: Vec<_> = report.results.iter().filter(|result| result.status == QualityStatus::Passed).collect();
    if !passed.is_empty() {
        text = format!("{text}\n<details><summary>{} passed</summary>\n\n", passed.len());
        text = passed.iter().take(MAX_CHECKS).fold(text, |text, result| text + &item(&result.check));
        text += &more(passed.len());
        text += "\n</details>\n";
    }
    text
}

fn row(result: &QualityResult) -> String {
    let check = match link(result.runbook) {
        Some(runbook) => format!("[{}]({runbook})", cell(&result.check)),
        None => cell(&result.check),
    };
    let cells = [
        words(result.status).to_owned(),
        check,
        cell(&result.dataset),
        cell(result.column),
        result.severity.to_string(),
        result.value.map(|value| cell(&value.to_string())).unwrap_or_default(),
        cell(&result.why().unwrap_or_default()),
        cell(result.owner),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn failing_rows(result: &QualityResult) -> String {
    if result.sample.is_empty() {
        return String::new();
    }
    let rows: String = result.sample.iter().map(|row| item(row)).collect();
    format!("\n<details><summary>{}: failing rows</summary>\n\n{rows}\n</details>\n", cell(&result.check))
}

/// A line of a list.
fn item(text: &str) -> String {
    format!("- {}\n", cell(text))
}

fn more(count: usize) -> String {
    if count > MAX_CHECKS { format!("\n{} more\n", count - MAX_CHECKS) } else { String::new() }
}

const fn words(status: QualityStatus) -> &'static str {
    match status {
        QualityStatus::NoData => "no data",
        other => other.as_str(),
    }
}

/// A text without effect in Markdown and HTML: no format, no link, no mention of a person, on one line.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    for (index, letter) in text.chars().enumerate() {
        match letter {
            _ if index == MAX_CHARS => {
                shown.push('…');
                break;
            }
            letter if is_active(letter) => shown.push(' '),
            letter
                if letter.is_ascii_punctuation()
                    && !matches!(letter, '.' | ',' | '-' | '(' | ')' | '/' | ';' | ' ' | '=' | '%') =>
            {
                shown.push_str("&#");
                shown.push_str(&u32::from(letter).to_string());
                shown.push(';');
            }
            letter => shown.push(letter),
        }
    }
    shown
}

/// An address that can stand in a link.
fn link(address: &str) -> Option<String> {
    let is_plain =
        |letter: char| letter.is_ascii_graphic() && !matches!(letter, '(' | ')' | '<' | '>' | '|' | '"' | '\\' | '`');
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    (is_web && address.chars().all(is_plain)).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_no_effect() {
        assert_eq!(
            cell("a|b\n<b> @ada *x* [y](z) `q`"),
            "a&#124;b &#60;b&#62; &#64;ada &#42;x&#42; &#91;y&#93;(z) &#96;q&#96;"
        );
        assert_eq!(cell(&"é".repeat(400)).chars().count(), 301);
        assert_eq!(link("https://wiki/a)b"), None);
        assert_eq!(link("javascript:alert(1)"), None);
    }
}
