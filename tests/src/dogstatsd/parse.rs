//! A strict parser: a packet that only a lenient reader would accept is an error.

use super::message::{Event, Message, Metric, ServiceCheck, Tags};

type Parsed<T> = Result<T, String>;

/// Parses a packet.
///
/// # Errors
/// The line that is wrong, and why.
pub fn parse(packet: &[u8]) -> Parsed<Vec<Message>> {
    let text = std::str::from_utf8(packet).map_err(|error| error.to_string())?;
    if let Some(control) = text.chars().find(|letter| letter.is_control() && *letter != '\n') {
        return Err(format!("{control:?} in {text:?}"));
    }
    text.split('\n').map(|line| message(line).map_err(|error| format!("{error}: {line:?}"))).collect()
}

fn message(line: &str) -> Parsed<Message> {
    if let Some(rest) = line.strip_prefix("_sc|") {
        return service_check(rest).map(Message::ServiceCheck);
    }
    if let Some(rest) = line.strip_prefix("_e{") {
        return event(rest).map(Message::Event);
    }
    metric(line).map(Message::Metric)
}

fn metric(line: &str) -> Parsed<Metric> {
    let mut fields = line.split('|');
    let (name, values) = fields.next().and_then(|field| field.split_once(':')).ok_or("no name and value")?;
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let valid_start = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !valid_start || !name.chars().all(letters) || name.len() > 200 {
        return Err("not a metric name".to_owned());
    }
    let values: Vec<f64> = values.split(':').map(number).collect::<Parsed<_>>()?;
    let kind = fields.next().ok_or("no type")?.to_owned();
    if !["c", "g", "d"].contains(&&*kind) || (values.len() > 1 && kind != "d") {
        return Err("an unknown type, or several values of one that has a single value".to_owned());
    }
    let mut metric = Metric { name: name.to_owned(), kind, values, rate: 1.0, tags: Tags::new(), container: None };
    let mut fields = Fields(fields.collect());
    if let Some(rate) = fields.next('@', "") {
        metric.rate = number(rate)?;
        if metric.kind != "d" || !(metric.rate > 0.0 && metric.rate <= 1.0) {
            return Err("not a sample rate".to_owned());
        }
    }
    (metric.tags, metric.container) = fields.tags_and_container()?;
    fields.end()?;
    Ok(metric)
}

fn service_check(rest: &str) -> Parsed<ServiceCheck> {
    let mut fields = rest.split('|');
    let name = fields.next().filter(|name| !name.is_empty()).ok_or("no name")?.to_owned();
    let status =
        fields.next().and_then(|status| status.parse().ok()).filter(|status| *status <= 3).ok_or("no status")?;
    let mut fields = Fields(fields.collect());
    let time = fields.next('d', ":").map(integer).transpose()?;
    let (tags, container) = fields.tags_and_container()?;
    let message = fields.next('m', ":").map(str::to_owned);
    if message.as_ref().is_some_and(|message| message.contains("m:")) {
        return Err("`m:` in a message".to_owned());
    }
    fields.end()?;
    Ok(ServiceCheck { name, status, time, tags, container, message })
}

fn event(rest: &str) -> Parsed<Event> {
    let (lengths, rest) = rest.split_once("}:").ok_or("no lengths")?;
    let (title, text) = lengths.split_once(',').ok_or("not two lengths")?;
    let (title, text) = (usize::try_from(integer(title)?), usize::try_from(integer(text)?));
    let (title_length, text_length) =
        (title.map_err(|error| error.to_string())?, text.map_err(|error| error.to_string())?);
    let title = rest.get(..title_length).filter(|title| !title.is_empty()).ok_or("the title is not so long")?;
    let rest = rest[title_length..].strip_prefix('|').ok_or("the title is longer")?;
    let text = rest.get(..text_length).filter(|text| !text.is_empty()).ok_or("the text is not so long")?;
    let rest = &rest[text_length..];
    let fields = if rest.is_empty() {
        Vec::new()
    } else {
        rest.strip_prefix('|').ok_or("the text is longer")?.split('|').collect()
    };
    let mut fields = Fields(fields);
    let time = fields.next('d', ":").map(integer).transpose()?;
    let key = fields.next('k', ":").map(str::to_owned);
    let alert = fields.next('t', ":").map(str::to_owned);
    if alert.as_ref().is_some_and(|alert| !["error", "warning", "info", "success"].contains(&&**alert)) {
        return Err("not an alert type".to_owned());
    }
    let (tags, container) = fields.tags_and_container()?;
    fields.end()?;
    Ok(Event { title: title.replace("\\n", "\n"), text: text.replace("\\n", "\n"), time, key, alert, tags, container })
}

/// The fields of a line that are not parsed yet.
struct Fields<'l>(Vec<&'l str>);

impl<'l> Fields<'l> {
    /// The next field without its prefix, if it has this prefix.
    fn next(&mut self, letter: char, then: &str) -> Option<&'l str> {
        let field = self.0.first()?.strip_prefix(letter)?.strip_prefix(then)?;
        self.0.remove(0);
        Some(field)
    }

    fn tags_and_container(&mut self) -> Parsed<(Tags, Option<String>)> {
        let tags = self.next('#', "").map_or(Ok(Tags::new()), tags)?;
        let container = self.next('c', ":").map(str::to_owned);
        let is_valid = |id: &String| {
            ["ci-", "in-"]
                .iter()
                .any(|kind| id.strip_prefix(kind).is_some_and(|id| !id.is_empty() && !id.contains(',')))
        };
        if container.as_ref().is_some_and(|id| !is_valid(id)) {
            return Err("not a container".to_owned());
        }
        Ok((tags, container))
    }

    fn end(&self) -> Parsed<()> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("unknown fields: {:?}", self.0)) }
    }
}

fn tags(text: &str) -> Parsed<Tags> {
    let mut tags = Tags::new();
    for tag in text.split(',') {
        let (name, value) = tag.split_once(':').ok_or_else(|| format!("{tag:?} is not `name:value`"))?;
        let letters = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
        let valid = name.is_ascii()
            && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && !value.is_empty()
            && !value.ends_with(':')
            && tag.chars().all(letters)
            && tag.chars().count() <= 200;
        if !valid {
            return Err(format!("{tag:?} violates a rule for tags"));
        }
        if tags.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("duplicate tag {name:?}"));
        }
    }
    Ok(tags)
}

/// A finite decimal number without an exponent, which all readers accept.
fn number(text: &str) -> Parsed<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    text.parse()
        .ok()
        .filter(|number: &f64| plain && number.is_finite())
        .ok_or_else(|| format!("{text:?} is not a number"))
}

fn integer(text: &str) -> Parsed<u64> {
    text.parse().map_err(|_| format!("{text:?} is not an integer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_lines_are_parsed() {
        let line = "a.b_c:1.5:2|d|@0.5|#service:x,size:groß/2|c:ci-abc\n_sc|check|2|d:1|#a:b|m:gone|x";
        assert!(parse(line.as_bytes()).is_err(), "a message contains no `|`");
        let line = "a.b_c:1.5:2|d|@0.5|#service:x,size:groß/2|c:ci-abc\n_sc|check|2|d:1|#a:b|m:gone";
        let parsed = parse(line.as_bytes()).unwrap();
        let Message::Metric(metric) = &parsed[0] else { panic!("{parsed:?}") };
        assert_eq!((metric.observations(), metric.sum(), metric.tags.len()), (4.0, 7.0, 2));
        assert!(matches!(&parsed[1], Message::ServiceCheck(check) if check.status == 2));
        let event = parse("_e{2,7}:é|a|b\\ncd|d:1|k:k|t:error|#a:b".as_bytes()).unwrap();
        assert!(
            matches!(&event[0], Message::Event(event) if event.title == "é" && event.text == "a|b\ncd"),
            "{event:?}"
        );
    }

    #[test]
    fn other_lines_are_rejected() {
        for wrong in [
            "",
            "a",
            "a:1",
            "a:|c",
            ":1|c",
            "1a:1|c",
            "a-b:1|c",
            "a:1|x",
            "a:1:2|c",
            "a:NaN|g",
            "a:1e5|g",
            "a:+1|g",
            "a:1|c|",
            "a:1|c|@0.5",
            "a:1|d|@0",
            "a:1|d|@2",
            "a:1|c|#",
            "a:1|c|#a",
            "a:1|c|#a:",
            "a:1|c|#:a",
            "a:1|c|#a:b,",
            "a:1|c|#a:b,a:c",
            "a:1|c|#1:b",
            "a:1|c|#größe:b",
            "a:1|c|#a:b c",
            "a:1|c|#a:b:",
            "a:1|c|#a:b#",
            "a:1|c|c:",
            "a:1|c|c:ci-",
            "a:1|c|c:x",
            "a:1|c|T1",
            "a:1|c|#a:b|#a:b",
            "a:1|c\n",
            "a:1|c\r",
            "_sc|a",
            "_sc|a|4",
            "_sc||0",
            "_sc|a|0|m:m:",
            "_sc|a|0|m:x|#a:b",
            "_e{0,1}:|a",
            "_e{1,0}:a|",
            "_e{1,1}:ab|c",
            "_e{1,1}:a|bc",
            "_e{1,9}:a|b",
            "_e{1}:a|b",
            "_e{1,1}:a|b|t:bad",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(parse(b"a:1|c|#a:\xff").is_err());
        assert!(parse(format!("a:1|c|#a:{}", "x".repeat(199)).as_bytes()).is_err());
    }
}
