//! Names that suggest a secret value.

/// Consecutive words of a `snake_case` name.
const SECRET: [&[&str]; 33] = [
    &["password"],
    &["passwords"],
    &["passwd"],
    &["passphrase"],
    &["pwd"],
    &["secret"],
    &["secrets"],
    &["token"],
    &["tokens"],
    &["jwt"],
    &["apikey"],
    &["apikeys"],
    &["api", "key"],
    &["api", "keys"],
    &["access", "key"],
    &["private", "key"],
    &["private", "keys"],
    &["signing", "key"],
    &["encryption", "key"],
    &["ssh", "key"],
    &["credential"],
    &["credentials"],
    &["creds"],
    &["authorization"],
    &["auth", "header"],
    &["bearer"],
    &["cookie"],
    &["cookies"],
    &["dsn"],
    &["session"],
    &["sessions"],
    &["connection", "string"],
    &["database", "url"],
];

/// Last words of names that measure a secret without revealing it: `token_count`.
const MEASURES: [&str; 7] = ["count", "kind", "len", "length", "limit", "size", "total"];

/// Whether a value of this name is likely to be a secret.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    if words.last().is_some_and(|last| MEASURES.contains(last)) {
        return false;
    }
    name == "key" || SECRET.iter().any(|secret| words.windows(secret.len()).any(|run| run == *secret))
}
