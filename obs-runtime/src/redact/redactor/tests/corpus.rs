//! Secrets that must not leave, and similar texts that must: one corpus for every exporter. See `obs_tests::leaks`.

// As this file is also included by another crate, its modules are given by their paths.
#[path = "corpus/formats.rs"]
mod formats;
#[path = "corpus/look_alikes.rs"]
mod look_alikes;
#[path = "corpus/texts.rs"]
mod texts;

use std::fmt::Write as _;

/// A secret or personal data within a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The kind of secret.
    pub kind: &'static str,
    /// The text.
    pub text: &'static str,
    /// The part of it that must not leave.
    pub part: &'static str,
}

const fn sample(kind: &'static str, text: &'static str, part: &'static str) -> Sample {
    Sample { kind, text, part }
}

/// Secrets that are recognised by their form, in any place.
pub fn samples() -> impl Iterator<Item = &'static Sample> {
    SAMPLES.iter().chain(formats::FORMATS).chain(texts::TEXTS)
}

/// Texts that look like secrets and are none.
pub fn look_alikes() -> impl Iterator<Item = &'static str> {
    LOOK_ALIKES.iter().chain(look_alikes::MORE_LOOK_ALIKES).copied()
}

const SAMPLES: &[Sample] = &[
    sample("bearer", "Bearer abcdef0123456789", "abcdef0123456789"),
    sample("bearer", "authorization: bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
    sample("bearer", "{'Authorization': 'Bearer mF_9.B5f-4.1JqN'}", "mF_9.B5f-4.1JqN"),
    sample("basic", "Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    sample("basic", "proxy-authorization: basic QWxhZGRpbjpvcGVu", "QWxhZGRpbjpvcGVu"),
    sample(
        "json web token",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "dozjgNryP4J3jVmNHl0w5N",
    ),
    sample("json web token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.", "eyJzdWIiOiJhbm4ifQ"),
    sample("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    sample("private key", "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADAN", "MIIEvQ"),
    sample(
        "private key",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
        "b3BlbnNza",
    ),
    sample("google", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "SyA1234567890"),
    sample("google", "ya29.a0AfH6SMBx1234567890abcdefghij", "a0AfH6SMBx"),
    sample("google", "GOCSPX-1234567890abcdefghijklmnopqr", "1234567890abcdefghijklmnopqr"),
    sample("aws", "AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    sample("aws", "ASIAIOSFODNN7EXAMPLF", "IOSFODNN7"),
    sample("aws", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
    sample("github", "ghp_1234567890abcdefghijklmnopqrstuvwxyz", "1234567890abcdefghijklmnopqrstuvwxyz"),
    sample("github", "gho_2234567890abcdefghijklmnopqrstuvwxyz", "2234567890abc"),
    sample("github", "github_pat_11ABCDEFG0123456789_abcdefghijklmnop", "11ABCDEFG"),
    sample("gitlab", "glpat-12345678901234567890", "12345678901234567890"),
    sample("slack", "xoxb-1234567890-abcdefghij", "abcdefghij"),
    sample("slack", "xoxp-1234567890-abcdefghij", "abcdefghij"),
    sample("slack", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX", "XXXXXXXX"),
    sample("stripe", concat!("sk_", "live_1234567890abcdefghij"), "1234567890abcdefghij"),
    sample("model provider", "sk-proj-Abcdefghij1234567890", "Abcdefghij1234567890"),
    sample("sendgrid", "SG.abcdefghijklmnopqr.stuvwxyz0123456789", "stuvwxyz0123456789"),
    sample("npm", "npm_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz0123456789"),
    sample("pypi", "pypi-AgEIcHlwaS5vcmcCJDk1MDQ4", "AgEIcHlwaS5vcmcCJDk1MDQ4"),
    sample("docker", "dckr_pat_abcdefghij-KLMNOPQRST", "abcdefghij-KLMNOPQRST"),
    sample("vault", "hvs.CAESIJlU02LQZq0YDnGvqAhz", "CAESIJlU02LQZq0YDnGvqAhz"),
    sample("hugging face", "hf_abcdefghijKLMNOPQRSTuvwx", "abcdefghijKLMNOPQRSTuvwx"),
    sample("digitalocean", "dop_v1_0123456789abcdef0123456789abcdef0123", "0123456789abcdef0123456789abcdef"),
    sample("age", "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "QQPZRY9X8GF2TVDW0S3JN54"),
    sample("azure", "AccountName=data;AccountKey=c2VjcmV0LWtleS0x;EndpointSuffix=core", "c2VjcmV0LWtleS0x"),
    sample("azure", "Endpoint=sb://x.local/;SharedAccessKey=c2VjcmV0LWtleS0y", "c2VjcmV0LWtleS0y"),
    sample("signed URL", "https://a.blob.local/data.csv?sv=2024-05-04&sig=c2lnbmF0dXJlLTE%3D&sp=r", "c2lnbmF0dXJlLTE"),
    sample(
        "signed URL",
        "https://storage.local/b/o?X-Goog-Expires=900&X-Goog-Signature=247a2aa45f169edf4d187d54e7cc46e4",
        "247a2aa45f169edf",
    ),
    sample(
        "signed URL",
        "https://b.s3.local/o?X-Amz-Security-Token=IQoJb3JpZ2luX2Vj&X-Amz-Signature=fe5f80f77d5fa3beca038a248ff0",
        "fe5f80f77d5fa3be",
    ),
    sample("sentry", "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/42", "0123456789abcdef"),
    sample("sentry", "https://0123456789abcdef0123456789abcdef:fedcba9876543210@sentry.local/42", "fedcba9876543210"),
    sample("password in a URL", "postgres://app:hunter2@db.local:5432/app", "hunter2"),
    sample("password in a URL", "postgres://app:hun/ter2@db.local/app", "hun/ter2"),
    sample("password in a URL", "mysql://root:p@ss@db/app", "p@ss"),
    sample("password in a URL", "redis://:hunter2@cache:6379", "hunter2"),
    sample("password in a URL", "http://a:80/x,postgres://app:hunter2@db.local", "hunter2"),
    sample("e-mail address", "ann.lee+x@example.com", "ann.lee"),
    sample("e-mail address", "https://example.com/?to=ann%40example.org", "ann%40"),
    sample("e-mail address", "ünal@exämple.de", "ünal"),
    sample("card", "4111111111111111", "4111111111111111"),
    sample("card", "4111 1111 1111 1111", "4111 1111"),
    sample("card", "5500-0000-0000-0004", "5500-0000"),
    sample("card", "3782 822463 10005", "822463 1"),
    sample("card", "6011111111111117", "6011111111111117"),
    sample("card", "30569309025904", "30569309025904"),
    sample("password", "password=hunter2", "hunter2"),
    sample("password", "PASSWORD = 'hunter two'", "hunter two"),
    sample("password", "password: hunter2", "hunter2"),
    sample("password", "db_password: \"hunter2\"", "hunter2"),
    sample("password", "{\"password\":\"hunter2\",\"user\":5}", "hunter2"),
    sample("password", "passwords: [\"hunter2\", \"hunter3\"]", "hunter3"),
    sample("password", "the password is \"hunter2\"", "hunter2"),
    sample("password", "for ann the passphrase was 'hunter two'", "hunter two"),
    sample("token", "a session token of `hunter2abc`", "hunter2abc"),
    sample("password", "run --db-password hunter2 --dry-run", "hunter2"),
    sample("password", "Server=db;Uid=app;Pwd=hunter2;", "hunter2"),
    sample("API key", "{\\\"apiKey\\\":\\\"hunter2\\\"}", "hunter2"),
    sample("API key", "https://api.local/v1?api_key=hunter2&x=1", "hunter2"),
    sample("API key", "x-api-key: hunter2", "hunter2"),
    sample("token", "Config { token: Some(\"hunter2\"), port: 5 }", "hunter2"),
    sample("token", "token: hunter2", "hunter2"),
    sample("client secret", "'client_secret' => 'hunter2'", "hunter2"),
    sample("cookie", "Cookie: session=abc; theme=hunter2", "hunter2"),
    sample("telephone", "phone=+49 151 23456789", "151 23456789"),
    sample("SQL literal", "failed: SELECT * FROM people WHERE name = 'Ann Lee'", "Ann Lee"),
];

/// Secrets that are recognised by the name of their field, argument or tag alone.
pub const NAMED: &[(&str, &str)] = &[
    ("password", "opaque-value-01"),
    ("dbPassword", "opaque-value-02"),
    ("passwd", "opaque-value-03"),
    ("client_secret", "opaque-value-04"),
    ("auth_token", "opaque-value-05"),
    ("API-KEY", "opaque-value-06"),
    ("credentials", "opaque-value-07"),
    ("Authorization", "opaque-value-08"),
    ("set-cookie", "opaque-value-09"),
    ("privateKey", "opaque-value-10"),
    ("sentry_dsn", "opaque-value-11"),
    ("session_id", "opaque-value-12"),
    ("userEmail", "opaque-value-13"),
    ("phone_number", "opaque-value-14"),
    ("customer_ssn", "opaque-value-15"),
    ("db_pass", "opaque-value-16"),
    ("pwd", "opaque-value-17"),
    ("password1", "opaque-value-18"),
    ("api_key2", "opaque-value-19"),
    ("jwt", "opaque-value-20"),
    ("creds", "opaque-value-21"),
    ("bearer", "opaque-value-22"),
    ("signing_key", "opaque-value-23"),
    ("encryption_key", "opaque-value-24"),
    ("ssh_key", "opaque-value-25"),
    ("connection_string", "opaque-value-26"),
    ("database_url", "opaque-value-27"),
    ("MS_GRAPH_CLIENT_SECRET", "opaque-value-28"),
    ("STATUS_PAGE_API_KEY", "opaque-value-29"),
    ("RATE_LIMIT_PASSWORD", "opaque-value-30"),
    ("cvv", "opaque-value-31"),
    ("card_number", "opaque-value-32"),
    ("iban", "opaque-value-33"),
    ("otp", "opaque-value-34"),
    ("pin", "opaque-value-35"),
    ("JSESSIONID", "opaque-value-36"),
    ("mobile", "opaque-value-37"),
    ("passport", "opaque-value-38"),
    ("dob", "opaque-value-39"),
    ("Passwort", "opaque-value-40"),
    ("mot_de_passe", "opaque-value-41"),
    ("contrasena", "opaque-value-42"),
    ("senha", "opaque-value-43"),
    ("wachtwoord", "opaque-value-44"),
    ("haslo", "opaque-value-45"),
    ("pasuwado", "opaque-value-46"),
];

const LOOK_ALIKES: &[&str] = &[
    "550e8400-e29b-41d4-a716-446655440000",
    "41111111-1111-4111-8111-111111111111",
    "0190163d-8694-739b-aea5-966c26f8ad91",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "125e25e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "bqjob_r4111111111111111_00000190163d8694_1",
    "my-project:EU.bquxjob_1a2b3c4d_190163d8694",
    "2026-01-01T00:00:00.000000Z",
    "2026-01-01 00:00:00 2026-01-02 00:00:00",
    "20260101000000",
    "1700000000000",
    "1700000000000000",
    "1700000000000000000",
    "9223372036854775807",
    "18446744073709551615",
    "4111111111111112",
    "41111111111111110000",
    "0000000000000000",
    "order-4111111111111111",
    "/var/lib/data/2026/01/01/part-00000.snappy.parquet",
    "C:\\data\\penguins.csv",
    "bigquery-public-data.samples.shakespeare",
    "project.dataset.session_events",
    "tokens_used=512 token_count=3 session_count: 12",
    "max_tokens: 4096",
    "the secretary: busy",
    "unexpected token: `}` at line 5",
    "session: started",
    "token::parse failed",
    "basic configuration and bearer authentication",
    "http://127.0.0.1:8000/metrics",
    "http://localhost:8000/find?at=a@b",
    "git@github.com:org/repo.git",
    "ssh://deploy@build.example.com/repo",
    "nightly-load@0.1.0",
    "nightly-load@1.2.3.rc",
    "@daily",
    "user@localhost",
    "192.168.1.1:5432",
    "12:00:00",
    "sk-learn-pipeline-for-penguins-of-palmer",
    "a = b, c: d, e=f",
    "can't read 'penguins.csv'",
    "could not select rows from 'penguins'",
    "3.14159265358979323846",
    "-----BEGIN CERTIFICATE-----",
    "1234 5678 9012 3456",
    "2020 2021 2022 2023 2024 2025",
    "password: None",
    "ghp_short",
    "eyJ",
    "AKIA",
    "café → 日本語 🐧",
    "is the password valid? yes",
    "token_type=Bearer",
    "https://example.com/report?figure=12&config=small",
    "the next token is `}` and the last token was 'end'",
    "the session is \"closed\"",
    "the signature: fn load(table: &str)",
    "half_open, off_by_one, v1_tables",
    "",
];

/// A text within other texts, as programs log it.
#[must_use]
pub fn places(text: &str) -> Vec<String> {
    /// Longer than what is exported of a text, less than what is read of it.
    const LIMIT: usize = 64 * 1024;
    vec![
        text.to_owned(),
        format!("could not load: {text}"),
        format!("could not load: {text}, giving up"),
        format!("({text})"),
        format!("[{text}]"),
        format!("日本 {text} 🐧"),
        format!("line one\n{text}\nline three"),
        format!("a\t{text}\tb"),
        format!("{} {text}", "clean ".repeat(200)),
        format!("Note {{ text: {text:?}, rows: 5 }}"),
        format!("Err({:?})", format!("Note {{ text: {text:?} }}")),
        format!("https://example.com/find?q={text}"),
        format!("/data/{text}/part-0.csv"),
        format!("{},{text},{}", "x".repeat(LIMIT - 60), "y".repeat(2048)),
    ]
}

/// The secrets of the corpus that an output contains.
#[must_use]
pub fn left_in(output: &str) -> Vec<String> {
    let samples = samples().filter(|sample| output.contains(sample.part));
    let named = NAMED.iter().filter(|(_, value)| output.contains(value));
    let seen = samples.map(|sample| format!("{}: {}", sample.kind, sample.part));
    seen.chain(named.map(|(name, value)| format!("{name}: {value}"))).collect()
}

/// Panics when an output contains a secret of the corpus.
pub fn assert_nothing_left(place: &str, output: &str) {
    let left = left_in(output);
    if left.is_empty() {
        return;
    }
    let mut lines = String::new();
    for line in output.lines().filter(|line| !left_in(line).is_empty()).take(5) {
        let _ = write!(lines, "\n  {line}");
    }
    panic!("left in {place}: {left:?}{lines}");
}
