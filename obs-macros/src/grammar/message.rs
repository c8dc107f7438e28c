//! Parts of messages: suggestions and lists.

/// The allowed word most similar to what was written, if it is similar enough to be a typo.
pub fn nearest<'a>(written: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let allowed: Vec<&str> = allowed.into_iter().collect();
    let near = |word: &'a str| {
        let (distance, length) = (strsim::damerau_levenshtein(&written, &word.to_lowercase()), word.chars().count());
        (distance < length && distance <= length.max(3) / 3).then_some((distance, word))
    };
    let nearest = allowed.iter().copied().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, word)| word);
    nearest.or_else(|| beginning_with(&written, &allowed))
}

/// The only allowed word with this prefix: `critical` for `crit`.
fn beginning_with<'a>(written: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let mut words = allowed.iter().filter(|word| written.len() > 2 && word.starts_with(written));
    words.next().copied().filter(|_| words.next().is_none())
}

/// `fault`, a suggestion if one of the allowed words is similar, and `then`.
pub fn with_suggestion<'a>(
    fault: &str,
    written: &str,
    allowed: impl IntoIterator<Item = &'a str>,
    quote: char,
    then: &str,
) -> String {
    match nearest(written, allowed) {
        Some(word) => format!("{fault}, did you mean {quote}{word}{quote}? {then}"),
        None => format!("{fault}; {then}"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}
