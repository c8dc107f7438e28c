//! What right uses become.

use super::{expanded, normal};

const CALLSITE: &str = "
    #[::obs_runtime::__private::linkme::distributed_slice(::obs_runtime::__private::CALLSITES)]
    #[linkme(crate = ::obs_runtime::__private::linkme)]
    static CALLSITE: ::obs_runtime::__private::Callsite = ";
const PLACE: &str = "::core::module_path!(), ::core::file!(), ::core::line!()";
const JUDGE: &str = "|value| {
    use ::obs_runtime::__private::judge::*;
    (&&Judge(value)).error().map(|error| (&&&&&&Describe(error)).describe().labelled((&&Kind(error)).kind()))
}";

fn assert_expansion(attribute: &str, args: &str, item: &str, expected: &str) {
    let expected = expected.replace("CALLSITE:", CALLSITE).replace("PLACE", PLACE).replace("JUDGE", JUDGE);
    let expected = expected.replace("obs::", "::obs_runtime::__private::");
    assert_eq!(expanded(attribute, args, item), normal(&expected));
}

#[test]
fn a_sync_function_becomes_a_closure() {
    assert_expansion(
        "track_performance",
        "",
        "/// Doc.\npub fn f(a: u8) -> u8 { #![allow(unused)] use x::y; y(a) }",
        "#[doc = \" Doc.\"] pub fn f(a: u8) -> u8 {
            #![allow(unused)]
            CALLSITE: obs::Callsite::operation(\"f\", PLACE);
            obs::performance( CALLSITE.begin(), move || -> u8 { use x::y; y(a) }, JUDGE)
        }",
    );
}

#[test]
fn an_async_function_becomes_a_future() {
    assert_expansion(
        "tracked_command",
        "level = \"warning\"",
        "async fn nightly_load(a: u8) -> Result<u8, E> { go(a).await }",
        "async fn nightly_load(a: u8) -> Result<u8, E> {
            CALLSITE: obs::Callsite::command(\"nightly-load\", PLACE).level(obs::Level::Warning);
            obs::command_async(
                CALLSITE.begin(),
                async move {
                    if let ::core::option::Option::Some(value) = obs::expect_return::<Result<u8, E>>() { return value; }
                    { go(a).await }
                },
                JUDGE
            ).await
        }",
    );
}

#[test]
fn impl_trait_is_inferred() {
    let expansion = |item: &str| expanded("track_performance", "", item);
    assert!(expansion("fn f() -> Result<impl Fn(), E> { g() }").contains("move | | - > Result < _ , E >"));
    assert!(expansion("fn f() -> Box<dyn Iterator<Item = impl Fn()>> { g() }").contains("move | | - > Box < _ >"));
    assert!(!expansion("async fn f() -> impl Fn() { g() }").contains("expect_return"));
}

#[test]
fn a_boxed_future_is_wrapped_inside() {
    assert_expansion(
        "track_performance",
        "",
        "fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> { log(); ::std::boxed::Box::pin(async move { self.a }) }",
        "fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> {
            log();
            ::std::boxed::Box::pin(async move {
                CALLSITE: obs::Callsite::operation(\"f\", PLACE);
                obs::performance_async(
                    CALLSITE.begin(),
                    async move {
                        if let ::core::option::Option::Some(value) = obs::expect_return::<u8>() { return value; }
                        { self.a }
                    },
                    JUDGE
                ).await
            })
        }",
    );
}

#[test]
fn a_boxed_future_that_is_made_elsewhere_is_a_value() {
    let expansion = expanded("track_performance", "", "fn f() -> Pin<Box<dyn Future<Output = u8>>> { Box::pin(g()) }");
    assert!(expansion.contains("performance ( CALLSITE"), "{expansion}");
}

#[test]
fn an_async_function_without_end_has_an_output_without_values() {
    let expansion = expanded("track_performance", "", "async fn f() -> ! { loop {} }");
    assert!(expansion.contains("expect_return : : < : : core : : convert : : Infallible >"), "{expansion}");
    assert!(expansion.contains("match : : obs_runtime"), "{expansion}");
}

#[test]
fn tags_and_arguments_are_noted_at_entry() {
    assert_expansion(
        "tracked_command",
        "name = \"x\", user = me.name, tags(r#type = a + 1), args(a, b = redact, c = hash, d = len)",
        "fn f(a: u8, b: u8, c: u8, d: &str) {}",
        "fn f(a: u8, b: u8, c: u8, d: &str) {
            CALLSITE: obs::Callsite::command(\"x\", PLACE);
            obs::command(
                CALLSITE.begin_with(|entry| {
                    entry.tag(\"type\", &(a + 1));
                    entry.argument(\"a\", match &(a) { value => { use obs::show::*; (&&&&Show(value)).show() } });
                    entry.redacted(\"b\");
                    entry.hashed(\"c\", match &(c) { value => { use obs::show::*; (&&&&Show(value)).show() } });
                    entry.length(\"d\", (d).len());
                    entry.user(&(me.name));
                }),
                move || -> () {},
                JUDGE
            )
        }",
    );
}

#[test]
fn errors_are_told_apart() {
    assert_expansion(
        "with_error_tracking",
        "severity = \"warning\", ignore_if = E::fine, fallback = Ok(3), context(k = 1)",
        "fn f() -> R {}",
        "fn f() -> R {
            CALLSITE: obs::Callsite::errors(\"f\", PLACE).severity(obs::Level::Warning);
            obs::errors_or(
                CALLSITE.begin_with(|entry| {
                    entry.context(\"k\", match &(1) { value => { use obs::show::*; (&&&&Show(value)).show() } });
                }),
                move || -> R {},
                |value| { use obs::judge::*; (&&Judge(value)).error() }
                    .filter(|&value| !E::fine(value))
                    .map(|error| { use obs::judge::*; (&&&&&&Describe(error)).describe().labelled((&&Kind(error)).kind()) }),
                || Ok(3)
            )
        }",
    );
}

#[test]
fn the_users_function_judges_first() {
    let judged = JUDGE.replace("|value| ", "");
    for key in ["ok_if", "error_if"] {
        let expansion = expanded("track_performance", &format!("{key} = fine"), "fn f() -> u8 { 1 }");
        let wanted = normal(&format!("|value| ::obs_runtime::__private::judge::{key}(fine(value), || {judged})"));
        assert!(expansion.contains(&wanted), "{expansion}");
    }
}

#[test]
fn costs_have_statistics() {
    assert_expansion(
        "bq_cost",
        "query_type = \"select\", dataset = d, alert_over_usd = 5, crate = ::obs_runtime",
        "fn f() {}",
        "fn f() {
            CALLSITE: obs::Callsite::cost(\"f\", PLACE).query_type(\"select\").alert_over_usd(5.0);
            obs::cost(
                CALLSITE.begin_with(|entry| { entry.dataset(&(d)); }),
                move || -> () {},
                JUDGE,
                |value| { use obs::statistics::*; (&&Statistics(value)).statistics() }
            )
        }",
    );
}

#[test]
fn checks_are_registered() {
    assert_expansion(
        "health_check",
        "timeout = \"1m 30s\", critical = false, tags(a = 1)",
        "fn r#database() -> Result<(), E> { ping() }",
        "fn r#database() -> Result<(), E> {
            #[obs::linkme::distributed_slice(obs::HEALTH_CHECKS)]
            #[linkme(crate = obs::linkme)]
            static CHECK: obs::HealthCheck =
                obs::HealthCheck::new(\"database\", PLACE, || obs::HealthCheck::ready(r#database()))
                .timeout_millis(90000).critical(false).describe(|entry| { entry.tag(\"a\", &(1)); });
            ping()
        }",
    );
    assert_expansion(
        "dq_check",
        "dataset = names::DATASET, severity = \"info\", warn_below = -3, fail_above = 1_000",
        "async fn nulls() -> f64 { 0.5 }",
        "async fn nulls() -> f64 {
            #[obs::linkme::distributed_slice(obs::QUALITY_CHECKS)]
            #[linkme(crate = obs::linkme)]
            static CHECK: obs::QualityCheck =
                obs::QualityCheck::new(\"nulls\", PLACE, || obs::QualityCheck::pending(nulls()))
                .dataset(names::DATASET).severity(obs::Severity::Info).fail_above(1000.0).warn_below(-3.0);
            0.5
        }",
    );
}
