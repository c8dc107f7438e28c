//! A strict reader of `DogStatsD`, as Datadog documents it and as its agent reads it: what is not in the grammar, or breaks
//! a rule for names and tags, is refused, so that nothing passes that only a lenient reader would take.

use std::collections::BTreeMap;

/// What a line tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// `name:value|type|@rate|#tags|c:container`
    Metric(Metric),
    /// `_sc|name|status|d:time|#tags|c:container|m:message`
    ServiceCheck(ServiceCheck),
    /// `_e{title,text}:title|text|d:time|k:key|t:type|#tags|c:container`
    Event(Event),
}

/// Tags by name: each name once.
pub type Tags = BTreeMap<String, String>;

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// `c`, `g` or `d`.
    pub kind: String,
    /// One value or, of a distribution, several.
    pub values: Vec<f64>,
    /// 1 unless it says otherwise.
    pub rate: f64,
    /// Its tags.
    pub tags: Tags,
    /// Whose it is.
    pub container: Option<String>,
}

/// A service check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceCheck {
    /// Its name.
    pub name: String,
    /// 0 to 3.
    pub status: u8,
    /// In seconds since 1970.
    pub time: Option<u64>,
    /// Its tags.
    pub tags: Tags,
    /// Whose it is.
    pub container: Option<String>,
    /// What it says.
    pub message: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// In seconds since 1970.
    pub time: Option<u64>,
    /// What it is gathered by.
    pub key: Option<String>,
    /// error, warning, info or success.
    pub alert: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Whose it is.
    pub container: Option<String>,
}

impl Metric {
    /// How many observations it stands for, as the agent counts them: the whole part of the inverse of its rate for each
    /// value.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn observations(&self) -> f64 {
        self.values.len() as f64 * (1.0 / self.rate).floor()
    }

    /// The sum of what it tells.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.values.iter().sum::<f64>() * (1.0 / self.rate).floor()
    }
}

type Read<T> = Result<T, String>;

/// What a packet tells.
///
/// # Errors
/// Says what is wrong with which line.
pub fn read(packet: &[u8]) -> Read<Vec<Message>> {
    let text = std::str::from_utf8(packet).map_err(|error| error.to_string())?;
    if let Some(control) = text.chars().find(|letter| letter.is_control() && *letter != '\n') {
        return Err(format!("{control:?} in {text:?}"));
    }
    text.split('\n').map(|line| message(line).map_err(|error| format!("{error}: {line:?}"))).collect()
}

fn message(line: &str) -> Read<Message> {
    if let Some(rest) = line.strip_prefix("_sc|") {
        return service_check(rest).map(Message::ServiceCheck);
    }
    if let Some(rest) = line.strip_prefix("_e{") {
        return event(rest).map(Message::Event);
    }
    metric(line).map(Message::Metric)
}

fn metric(line: &str) -> Read<Metric> {
    let mut fields = line.split('|');
    let (name, values) = fields.next().and_then(|field| field.split_once(':')).ok_or("no name and value")?;
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let begins_well = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !begins_well || !name.chars().all(letters) || name.len() > 200 {
        return Err("no name of a metric".to_owned());
    }
    let values: Vec<f64> = values.split(':').map(number).collect::<Read<_>>()?;
    let kind = fields.next().ok_or("no type")?.to_owned();
    if !["c", "g", "d"].contains(&&*kind) || (values.len() > 1 && kind != "d") {
        return Err("not a type, or not one of several values".to_owned());
    }
    let mut metric = Metric { name: name.to_owned(), kind, values, rate: 1.0, tags: Tags::new(), container: None };
    let mut fields = Fields(fields.collect());
    if let Some(rate) = fields.next('@', "") {
        metric.rate = number(rate)?;
        if metric.kind != "d" || !(metric.rate > 0.0 && metric.rate <= 1.0) {
            return Err("no rate".to_owned());
        }
    }
    (metric.tags, metric.container) = fields.tags_and_container()?;
    fields.end()?;
    Ok(metric)
}

fn service_check(rest: &str) -> Read<ServiceCheck> {
    let mut fields = rest.split('|');
    let name = fields.next().filter(|name| !name.is_empty()).ok_or("no name")?.to_owned();
    let status =
        fields.next().and_then(|status| status.parse().ok()).filter(|status| *status <= 3).ok_or("no status")?;
    let mut fields = Fields(fields.collect());
    let time = fields.next('d', ":").map(whole).transpose()?;
    let (tags, container) = fields.tags_and_container()?;
    let message = fields.next('m', ":").map(str::to_owned);
    if message.as_ref().is_some_and(|message| message.contains("m:")) {
        return Err("a message in a message".to_owned());
    }
    fields.end()?;
    Ok(ServiceCheck { name, status, time, tags, container, message })
}

fn event(rest: &str) -> Read<Event> {
    let (lengths, rest) = rest.split_once("}:").ok_or("no lengths")?;
    let (title, text) = lengths.split_once(',').ok_or("no two lengths")?;
    let (title, text) = (usize::try_from(whole(title)?), usize::try_from(whole(text)?));
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
    let time = fields.next('d', ":").map(whole).transpose()?;
    let key = fields.next('k', ":").map(str::to_owned);
    let alert = fields.next('t', ":").map(str::to_owned);
    if alert.as_ref().is_some_and(|alert| !["error", "warning", "info", "success"].contains(&&**alert)) {
        return Err("no type of alert".to_owned());
    }
    let (tags, container) = fields.tags_and_container()?;
    fields.end()?;
    Ok(Event { title: title.replace("\\n", "\n"), text: text.replace("\\n", "\n"), time, key, alert, tags, container })
}

/// The fields that are left of a line.
struct Fields<'l>(Vec<&'l str>);

impl<'l> Fields<'l> {
    /// The next field, when it begins like this.
    fn next(&mut self, letter: char, then: &str) -> Option<&'l str> {
        let field = self.0.first()?.strip_prefix(letter)?.strip_prefix(then)?;
        self.0.remove(0);
        Some(field)
    }

    fn tags_and_container(&mut self) -> Read<(Tags, Option<String>)> {
        let tags = self.next('#', "").map_or(Ok(Tags::new()), tags)?;
        let container = self.next('c', ":").map(str::to_owned);
        let is_well = |id: &String| {
            ["ci-", "in-"]
                .iter()
                .any(|kind| id.strip_prefix(kind).is_some_and(|id| !id.is_empty() && !id.contains(',')))
        };
        if container.as_ref().is_some_and(|id| !is_well(id)) {
            return Err("no container".to_owned());
        }
        Ok((tags, container))
    }

    fn end(&self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("more fields than there are: {:?}", self.0)) }
    }
}

fn tags(text: &str) -> Read<Tags> {
    let mut tags = Tags::new();
    for tag in text.split(',') {
        let (name, value) = tag.split_once(':').ok_or_else(|| format!("{tag:?} is no name and value"))?;
        let letters = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
        let well = name.is_ascii()
            && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && !value.is_empty()
            && !value.ends_with(':')
            && tag.chars().all(letters)
            && tag.chars().count() <= 200;
        if !well {
            return Err(format!("{tag:?} breaks a rule for tags"));
        }
        if tags.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{name:?} twice"));
        }
    }
    Ok(tags)
}

/// A finite number without a sign but minus, as all readers read it.
fn number(text: &str) -> Read<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    text.parse().ok().filter(|number: &f64| plain && number.is_finite()).ok_or_else(|| format!("{text:?} is no number"))
}

fn whole(text: &str) -> Read<u64> {
    text.parse().map_err(|_| format!("{text:?} is no whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_documented_is_read() {
        let line = "a.b_c:1.5:2|d|@0.5|#service:x,size:groß/2|c:ci-abc\n_sc|check|2|d:1|#a:b|m:gone|x";
        assert!(read(line.as_bytes()).is_err(), "a message has no bar");
        let line = "a.b_c:1.5:2|d|@0.5|#service:x,size:groß/2|c:ci-abc\n_sc|check|2|d:1|#a:b|m:gone";
        let read_ = read(line.as_bytes()).unwrap();
        let Message::Metric(metric) = &read_[0] else { panic!("{read_:?}") };
        assert_eq!((metric.observations(), metric.sum(), metric.tags.len()), (4.0, 7.0, 2));
        assert!(matches!(&read_[1], Message::ServiceCheck(check) if check.status == 2));
        let event = read("_e{2,7}:é|a|b\\ncd|d:1|k:k|t:error|#a:b".as_bytes()).unwrap();
        assert!(
            matches!(&event[0], Message::Event(event) if event.title == "é" && event.text == "a|b\ncd"),
            "{event:?}"
        );
    }

    #[test]
    fn everything_else_is_refused() {
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
            assert!(read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(read(b"a:1|c|#a:\xff").is_err());
        assert!(read(format!("a:1|c|#a:{}", "x".repeat(199)).as_bytes()).is_err());
    }
}
