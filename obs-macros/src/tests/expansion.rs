//! What right uses become.

use super::{expanded, normal};

const CALLSITE: &str = "
    ::obs_runtime::__private::link! {
        Callsites __CALLSITE = ";
const PLACE: &str = "::core::module_path!(), ::core::file!(), ::core::line!()";
const JUDGE: &str = "|__value, __call| __call.judged({
    use ::obs_runtime::__private::judge::*;
    match (&&Judge(__value)).error() {
        ::core::option::Option::Some(__error) => ::core::option::Option::Some(
            (&&&&&&&Describe(__error)).describe().with_kind((&&Kind(__error)).kind())
        ),
        ::core::option::Option::None => ::core::option::Option::None,
    }
})";

const NO_ERROR: &str = "::obs_runtime::__private::judge::no_error";

pub fn assert_expansion(attribute: &str, args: &str, item: &str, expected: &str) {
    let expected = expected
        .replace("CALLSITE:", CALLSITE)
        .replace("PLACE", PLACE)
        .replace("JUDGE", JUDGE)
        .replace("NO_ERROR", NO_ERROR);
    let expected = expected.replace("obs::", "::obs_runtime::__private::");
    assert_eq!(expanded(attribute, args, item), normal(&expected));
}

#[test]
fn a_function_that_can_only_panic_keeps_its_body() {
    assert_expansion(
        "track_performance",
        "",
        "/// Doc.\npub fn f(mut a: A) -> u8 { #![allow(unused)] use x::y; y(a) }",
        "#[doc = \" Doc.\"] pub fn f(mut a: A) -> u8 {
            #![allow(unused)]
            let __call = {
                CALLSITE: obs::Callsite::operation(\"f\", PLACE) }
                obs::performance_in_place(__CALLSITE.begin())
            };
            ({ use x::y; y(a) })
        }",
    );
}

#[test]
fn a_sync_function_becomes_a_closure() {
    assert_expansion(
        "with_error_tracking",
        "",
        "pub fn f(a: u8) -> R { #![allow(unused)] use x::y; y(a) }",
        "pub fn f(a: u8) -> R {
            #![allow(unused)]
            CALLSITE: obs::Callsite::errors(\"f\", PLACE) }
            obs::errors(__CALLSITE.begin(), move || -> R { use x::y; y(a) }, JUDGE)
        }",
    );
}

#[test]
fn an_async_function_that_returns_a_closure_awaits_its_body_in_a_function() {
    assert_expansion(
        "with_error_tracking",
        "",
        "async fn f(a: u8) -> impl Fn(&str) -> usize { go(a).await; |text| text.len() }",
        "async fn f(a: u8) -> impl Fn(&str) -> usize {
            async fn __f_under_errors(a: u8) -> impl Fn(&str) -> usize { go(a).await; |text| text.len() }
            CALLSITE: obs::Callsite::errors(\"f\", PLACE) }
            obs::errors_async(__CALLSITE.begin(), __f_under_errors::<>(a), NO_ERROR).await
        }",
    );
    // No function can stand beside a method that may be a trait's.
    let method = "async fn f(&self) -> impl Fn(&str) -> usize { |text| text.len() }";
    assert!(expanded("track_performance", "", method).contains("performance_in_place"));
    let awaits = "async fn f(&self) -> impl Fn(&str) -> usize { go().await; |text: &str| text.len() }";
    assert!(expanded("track_performance", "", awaits).contains("performance_async"));
}

#[test]
fn an_async_function_becomes_a_future() {
    assert_expansion(
        "tracked_command",
        "level = \"warning\"",
        "async fn nightly_load(a: u8) -> Result<u8, E> { go(a).await }",
        "async fn nightly_load(a: u8) -> Result<u8, E> {
            CALLSITE: obs::Callsite::command(\"nightly-load\", PLACE).level(obs::Level::Warning) }
            obs::command_async(
                __CALLSITE.begin(),
                async move {
                    if let ::core::option::Option::Some(__value) = obs::expect_return::<Result<u8, E>>() { return __value; }
                    ({ go(a).await })
                },
                JUDGE,
                { use obs::at_end::{IsAny as _, IsSend as _}; (&&obs::at_end::Output::<Result<u8, E>>::new()).at_end() }
            ).await
        }",
    );
}

#[test]
fn the_future_of_a_command_whose_output_cannot_be_named_returns_at_once() {
    let returns_at_once = |item: &str| expanded("tracked_command", "", item).contains("ReturnAtOnce");
    for item in [
        "async fn f() -> ! { g().await }",
        "async fn f() -> impl Iterator<Item = u8> { g().await }",
        "async fn f() -> Result<impl Fn(), E> { g().await }",
        "fn f() -> BoxFuture<'static, u8> { g() }",
        "fn f() -> Pin<Box<dyn Future<Output = u8>>> { g() }",
    ] {
        assert!(returns_at_once(item), "{item}");
    }
    for item in
        ["async fn f() { g().await }", "async fn f() -> E { g().await }", "fn f() -> impl Future<Output = E> { g() }"]
    {
        assert!(!returns_at_once(item), "{item}");
    }
}

#[test]
fn arguments_are_captured_in_the_order_of_their_drops() {
    assert_expansion(
        "track_performance",
        "",
        "pub(super) fn f(self, a: A, n: u8, unused: B, r: &R, _: C) -> R { use_them(a, self, n, r) }",
        "pub(super) fn f(self, a: A, n: u8, unused: B, r: &R, __unnamed5: C) -> R {
            CALLSITE: obs::Callsite::operation(\"f\", PLACE) }
            obs::performance(
                __CALLSITE.begin(),
                move || -> R {
                    let _ = (&__unnamed5, &unused, &a, &self);
                    ({ use_them(a, self, n, r) })
                },
                JUDGE
            )
        }",
    );
    let expansion = |item: &str| expanded("track_performance", "", item);
    assert!(expansion("async fn f(a: A, b: B) { g(a, b) }").contains("{ let _ = ( & b , & a ) ;"));
    assert!(expansion("fn f(a: A, b: B) -> R { print!(\"{a}{b}\") }").contains("{ let _ = ( & b , & a ) ;"));
    assert!(expansion("fn f(a: A, _b: B) -> R { g(a) }").contains("{ * ( & _b , & a , & mut (  ) ) . 2 = (  ) ;"));
    assert!(expansion("fn f(self) -> R { g(self.0) }").contains("{ let _ = & self ;"));
    assert!(!expansion("fn f(a: A) -> R { g() }").contains("let _"), "told as unused");
    assert!(!expansion("fn f(_: A, b: &B, c: u8) -> R { g(b, c) }").contains("__unnamed"));
    assert!(expansion("fn f(a: A, #[cfg(x)] b: B, c: C) -> R { g() }").contains("{ let _ = ( & c , & a ) ;"));
    assert!(!expansion("async fn f(mut a: A, #[cfg(x)] b: B) -> R { g() }").contains("let b"));
}

#[test]
fn what_is_changed_is_borrowed() {
    let expansion = |item: &str| expanded("track_performance", "", item);
    let sync = expansion("fn f(mut self, mut a: A, mut r: &mut R, b: B) -> R { g() }");
    assert!(sync.starts_with("fn f ( mut self , mut a : A , r : & mut R , b : B ) - > R {"), "{sync}");
    assert!(sync.contains(", | | - > R { let mut r = r ; ( { g (  ) } ) }"), "{sync}");
    let later = expansion("async fn f(mut self, mut a: A, b: B, _c: C, n: u8) -> R { g() }");
    assert!(later.starts_with("async fn f ( mut self , a : A , b : B , _c : C , n : u8 ) - > R {"), "{later}");
    assert!(later.contains("async { if false { let _ = & mut self ; } let mut a = a ; let b = b ; if let"), "{later}");
}

#[test]
fn under_track_caller_the_body_is_a_function() {
    assert_expansion(
        "track_performance",
        "",
        "#[track_caller] pub fn f<T, const N: usize>(&self, mut a: [T; N], _: u8) -> R { g(a) }",
        "#[track_caller] pub fn f<T, const N: usize>(&self, a: [T; N], __unnamed2: u8) -> R {
            CALLSITE: obs::Callsite::operation(\"f\", PLACE) }
            let __call = __CALLSITE.begin();
            let __value = Self::__f_under_performance::<T, N>(self, a, __unnamed2);
            obs::ended(__call, __value, JUDGE)
        }
        #[track_caller] fn __f_under_performance<T, const N: usize>(&self, mut a: [T; N], _: u8) -> R { g(a) }",
    );
    let expansion = |item: &str| expanded("track_performance", "", item);
    assert!(
        expansion("#[track_caller] fn f(a: Row) -> Text { a }")
            .contains("{ # [ track_caller ] fn __f_under_performance")
    );
    let conditional = expansion("#[track_caller] fn f(a: Row, #[cfg(x)] b: Row) -> Text { a }");
    assert!(conditional.contains("( a , # [ cfg ( x ) ] b )"), "{conditional}");
    assert!(expansion("#[track_caller] fn f(&self) -> R { a }").contains("performance ( __CALLSITE"));
    assert!(expansion("#[track_caller] fn f((a, b): A) -> R { a }").contains("performance ( __CALLSITE"));
    assert!(expansion("#[track_caller] pub fn f(a: Vec<K>) -> Taken<K> { a }").contains("performance ( __CALLSITE"));
}

#[test]
fn a_fallback_that_names_an_argument_leaves_it_to_the_function() {
    let expansion = |args: &str, item: &str| expanded("with_error_tracking", args, item);
    assert!(!expansion("fallback = Ok(a)", "fn f(a: A) -> R { g(&a) }").contains("move"));
    assert!(!expansion("fallback = Ok(a)", "async fn f(a: A) -> R { g(&a).await }").contains("async move"));
    assert!(expansion("fallback = Ok(b)", "fn f(a: A, b: u8) -> R { g(&a) }").contains("move | |"));
    let inner = |fallback: &str| {
        let item = format!(
            "#[with_error_tracking(context(k = a), fallback = {fallback}, level = \"info\")] fn f(a: A) -> R {{ g(&a) }}"
        );
        expanded("track_performance", "", &item)
    };
    assert!(!inner("Ok(a)").contains("move"));
    assert!(inner("Ok(0)").contains("move | |"));
}

#[test]
fn impl_trait_is_inferred() {
    let expansion = |item: &str| expanded("track_performance", "", item);
    assert!(expansion("fn f() -> Result<impl Fn(), E> { g() }").contains("move | | - > Result < _ , E >"));
    assert!(expansion("fn f() -> Box<dyn Iterator<Item = impl Fn()>> { g() }").contains("move | | - > Box < _ >"));
    assert!(!expansion("async fn f() -> impl Fn() { g() }").contains("expect_return"));
    assert!(
        expansion("async fn f() -> Result<impl Fn(), E> { g() }").contains("expect_return : : < Result < _ , E > >")
    );
}

#[test]
fn a_closure_stays_the_last_expression() {
    for (attribute, guard) in [
        ("track_performance", "performance_in_place"),
        ("with_error_tracking", "errors_in_place"),
        ("tracked_command", "command_in_place"),
        ("bq_cost", "cost_in_place"),
    ] {
        let expansion = expanded(attribute, "", "fn f() -> impl for<'a> Fn(&'a str) -> &'a str + Send { |text| text }");
        assert!(expansion.contains(guard) && expansion.ends_with("( { | text | text } ) }"), "{expansion}");
        for several in ["(u8, impl Fn(&str))", "((impl Fn(&str)), impl Clone)"] {
            let expansion = expanded(attribute, "", &format!("fn f() -> {several} {{ g() }}"));
            assert!(expansion.contains(guard), "{expansion}");
        }
    }
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
            CALLSITE: obs::Callsite::command(\"x\", PLACE).function(\"f\") }
            obs::command(
                __CALLSITE.begin_with(|__entry| {
                    __entry.tag(\"type\", match &(a + 1) { __value => { use obs::text::*; (&&Text(__value)).text() } });
                    __entry.argument(\"a\", match &(a) { __value => { use obs::show::*; (&&&&&Show(__value)).show() } });
                    __entry.redacted(\"b\");
                    __entry.hashed(\"c\", match &(c) { __value => { use obs::hashed::*; (&&&&&Show(__value)).show() } });
                    __entry.length(\"d\", (d).len());
                    __entry.user(match &(me.name) { __value => { use obs::text::*; (&&Text(__value)).text() } });
                }),
                move || -> () {},
                NO_ERROR
            )
        }",
    );
}

#[test]
fn errors_are_told_apart() {
    assert_expansion(
        "with_error_tracking",
        "severity = \"warning\", ignore_if = E::fine, fallback = Ok(3), context(k = 1), fingerprint(\"a\")",
        "fn f() -> R {}",
        "fn f() -> R {
            CALLSITE: obs::Callsite::errors(\"f\", PLACE).severity(obs::Level::Warning) }
            if let ::core::option::Option::Some(__value) = obs::errors_or(
                __CALLSITE.begin_with(|__entry| {
                    __entry.context(\"k\", match &(1) { __value => { use obs::show::*; (&&&&&Show(__value)).show() } });
                    __entry.fingerprint(match &(\"a\") { __value => { use obs::text::*; (&&Text(__value)).text() } });
                }),
                move || -> R {},
                |__value, __call| __call.judged({ use obs::judge::*; (&&Judge(__value)).error() }
                    .filter(|&__value| !match E::fine { __path => { use obs::verdict::*; (&&&Verdict(__path, __value)).say() } })
                    .map(|__error| { use obs::judge::*; (&&&&&&&Describe(__error)).describe().with_kind((&&Kind(__error)).kind()) }))
            ) { return __value; }
            Ok(3)
        }",
    );
}

#[test]
fn the_users_function_judges_first() {
    let judged = JUDGE.strip_prefix("|__value, __call| __call.judged(").unwrap().strip_suffix(")").unwrap();
    for key in ["ok_if", "error_if"] {
        let expansion = expanded("track_performance", &format!("{key} = fine"), "fn f() -> u8 { 1 }");
        let wanted = normal(&format!(
            "|__value, __call| __call.judged(::obs_runtime::__private::judge::{key}(match fine {{ __path => {{ use ::obs_runtime::__private::verdict::*; (&&&Verdict(__path, __value)).say() }} }}, || {judged}))"
        ));
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
            CALLSITE: obs::Callsite::cost(\"f\", PLACE).query_type(\"select\").alert_over_usd(5.0) }
            obs::cost(
                __CALLSITE.begin_with(|__entry| { __entry.dataset(match &(d) { __value => { use obs::text::*; (&&Text(__value)).text() } }); }),
                move || -> () {},
                NO_ERROR,
                |__value| { use obs::statistics::*; (&&Statistics(__value)).statistics() }
            )
        }",
    );
}

#[test]
fn costs_have_limits_and_labels() {
    assert_expansion(
        "bq_cost",
        "max_usd = 20, max_bytes = \"1 KiB\", max_slot_hours = 2, budget = \"daily\", labels(team = t), crate = ::obs_runtime",
        "fn f() {}",
        "fn f() {
            CALLSITE: obs::Callsite::cost(\"f\", PLACE).max_usd(20.0).max_bytes(1024).max_slot_hours(2.0).budget(\"daily\") }
            obs::cost(
                __CALLSITE.begin_with(|__entry| { __entry.label(\"team\", match &(t) { __value => { use obs::text::*; (&&Text(__value)).text() } }); }),
                move || -> () {},
                NO_ERROR,
                |__value| { use obs::statistics::*; (&&Statistics(__value)).statistics() }
            )
        }",
    );
}

#[test]
fn a_main_that_initialises_returns_the_exit_code() {
    for (args, lenient) in [("init", ""), ("init = \"lenient\"", ".lenient()")] {
        assert_expansion(
            "tracked_command",
            &format!("{args}, name = \"job\""),
            "fn main() -> R { #![allow(unused)] run() }",
            &format!(
                "fn main() -> ::std::process::ExitCode {{
                    #![allow(unused)]
                    CALLSITE: obs::Callsite::command(\"job\", PLACE).function(\"main\") }}
                    obs::EntryPoint::new(&__CALLSITE, ::core::env!(\"CARGO_PKG_NAME\"), ::core::env!(\"CARGO_PKG_VERSION\")){lenient}.run(
                        || obs::command(__CALLSITE.begin(), move || -> R {{ run() }}, JUDGE),
                        |__value, __reported| {{ use obs::exit_code::*; (&&Exit::new(__value)).exit_code(__reported) }}
                    )
                }}"
            ),
        );
    }
}
