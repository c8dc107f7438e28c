//! Content negotiation by `Accept` and `Accept-Encoding`, as in RFC 9110.

use crate::exporters::prometheus::format::Format;

/// The format for an `Accept` header: OpenMetrics if the client names it with at least the quality of the text format, and
/// the text format in all other cases.
pub fn format(accept: &str) -> Format {
    let open_metrics = quality(accept, |range| {
        let named = range.media == "application/openmetrics-text";
        let version = range.parameter("version").unwrap_or("1.0.0");
        if named && ["1.0.0", "1.0"].contains(&version) { Some(range.parameters.len()) } else { None }
    });
    let text = quality(accept, |range| match range.media {
        "text/plain" if range.parameter("version").is_none_or(|version| version == "0.0.4") => {
            Some(2 + range.parameters.len())
        }
        "text/*" => Some(1),
        "*/*" => Some(0),
        _ => None,
    });
    match (open_metrics, text) {
        (Some(open_metrics), text) if open_metrics > 0.0 && text.is_none_or(|text| open_metrics >= text) => {
            Format::OpenMetrics
        }
        _ => Format::Text,
    }
}

/// Whether to compress the response with gzip.
pub fn gzip(accept_encoding: &str) -> bool {
    let coding = |name: &'static str| {
        quality(accept_encoding, move |range| match range.media {
            media if media == name => Some(1),
            "*" => Some(0),
            _ => None,
        })
    };
    let gzip = coding("gzip").or(coding("x-gzip")).unwrap_or(0.0);
    // `identity` is acceptable by default, but without a quality it does not outrank gzip.
    gzip > 0.0 && gzip >= named_quality(accept_encoding, "identity").unwrap_or(0.0)
}

fn named_quality(header: &str, name: &str) -> Option<f64> {
    quality(header, |range| (range.media == name).then_some(0))
}

/// An element of a header's list, without its quality.
struct Range<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Range<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// The quality of the element with the highest specificity, and of these the highest quality.
fn quality(header: &str, specificity: impl Fn(&Range<'_>) -> Option<usize>) -> Option<f64> {
    let header = header.to_ascii_lowercase();
    let mut best: Option<(usize, f64)> = None;
    for element in header.split(',') {
        let mut parts = element.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let pairs: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let pairs = pairs.into_iter().map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
        let (qualities, parameters): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| *name == "q");
        let quality = match qualities.first() {
            None => 1.0,
            Some((_, value)) => value.parse().ok().filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(0.0),
        };
        if let Some(specificity) = specificity(&Range { media, parameters })
            && best.is_none_or(|known| known < (specificity, quality))
        {
            best = Some((specificity, quality));
        }
    }
    best.map(|(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_clients_that_name_it_and_do_not_prefer_text() {
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html, application/json;q=0.9", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0.4, text/plain;version=0.0.4;q=0.5", Format::Text),
            ("text/plain;q=0.5, application/openmetrics-text;q=0.5", Format::OpenMetrics),
            ("application/openmetrics-text;q=0.1, */*;q=0.2", Format::Text),
            ("application/openmetrics-text;q=x", Format::Text),
            // Prometheus 2.42, then 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(format(accept), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_for_clients_that_accept_it() {
        for (accept, expected) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=1.0", true),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("identity, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
            ("br", false),
        ] {
            assert_eq!(gzip(accept), expected, "{accept}");
        }
    }
}
