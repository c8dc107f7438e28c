//! How errors are described, judging by the tokens of the return type.

use super::expanded;

#[test]
fn errors_that_are_not_static_are_described_without_their_type() {
    let expansion = |item: &str| expanded("track_performance", "", item);
    assert!(expansion("fn f(a: &str) -> Result<u8, Box<dyn Error + '_>> { g() }").contains("borrowed : : *"));
    assert!(expansion("fn f(a: &str) -> Read<'_, u8> { g() }").contains("borrowed : : *"));
    for fine in
        ["Result<&'a u8, Box<dyn Error>>", "Result<u8, Box<dyn Error + 'static>>", "Result<u8>", "io::Result<u8>"]
    {
        assert!(!expansion(&format!("fn f() -> {fine} {{ g() }}")).contains("borrowed"), "{fine}");
    }
}

#[test]
fn errors_that_may_need_a_static_parameter_are_described_by_display() {
    for (item, is_generic) in [
        ("fn f(s: S) -> Result<u8, Reunite<S>> { g() }", true),
        ("fn f<Inner>(s: Inner) -> Result<u8, Wrapped<Inner>> { g() }", true),
        ("async fn f<E: Error>(e: E) -> Result<u8, Wrapped<Option<E>>> { g() }", true),
        ("fn f(&self) -> Result<u8, Wrapped<Self::Error>> { g() }", true),
        ("fn f<D: Read>(d: D) -> Result<u8, Wrapped<D::Error>> { g() }", true),
        ("fn f<E: Error>(e: E) -> impl Future<Output = Result<u8, Wrapped<E>>> { g() }", true),
        ("fn f<E: Error + 'static>(e: E) -> Result<u8, Wrapped<E>> { g() }", false),
        ("fn f<E>(e: E) -> Result<u8, Wrapped<E>> where E: Error + 'static { g() }", false),
        ("fn f<E: Error>(e: E) -> Result<u8, E> { g() }", false),
        ("fn f<E: Error>(e: E) -> Result<E, Wrapped<io::Error>> { g() }", false),
        ("fn f(e: E) -> Result<u8, Box<dyn Error + Send>> { g() }", false),
        ("fn f<D: Read>(d: D) -> Result<u8, D::Error> { g() }", false),
        ("fn f() -> Result<u8, Wrapped<errors::E>> { g() }", false),
    ] {
        let expansion = expanded("track_performance", "", item);
        assert_eq!(!expansion.contains("& & & & & & & Describe"), is_generic, "{item}: {expansion}");
    }
}
