//! Words in names of secrets: one table for the attributes and the redaction. The two crates have equal copies of this file,
//! as neither can use items of the other; a test compares them.

/// How a word of a name indicates a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing else has this name: `password`.
    Secret,
    /// Also an ordinary word, after which a colon need not introduce a secret: `token`.
    Prose,
    /// A header, whose value extends to the end of the line: `cookie`.
    Header,
    /// Also a name of numbers, which are no secrets: `pass`.
    Text,
}

/// Names of secrets in lower case and without separators, sorted; in English and in languages of other teams.
const WORDS: [(&str, Word); 77] = [
    ("accesskey", Word::Secret),
    ("accountkey", Word::Secret),
    ("ansho", Word::Secret),
    ("anshobango", Word::Secret),
    ("apikey", Word::Secret),
    ("appkey", Word::Secret),
    ("authheader", Word::Header),
    ("authorization", Word::Header),
    ("bearer", Word::Prose),
    ("cardnumber", Word::Secret),
    ("clave", Word::Prose),
    ("clientkeydata", Word::Secret),
    ("connectionstring", Word::Secret),
    ("contrasena", Word::Secret),
    ("contrasenia", Word::Secret),
    ("cookie", Word::Header),
    ("credential", Word::Prose),
    ("creditcardnumber", Word::Secret),
    ("creds", Word::Secret),
    ("cvc", Word::Secret),
    ("cvv", Word::Secret),
    ("databaseurl", Word::Secret),
    ("dateofbirth", Word::Secret),
    ("dob", Word::Secret),
    ("dsn", Word::Secret),
    ("email", Word::Prose),
    ("encryptionkey", Word::Secret),
    ("geheim", Word::Prose),
    ("geheimnis", Word::Prose),
    ("haslo", Word::Secret),
    ("himitsu", Word::Prose),
    ("iban", Word::Secret),
    ("jeton", Word::Prose),
    ("jsessionid", Word::Secret),
    ("jwt", Word::Secret),
    ("kennwort", Word::Secret),
    ("masterkey", Word::Secret),
    ("mdp", Word::Secret),
    ("mobile", Word::Prose),
    ("motdepasse", Word::Secret),
    ("otp", Word::Prose),
    ("palavrapasse", Word::Secret),
    ("parolachiave", Word::Secret),
    ("parolaordine", Word::Secret),
    ("pass", Word::Text),
    ("passphrase", Word::Secret),
    ("passport", Word::Prose),
    ("passwd", Word::Secret),
    ("password", Word::Secret),
    ("passwort", Word::Secret),
    ("pasuwaado", Word::Secret),
    ("pasuwado", Word::Secret),
    ("phone", Word::Prose),
    ("phpsessid", Word::Secret),
    ("pin", Word::Prose),
    ("privatekey", Word::Secret),
    ("pw", Word::Secret),
    ("pwd", Word::Secret),
    ("secret", Word::Prose),
    ("secretkey", Word::Secret),
    ("secreto", Word::Prose),
    ("segredo", Word::Prose),
    ("segreto", Word::Prose),
    ("senha", Word::Secret),
    ("session", Word::Prose),
    ("sessionid", Word::Prose),
    ("setcookie", Word::Header),
    ("sharedaccesskey", Word::Secret),
    ("sharedkey", Word::Secret),
    ("sid", Word::Prose),
    ("signingkey", Word::Secret),
    ("sshkey", Word::Secret),
    ("ssn", Word::Secret),
    ("telephone", Word::Prose),
    ("token", Word::Prose),
    ("wachtwoord", Word::Secret),
    ("zugangsdaten", Word::Secret),
];

/// Ends of names that are often written as one word: `dbpassword`, `authtoken`.
const ENDS: [&str; 9] =
    ["password", "passwd", "passphrase", "apikey", "privatekey", "token", "passwort", "kennwort", "wachtwoord"];

/// Words after the name of a secret that name a property of it: `token_count`.
const PROPERTIES: [&str; 35] = [
    "age",
    "avg",
    "budget",
    "bytes",
    "count",
    "counts",
    "duration",
    "enabled",
    "expires",
    "expiry",
    "kind",
    "len",
    "length",
    "limit",
    "max",
    "min",
    "missing",
    "ms",
    "present",
    "rate",
    "ratio",
    "remaining",
    "required",
    "seconds",
    "secs",
    "size",
    "status",
    "timeout",
    "total",
    "ttl",
    "type",
    "usage",
    "used",
    "valid",
    "version",
];

/// Looks up a word, or up to four joined ones, in lower case. Digits at the end are left out: `password1`. `single` is true if
/// it was written as one word. Returns also whether it is a plural.
pub fn lookup(word: &str, single: bool) -> Option<(Word, bool)> {
    let word = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let singular = |word: &str| {
        let known = WORDS.binary_search_by(|(known, _)| (*known).cmp(word)).ok();
        let known = known.and_then(|index| WORDS.get(index)).map(|(_, kind)| *kind);
        known.or_else(|| (single && ENDS.iter().any(|end| word.ends_with(end))).then_some(Word::Secret))
    };
    let plural = || Some((singular(word.strip_suffix('s')?)?, true));
    singular(word).map(|kind| (kind, false)).or_else(plural)
}

/// Whether a word after the name of a secret names a property of it, not the secret.
pub fn is_property(word: &str) -> bool {
    PROPERTIES.binary_search(&word).is_ok()
}

/// Whether a word before the name of a secret asks whether there is one: `has_password`.
pub fn is_question(word: &str) -> bool {
    matches!(word, "has" | "is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(WORDS.is_sorted_by(|left, right| left.0 < right.0));
        assert!(PROPERTIES.is_sorted_by(|left, right| left < right));
    }
}
