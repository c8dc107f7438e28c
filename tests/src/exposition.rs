//! A reader of Prometheus' text format.

use std::collections::BTreeMap;
use std::path::Path;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// The name of a series and its labels.
pub type Series = (String, Labels);

/// The value of each series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(BTreeMap<Series, f64>);

impl Samples {
    /// Reads a text exposition. Panics when a line is not a sample, or two are of one series.
    #[must_use]
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = sample(line).unwrap_or_else(|| panic!("not a sample: {line}"));
            assert!(samples.insert(series, value).is_none(), "a second sample of one series: {line}");
        }
        Self(samples)
    }

    /// Reads a textfile.
    #[must_use]
    #[track_caller]
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Self::parse(&text)
    }

    /// The values of the series with this name and at least these labels.
    pub fn values(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = f64> {
        self.0.iter().filter(move |((found, all), _)| found == name && has_labels(all, labels)).map(|(_, value)| *value)
    }

    /// The sum over the series with this name and at least these labels; none when there is no such series.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.values(name, labels).fold(None, |sum, value| Some(sum.unwrap_or_default() + value))
    }

    /// The value of the only series with this name and at least these labels; none when there is no such series.
    #[must_use]
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut values = self.values(name, labels);
        let value = values.next();
        assert!(values.next().is_none(), "several series are named {name} and have {labels:?}: {self:#?}");
        value
    }

    /// All series and their values.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<Series, f64> {
        self.0
    }

    /// All series and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }
}

impl FromIterator<(Series, f64)> for Samples {
    fn from_iter<I: IntoIterator<Item = (Series, f64)>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// Whether all of these labels are among `labels`.
#[must_use]
pub fn has_labels(labels: &Labels, wanted: &[(&str, &str)]) -> bool {
    wanted.iter().all(|(name, value)| labels.get(*name).is_some_and(|found| found == value))
}

/// One line of the format.
fn sample(line: &str) -> Option<(Series, f64)> {
    let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = unescape(quoted)?;
            labels.insert(label.to_owned(), value);
            rest = after;
        }
        rest = &rest[1..];
    }
    Some(((name.to_owned(), labels), rest.trim().parse().ok()?))
}

/// The text up to the closing quote, and what follows it.
fn unescape(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (end, '"') => return Some((text, &quoted[end + 1..])),
            (_, '\\') => match characters.next()?.1 {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            (_, other) => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_label_values_are_resolved() {
        let labels = Labels::from([("a", "x,y}\\\"\n"), ("b", "2")].map(|(name, value)| (name.into(), value.into())));
        assert_eq!(sample("m{a=\"x,y}\\\\\\\"\\n\",b=\"2\"} 1.5e+06"), Some((("m".into(), labels), 1.5e6)));
        assert_eq!(sample("m 3"), Some((("m".into(), Labels::new()), 3.0)));
        assert_eq!(sample("m{a=\"x} 3"), None);
    }

    #[test]
    fn a_missing_series_is_none_and_not_zero() {
        let samples = Samples::parse("# TYPE m counter\nm{a=\"1\"} 2\nm{a=\"2\"} 3\n");
        assert_eq!((samples.sum("m", &[]), samples.sum("m", &[("a", "3")])), (Some(5.0), None));
        assert_eq!((samples.value("m", &[("a", "1")]), samples.value("n", &[])), (Some(2.0), None));
    }

    #[test]
    #[should_panic(expected = "several series are named m")]
    fn the_value_of_several_series_is_not_one_value() {
        let _ = Samples::parse("m{a=\"1\"} 2\nm{a=\"2\"} 3\n").value("m", &[]);
    }
}
