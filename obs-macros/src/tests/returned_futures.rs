//! What functions that return futures become.

use super::expanded;
use super::expansion::assert_expansion;

#[test]
fn a_returned_future_is_measured_when_it_is_polled() {
    assert_expansion(
        "track_performance",
        "tags(a = 1)",
        "fn f(a: A) -> impl Future<Output = R> + Send { g(a) }",
        "fn f(a: A) -> impl Future<Output = R> + Send {
            CALLSITE: obs::Callsite::operation(\"f\", PLACE) }
            obs::returned::Direct.performance(
                __CALLSITE.prepare_with(|__entry| { __entry.tag(\"a\", match &(1) { __value => { use obs::text::*; (&&Text(__value)).text() } }); }),
                obs::returned::future::<R, _>(move || -> _ { let _ = &a; ({ g(a) }) }),
                JUDGE
            )
        }",
    );
}

#[test]
fn a_boxed_future_is_recognised_by_its_type() {
    assert_expansion(
        "with_error_tracking",
        "",
        "fn f<'a>(&'a self) -> Self::Future { log(); Box::pin(async move { self.a }) }",
        "fn f<'a>(&'a self) -> Self::Future {
            CALLSITE: obs::Callsite::errors(\"f\", PLACE) }
            (match obs::returned::Kind::<Self::Future>::new() { __kind => { use obs::returned::*; (&&__kind).kind() } }).errors(
                __CALLSITE.prepare(),
                move || -> Self::Future { log(); Box::pin(async move { self.a }) },
                JUDGE
            )
        }",
    );
    let expansion = |item: &str| expanded("track_performance", "", item);
    for returned in [
        "Pin<Box<dyn Future<Output = u8>>>",
        "BoxFuture<'a, u8>",
        "futures::future::LocalBoxFuture<'a, u8>",
        "ReplyFut",
    ] {
        assert!(expansion(&format!("fn f() -> {returned} {{ g() }}")).contains("returned : : Kind"), "{returned}");
    }
    for (returned, body, is_asked) in [
        ("Reply<'a>", "Box::pin(g())", true),
        ("Reply", "{ let one = async { 1 }; one.boxed() }", true),
        ("Reply", "self.inner.reply()", false),
        ("Result<u8, E>", "block_on(async { 1 })", false),
    ] {
        let expansion = expansion(&format!("fn f(&self) -> {returned} {{ {body} }}"));
        assert_eq!(expansion.contains("returned : : Kind"), is_asked, "{expansion}");
    }
    assert!(!expansion("#[track_caller] fn f() -> Reply { Box::pin(g()) }").contains("returned"));
    for returned in ["impl FusedFuture<Output = u8>", "impl Future<Output = u8> + Clone", "Result<BoxFuture<u8>, E>"] {
        assert!(!expansion(&format!("fn f() -> {returned} {{ g() }}")).contains("prepare"), "{returned}");
    }
}

#[test]
fn a_box_that_is_the_whole_body_takes_the_measured_future() {
    assert_expansion(
        "track_performance",
        "",
        "fn f<'a>(a: &'a A) -> Pin<Box<dyn Future<Output = R> + Send + 'a>> { Box::pin(async move { g(a)?; return h!(a); }) }",
        "fn f<'a>(a: &'a A) -> Pin<Box<dyn Future<Output = R> + Send + 'a>> {
            CALLSITE: obs::Callsite::operation(\"f\", PLACE) }
            Box::pin(obs::returned::Direct.performance(
                __CALLSITE.prepare(),
                obs::returned::of::<R, _>(async move { g(a)?; return h!(a); }),
                JUDGE
            ))
        }",
    );
    for (body, is_taken) in [
        ("::std::boxed::Box::pin(g(a, |x| x + 1))", true),
        ("Box::pin(g(a?))", false),
        ("Box::pin(g(return h()))", false),
        ("Box::pin(g(h!()))", false),
        ("Box::pin(if a { return h() } else { g() })", false),
        ("log(); Box::pin(g())", false),
        ("Box::new(g())", false),
    ] {
        let expansion = expanded("track_performance", "", &format!("fn f() -> BoxFuture<'static, u8> {{ {body} }}"));
        assert_eq!(expansion.contains("Direct . performance"), is_taken, "{expansion}");
    }
}
