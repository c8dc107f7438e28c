//! Functions that the registry cannot call.

use super::messages_on;

#[test]
fn a_check_is_callable_by_anyone() {
    let arguments = "a check is called by obs, which has no arguments for it; let it find what it needs, or call this \
                     function from one without arguments";
    let receiver = "a check is called by obs, which has no `self` for it; make it a free function";
    let generics = "a check is called by obs, which cannot choose generic parameters for it";
    for attribute in ["health_check", "dq_check"] {
        assert_eq!(messages_on(attribute, "", "fn f(a: u8, b: u8) {}"), [arguments, arguments]);
        assert_eq!(messages_on(attribute, "", "fn f(&self) {}"), [receiver]);
        assert_eq!(messages_on(attribute, "", "fn f<T: Default>() {}"), [generics]);
        assert_eq!(messages_on(attribute, "", "fn f<'a>() {}"), [generics]);
        assert_eq!(
            messages_on(attribute, "", "unsafe fn f() {}"),
            ["a check is called by obs, so it cannot be `unsafe`"],
        );
        assert_eq!(
            messages_on(attribute, "", "extern \"C\" fn f() {}"),
            ["a check is called by obs, so it cannot be `extern`"],
        );
        assert_eq!(messages_on(attribute, "level = 3", "unsafe extern \"C\" fn f<T>(self, t: T) {}").len(), 6);
    }
}
