//! Rules with shorter windows, so that their alerts fire and rest within a test. The unit tests that `generate prometheus` makes hold
//! the true ones. What a declaration sets (intervals, margins, the longest run) stays as it is.

/// The windows of all rules, and those that an alert has for itself.
const SHORTENED: [(&str, &[(&str, &str)]); 5] = [
    (
        "",
        &[
            ("1m", "1s"),
            ("5m", "4s"),
            ("15m", "5s"),
            ("30m", "5s"),
            ("1h", "12s"),
            ("2h", "8s"),
            ("4h", "10s"),
            ("6h", "12s"),
            ("1d", "15s"),
            ("2d", "17s"),
            ("3d", "18s"),
            ("7d", "30s"),
            ("14d", "30s"),
            ("28d", "26s"),
        ],
    ),
    // Three spans one after the other.
    (
        "ObsBudgetBurns",
        &[
            ("2h", "5s"),
            ("4h", "10s"),
            ("6h", "15s"),
            ("7200", "5"),
            ("1d", "5s"),
            ("2d", "10s"),
            ("3d", "15s"),
            ("86400", "5"),
        ],
    ),
    // A hanging run is killed after some seconds.
    ("ObsCommandKilled", &[("1d", "25s")]),
    // Scrapes that are a second apart see about half of the changes.
    ("ObsHealthFlaps", &[("1h", "25s")]),
    ("ObsSinkWithoutSuccess", &[("900", "5"), ("15m", "5s")]),
];

/// The rules of a file with shorter windows.
pub fn shortened(rules: &str) -> String {
    let mut alert = "";
    let lines = rules.lines().map(|line| {
        if let Some((kind, name)) = line.trim_start_matches(['-', ' ']).split_once(": ")
            && ["alert", "record"].contains(&kind)
        {
            alert = name;
            return line.to_owned();
        }
        // Not in texts, which name the true ones.
        let is_text = ["description", "summary", "runbook"].iter().any(|name| line.trim_start().starts_with(name));
        if is_text { line.to_owned() } else { shortened_line(line, alert) }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn shortened_line(line: &str, alert: &str) -> String {
    let own = SHORTENED.iter().filter(|(name, _)| *name == alert && !name.is_empty());
    let all = SHORTENED.iter().filter(|(name, _)| name.is_empty());
    let table: Vec<_> = own.chain(all).flat_map(|(_, durations)| *durations).collect();
    let shorter = |duration: &str| table.iter().find(|(from, _)| *from == duration).map(|(_, to)| *to);
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let mark = ["[", "offset ", "for: ", "< ", "/ "].into_iter().find(|mark| rest.starts_with(mark));
        let Some(mark) = mark else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            text.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        };
        text.push_str(mark);
        rest = &rest[mark.len()..];
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        text.push_str(shorter(&rest[..end]).unwrap_or(&rest[..end]));
        rest = &rest[end..];
    }
    text
}

#[test]
fn windows_are_shortened_and_nothing_else() {
    let rules = "- record: obs:ratio_rate5m\n  expr: sum(rate(a{le=\"5m\"}[5m])) offset 1d\n- alert: ObsSinkWithoutSuccess\n  expr: |-\n    \
                 increase(b[15m]) > 900 unless time() - c < 900\n  for: 30m\n  description: in [5m]\n";
    let expected = "- record: obs:ratio_rate5m\n  expr: sum(rate(a{le=\"5m\"}[4s])) offset 15s\n- alert: ObsSinkWithoutSuccess\n  expr: |-\n    \
                    increase(b[5s]) > 900 unless time() - c < 5\n  for: 5s\n  description: in [5m]\n";
    assert_eq!(shortened(rules), expected);
}
