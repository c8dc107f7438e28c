// Shared with the tests of exporters in the package obs-tests.
#[expect(dead_code, reason = "the tests of exporters use the rest")]
mod corpus;
mod every_text;

use corpus::Sample;

use super::*;
use crate::base::text;
use crate::events::field::Field;

fn redactor() -> Redactor {
    Redactor::new(&[], None)
}

fn value(redactor: &Redactor, name: &str, value: Value<'static>) -> Value<'static> {
    let mut field = Field::new(name.to_owned(), value);
    redactor.field(&mut field);
    field.value
}

#[test]
fn secrets_are_found_by_format_anywhere_in_a_text() {
    let redactor = redactor();
    for Sample { kind: _, text, part: secret } in corpus::samples() {
        for place in corpus::places(text) {
            let redacted = redactor.text(place.as_str().into());
            assert!(!redacted.contains(secret), "{place:?} left as {redacted:?}");
            // The limit may divide a text before its secret.
            assert!(redacted.contains(MASK) || place.len() > MAX_TEXT, "{place:?} left as {redacted:?}");
            assert_eq!(redactor.text(redacted.as_ref().into()), redacted, "redacted twice");
        }
    }
}

#[test]
fn a_secret_that_the_limit_of_length_divides_is_hidden_as_a_whole() {
    let redactor = redactor();
    for sample in corpus::samples().filter(|sample| sample.part.len() >= 20) {
        let at = sample.text.find(sample.part).unwrap_or_default();
        // The limit is in the middle of the secret.
        let before = "x".repeat(MAX_TEXT - 60 - at);
        let place = format!("{before},{},{}", sample.text, "y".repeat(2048));
        let redacted = redactor.text(place.as_str().into());
        assert!(redacted.len() <= MAX_TEXT && redacted.contains("[cut "), "{sample:?}");
        let (first, end) = (text::until(sample.part, 10), text::from(&redacted, before.len()));
        assert!(!redacted.contains(first), "{sample:?} left as {end}");
    }
}

#[test]
fn look_alikes_are_kept_and_not_copied() {
    let redactor = redactor();
    for text in corpus::look_alikes() {
        let redacted = redactor.text(text.into());
        assert_eq!(redacted, text);
        assert!(matches!(redacted, Cow::Borrowed(_)), "{text:?} was copied");
        let sentence = format!("loaded {text} (5 rows)");
        assert_eq!(redactor.text(sentence.as_str().into()), sentence);
        // Not those in which a text without a space follows, which may belong to a value.
        for place in
            corpus::places(text).into_iter().filter(|place| !place.contains("/data/") && place.len() < MAX_TEXT)
        {
            assert_eq!(redactor.text(place.as_str().into()), place);
        }
    }
}

#[test]
fn only_the_secret_part_is_masked() {
    let redactor = redactor();
    for (text, expected) in [
        ("postgres://app:hunter2@db.local:5432/app", "postgres://app:[REDACTED]@db.local:5432/app"),
        ("password=hunter2, user=5", "password=[REDACTED], user=5"),
        ("{\"password\":\"hunter2\",\"user\":5}", "{\"password\":\"[REDACTED]\",\"user\":5}"),
        ("token: Some(\"hunter2\") }", "token: Some(\"[REDACTED]\") }"),
        ("?api_key=hunter2&x=1", "?api_key=[REDACTED]&x=1"),
        ("mail ann@example.com now", "mail [REDACTED] now"),
        ("Bearer abcdef0123456789 sent", "Bearer [REDACTED] sent"),
        ("card 4111 1111 1111 1111 12 26", "card [REDACTED] 12 26"),
    ] {
        assert_eq!(redactor.text(text.into()), expected);
    }
}

#[test]
fn secrets_are_found_by_name() {
    let redactor = Redactor::new(&["iban".to_owned(), "Customer-Number".to_owned()], None);
    for name in [
        "password",
        "dbPassword",
        "DB_PASSWORD",
        "API-KEY",
        "apiKey",
        "x_auth_token",
        "authtoken",
        "client.secret",
        "credentials",
        "Authorization",
        "Set-Cookie",
        "privateKey",
        "sentry_dsn",
        "session_id",
        "userEmail",
        "e-mail",
        "phone_number",
        "customer_ssn",
        "iban",
        "customerNumber",
        "pwd",
        "OAuthToken",
        "MS_GRAPH_CLIENT_SECRET",
        "STATUS_PAGE_API_KEY",
        "RATE_LIMIT_PASSWORD",
        "jwt",
        "signing_key",
        "connection_string",
        "DB_PASS",
        "pass",
        "pw",
        "password1",
        "api_key2",
        "cvv",
        "cardNumber",
        "otp",
        "pin",
        "JSESSIONID",
        "mobile",
        "passport",
        "dob",
        "Passwort",
        "mot_de_passe",
        "contrasena",
        "senha",
        "wachtwoord",
        "haslo",
        "pasuwado",
    ] {
        assert_eq!(redactor.named(name, "opaque".into()), MASK, "{name}");
    }
    for name in
        ["secretary", "tokenizer", "token_count", "table", "key", "author", "passenger", "sessions_total", "", "ß"]
    {
        assert_eq!(redactor.named(name, "opaque".into()), "opaque", "{name}");
    }
    for (name, value) in [("password_age", "hunter2"), ("has_password", "hunter2"), ("token_type", "eyJhbGciOi4x")] {
        assert_eq!(redactor.named(name, value.into()), MASK, "{name}");
    }
    for (name, value) in [("password_age", "12 days"), ("token_expires", "2026-11-29 12:00"), ("token_type", "Bearer")]
    {
        assert_eq!(redactor.named(name, value.into()), value, "{name}");
    }
    assert_eq!(value(&redactor, "pass", Value::from(512)), Value::from(512));
    assert_eq!(redactor.named("password", "".into()), "");
    assert_eq!(redactor.named(&format!("{}_password", "x".repeat(100)), "opaque".into()), MASK);
    assert_eq!(redactor.named("query", "SELECT 1 WHERE a = 'Ann'".into()), "SELECT 1 WHERE a = '[REDACTED]'");
    assert_eq!(redactor.named("query", "it's 'fine'".into()), "it's 'fine'");
}

#[test]
fn numbers_are_hidden_if_the_name_is_a_secret_and_not_a_count() {
    let redactor = redactor();
    for name in
        ["tokens_used", "token_count", "session_count", "input_tokens", "max_tokens", "password_length", "sessions"]
    {
        assert_eq!(value(&redactor, name, Value::from(512)), Value::from(512), "{name}");
        assert_eq!(value(&redactor, name, Value::from("512")), Value::from("512"), "{name}");
    }
    for name in ["password", "token", "customer_ssn", "phone"] {
        assert_eq!(value(&redactor, name, Value::from(512)), Value::from(MASK), "{name}");
        assert_eq!(value(&redactor, name, Value::from(5.12)), Value::from(MASK), "{name}");
        assert_eq!(value(&redactor, name, Value::from("512")), Value::from(MASK), "{name}");
    }
    assert_eq!(value(&redactor, "has_password", Value::from(true)), Value::from(true));
    assert_eq!(value(&redactor, "password", Value::from(true)), Value::from(MASK));
}

#[test]
fn a_huge_text_is_truncated_at_a_character_boundary_and_marked() {
    let redactor = redactor();
    for unit in ["x", "é", "🐧", "word ", "a@b.example "] {
        let redacted = redactor.text(unit.repeat(100_000).into());
        assert!(redacted.contains("…[cut ") && redacted.ends_with(" bytes]"), "{unit}");
        assert!(!redacted.contains("a@b"));
    }
    let cut = redactor.text("word ".repeat(100_000).into());
    assert!(cut.len() <= MAX_TEXT);
    assert_eq!(redactor.text(cut.as_ref().into()), cut);
}

#[test]
fn the_time_for_a_hostile_text_is_proportional_to_its_length() {
    let redactor = redactor();
    let time = |unit: &str, length: usize, times: usize| {
        let text = unit.repeat(length / unit.len());
        let start = std::time::Instant::now();
        for _ in 0..times {
            let redacted = redactor.text(text.as_str().into());
            let _ = redactor.sql(text.as_str().into());
            let _ = redactor.text(redacted);
        }
        start.elapsed().as_secs_f64()
    };
    for unit in [
        "a@",
        "a@b.c,",
        "://a:",
        "password=",
        "token: [",
        "token_count=[",
        "token_count='",
        "session_status: {",
        "4 ",
        "4111-",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "select from ",
        "select '",
        "Bearer ",
        "--token ",
        "'",
        "\\\"",
        "a.",
        "%40",
        "Some(",
        "password=\"\\",
        "é@é.é ",
        "<password>",
        "Token { ",
        "Password { ",
        "(\"password\", \"",
        "password%3D",
        "token_count%3D",
        "Key (email)=(",
        "value: ",
        "name: a value: ",
        "password:\n ",
        "session:\\n ",
        "$a$",
        "\\\\\\\"",
        "sk-",
        "code ABCD-EFGH-",
        "column \"email\": ",
        "Cookie\":",
    ] {
        // One long text and eight short ones of the same total length. Quadratic time would give a ratio of 8. Several
        // attempts, because a busy machine may interrupt one of the two.
        let ratio = || time(unit, MAX_TEXT, 1) / time(unit, MAX_TEXT / 8, 8);
        let least = (0..20).map(|_| ratio()).find(|ratio| *ratio < 4.0);
        assert!(least.is_some(), "{unit:?}");
    }
}

#[test]
fn hashes_agree_under_one_key_and_differ_otherwise() {
    let key = |key: &str| Secret::new(key.to_owned());
    let (one, same) = (Redactor::new(&[], Some(&key("k"))), Redactor::new(&[], Some(&key("k"))));
    // The output of `printf ann | openssl dgst -sha256 -hmac k`.
    assert_eq!(one.hashed("ann").to_string(), "9266175ac0e5692d");
    assert_eq!(one.hashed("ann").to_string(), same.hashed("ann").to_string());
    assert_eq!(value(&one, "email", one.hashed("ann")).to_string(), one.hashed("ann").to_string());
    assert_eq!(value(&one, "password", Value::Length(7)), Value::Length(7));
    assert_ne!(one.hashed("ann").to_string(), one.hashed("bob").to_string());
    assert_ne!(one.hashed("ann").to_string(), Redactor::new(&[], Some(&key("other"))).hashed("ann").to_string());
    assert_ne!(redactor().hashed("ann").to_string(), redactor().hashed("ann").to_string());
    assert!(!format!("{one:?}").contains("\"k\""));
}
