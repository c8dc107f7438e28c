//! Expansions of checks.

use super::expansion::assert_expansion;

#[test]
fn checks_are_registered() {
    assert_expansion(
        "health_check",
        "timeout = \"1m 30s\", critical = false, tags(a = 1)",
        "fn r#database() -> Result<(), E> { ping() }",
        "fn r#database() -> Result<(), E> {
            const _: () = { obs::link! { Health CHECK = obs::HealthCheck::declared(\"database\", PLACE, || obs::HealthCheck::ready(r#database()))
                .timeout_millis(90000).critical(false).describe(|__entry| { __entry.tag(\"a\", match &(1) { __value => { use obs::text::*; (&&Text(__value)).text() } }); }) } };
            ping()
        }",
    );
    assert_expansion(
        "dq_check",
        "dataset = names::DATASET, severity = \"info\", warn_below = -3, fail_above = 1_000",
        "#[doc = \" One\"] #[doc = \" line.\"] #[doc = \"\"] #[doc = \" Not this.\"] async fn nulls() -> f64 { 0.5 }",
        "#[doc = \" One\"] #[doc = \" line.\"] #[doc = \"\"] #[doc = \" Not this.\"] async fn nulls() -> f64 {
            const _: () = { obs::link! { Quality CHECK = obs::QualityCheck::declared(\"nulls\", PLACE, || obs::QualityCheck::pending(nulls()))
                .declared_dataset(names::DATASET).description(\"One line.\").severity(obs::Severity::Info).fail_above(1000.0).warn_below(-3.0) } };
            0.5
        }",
    );
}

#[test]
fn a_check_has_its_own_keys() {
    assert_expansion(
        "health_check",
        "groups(\"live\", names::GROUP), cache = \"10s\", after(\"database\"), failures = 3",
        "fn queue() {}",
        "fn queue() {
            const _: () = { obs::link! { Health CHECK = obs::HealthCheck::declared(\"queue\", PLACE, || obs::HealthCheck::ready(queue()))
                .groups(&[\"live\", names::GROUP]).cache_millis(10000).after(&[\"database\"]).failures(3) } };
        }",
    );
    assert_expansion(
        "dq_check",
        "for_each = tables(), blocking = true, after(\"loaded\"), require_rows = 3, fail_above = MAX, partition = Day",
        "async fn rows(table: &str) -> u64 { 1 }",
        "async fn rows(table: &str) -> u64 {
            const _: () = { obs::link! { Quality CHECK = obs::QualityCheck::declared_each(\"rows\", PLACE, || {
                let __items = tables();
                let __items = { use obs::each::*; (&Each(&__items)).each().items(__items) };
                obs::QualityCheck::each(__items, &[\"table\"], |__item| obs::QualityCheck::pending(async move { rows(&*__item).await }))
            }).fail_above({
                #[allow(clippy::all, clippy::pedantic, trivial_numeric_casts)]
                const __LIMIT: f64 = (MAX) as f64;
                __LIMIT
            }).require_rows(3).blocking(true).after(&[\"loaded\"]).partition(obs::PartitionUnit::Day) } };
            1
        }",
    );
}

#[test]
fn limits_of_rows_and_ages_are_settings_and_a_function_gives_bounds() {
    assert_expansion(
        "dq_check",
        "between = 1..=2.5, warn_rows = 10, fail_rows = MOST, fail_share = \"5%\", fail_older_than = \"6h\", warn_older_than = AGE, \
         fail_in_future = true, bounds = history::like_yesterday",
        "fn rows() -> f64 { 1.0 }",
        "fn rows() -> f64 {
            const _: () = { obs::link! { Quality CHECK = obs::QualityCheck::declared(\"rows\", PLACE, || obs::QualityCheck::bounded(
                history::like_yesterday(), move || obs::QualityCheck::ready(rows())
            )).fail_above(2.5).fail_below(1.0).warn_rows(10).fail_rows({
                #[allow(clippy::all, clippy::pedantic, trivial_numeric_casts)]
                const __LIMIT: u64 = (MOST) as u64;
                __LIMIT
            }).fail_share(0.05).warn_older_than(AGE).fail_older_than(::core::time::Duration::from_millis(21600000))
            .fail_in_future(::core::time::Duration::from_millis(0)).bounds_of_a_run(\"history::like_yesterday\") } };
            1.0
        }",
    );
}

#[test]
fn a_method_gets_a_companion() {
    assert_expansion(
        "health_check",
        "critical = false",
        "pub(crate) fn ping(&self) -> bool { true }",
        "pub(crate) fn ping(&self) -> bool { true }
        #[doc = \"The check that [`ping`](Self::ping) is of this value, to be registered.\"]
        #[allow(dead_code)]
        pub(crate) fn ping_health_check(self: &obs::Arc<Self>) -> obs::HealthCheck
        where
            Self: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            let __value = obs::Arc::clone(self);
            obs::HealthCheck::of_value(\"ping\", PLACE, move || obs::HealthCheck::ready(__value.ping())).critical(false)
        }",
    );
}
