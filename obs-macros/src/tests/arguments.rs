//! `args(…)`, `tags(…)` and `context(…)`.

use super::{accepted, message, messages, messages_in, messages_on};

#[test]
fn an_argument_is_one_of_the_function() {
    assert_eq!(
        message("track_performance", "args(tabel)"),
        "the function has no argument `tabel`, did you mean `table`? it takes `table`, `rows` and `password`",
    );
    assert_eq!(
        message("track_performance", "args(column = hash)"),
        "the function has no argument `column`; it takes `table`, `rows` and `password`",
    );
    assert_eq!(
        messages_on("track_performance", "args(x)", "fn f() {}"),
        ["the function has no argument `x`; it takes none"],
    );
    assert_eq!(
        messages_on("track_performance", "args(self)", "fn f(&self) {}"),
        ["`self` cannot be recorded as a whole; record a field: `args(id = self.id)`"],
    );
}

#[test]
fn names_bound_by_patterns_are_arguments() {
    let item = "fn f((a, _): (u8, u8), Point { x, y: [b, .., c @ 3] }: Point, &mut ref d: &mut u8, r#type: u8) {}";
    let messages = |args: &str| messages_in(super::expand("track_performance", args, item));
    assert_eq!(messages("args(a, x, b, c, d, r#type)"), Vec::<String>::new());
    assert_eq!(messages("args(type)"), Vec::<String>::new());
    assert_eq!(messages("args(y)"), ["the function has no argument `y`; it takes `a`, `x`, `b`, `c`, `d` and `type`"],);
}

#[test]
fn a_secret_is_not_recorded_in_full() {
    assert_eq!(
        message("track_performance", "args(password)"),
        "`password` looks like a secret and would be recorded in full; \
         write `password = redact`, `password = hash` or `password = len`",
    );
    assert_eq!(
        message("track_performance", "args(dsn = config.dsn)"),
        "`dsn` looks like a secret and would be recorded in full; remove it",
    );
    assert_eq!(
        message("track_performance", "args(p = password)"),
        "`password` looks like a secret and would be recorded in full; \
         write `password = redact`, `password = hash` or `password = len`",
    );
    for form in ["redact", "hash", "len"] {
        accepted("track_performance", &format!("args(password = {form})"));
    }
}

#[test]
fn secrets_are_known_by_the_words_of_a_name() {
    for name in [
        "passwd",
        "user_password",
        "client_secret",
        "api_key",
        "API_KEY",
        "apikey",
        "token",
        "access_token",
        "tokens",
        "credentials",
        "authorization",
        "cookie",
        "private_key",
        "sentry_dsn",
        "session_id",
        "key",
    ] {
        let item = format!("fn f({name}: &str) {{}}");
        assert_eq!(messages_on("track_performance", &format!("args({name})"), &item).len(), 1, "{name}");
    }
    for name in [
        "jwt",
        "signing_key",
        "database_url",
        "DB_PASS",
        "pw",
        "password1",
        "api_key2",
        "pin",
        "iban",
        "email",
        "card_number",
        "ms_graph_client_secret",
        "status_page_api_key",
        "rate_limit_password",
        "passwort",
        "mot_de_passe",
        "contrasena",
        "senha",
        "wachtwoord",
        "haslo",
    ] {
        let item = format!("fn f({name}: &str) {{}}");
        assert_eq!(messages_on("track_performance", &format!("args({name})"), &item).len(), 1, "{name}");
    }
    for name in [
        "tokenizer",
        "partition_key",
        "secretary",
        "token_count",
        "keys",
        "dsnx",
        "has_password",
        "password_age",
        "compass",
    ] {
        let item = format!("fn f({name}: &str) {{}}");
        let expansion = super::expand("track_performance", &format!("args({name})"), &item);
        assert_eq!(messages_in(expansion), Vec::<String>::new());
    }
}

#[test]
fn secrets_inside_an_expression_are_known() {
    for value in [
        "c.password",
        "&c.password",
        "c.password.as_str()",
        "c.auth.token()",
        "self::API_KEY",
        "c.token?",
        "c.token.await",
        "c.passwords[0]",
        "*c.password",
        "c.password.clone().unwrap()",
    ] {
        let found = messages_on("track_performance", &format!("args(x = {value})"), "fn f(c: &C) {}");
        assert!(found.len() == 1 && found[0].contains("looks like a secret"), "{value}: {found:?}");
    }
    for value in [
        "c.password.len()",
        "c.password.is_empty()",
        "c.token_count",
        "&c.key",
        "c.tokens.len()",
        "c.name",
        "1 + 2",
        "table(c)",
    ] {
        let expansion = super::expand("track_performance", &format!("args(x = {value})"), "fn f(c: &C) {}");
        assert_eq!(messages_in(expansion), Vec::<String>::new(), "{value}");
    }
}

#[test]
fn names_stand_once_in_a_list() {
    assert_eq!(message("bq_cost", "tags(a = 1, a = 2)"), "`a` is a duplicate in `tags`; remove one");
    assert_eq!(message("bq_cost", "args(rows, rows = 2)"), "`rows` is a duplicate in `args`; remove one");
    assert_eq!(
        message("with_error_tracking", "context(a = 1, r#a = 2)"),
        "`a` is a duplicate in `context`; remove one",
    );
}

#[test]
fn labels_of_our_own_are_no_tags() {
    for name in ["operation", "outcome", "service", "environment", "version", "error_type"] {
        assert_eq!(
            message("bq_cost", &format!("tags({name} = 1)")),
            format!("`{name}` is a label set by obs; rename the tag"),
        );
    }
}

#[test]
fn names_in_a_list_have_values() {
    assert_eq!(message("bq_cost", "tags(a)"), "`a` has no value: `tags(a = expr)`");
    assert_eq!(message("bq_cost", "args(rows(3))"), "`rows` has no value: `args(rows = expr)`");
    assert_eq!(message("with_error_tracking", "context(rows)"), "`rows` has no value: `context(rows = expr)`");
    assert_eq!(message("bq_cost", "tags(3)"), "expected a name: `tags(k = expr, …)`");
}

#[test]
fn a_check_has_values_only() {
    assert_eq!(message("dq_check", "args(table)"), "`table` has no value: `args(table = expr)`");
    assert_eq!(
        message("dq_check", "args(table = redact)"),
        "a check has no argument to `redact`; record a value: `table = expr`",
    );
    assert_eq!(
        message("dq_check", "args(token = TOKEN)"),
        "`token` looks like a secret and would be recorded in full; remove it",
    );
}

#[test]
fn half_typed_lists_keep_their_other_mistakes() {
    let found = messages("track_performance", "args(tabel, rows = , password), tags(a = rows., b = 1, b = 2)");
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn under_rstest_the_order_is_told() {
    let said = messages_on("track_performance", "args(given)", "#[test] fn case_1() {}");
    let told = "the function has no argument `given`; it takes none; if this is an `#[rstest]` case, put the attribute above `#[rstest]`";
    assert_eq!(said, [told]);
}
