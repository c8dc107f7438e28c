//! Functions that the registry cannot call.

use super::messages_on;

#[test]
fn a_check_is_callable_by_anyone() {
    let arguments = "a check is called by obs, which has no arguments for it; let it find what it needs or call this \
                     function from one without arguments";
    let items = "a check is called by obs, which has no arguments for it; let it find what it needs, give it one by \
                 `for_each`, or call this function from one without arguments";
    let receiver = "a check is called by obs time and again, so it takes `&self` or no `self` at all";
    let generics = "a check is called by obs, which cannot choose generic parameters for it";
    for (attribute, arguments) in [("health_check", arguments), ("dq_check", items)] {
        assert_eq!(messages_on(attribute, "", "fn f(a: u8, b: u8) {}"), [arguments, arguments]);
        for receivers in ["self", "mut self", "&mut self", "self: Arc<Self>"] {
            assert_eq!(messages_on(attribute, "", &format!("fn f({receivers}) {{}}")), [receiver]);
        }
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

#[test]
fn a_check_of_items_takes_one() {
    let number =
        |taken| format!("with `for_each` a check takes one argument, an item of the list; this one takes {taken}");
    assert_eq!(messages_on("dq_check", "for_each = tables()", "fn f() {}"), [number(0)]);
    assert_eq!(messages_on("dq_check", "for_each = tables()", "fn f(a: u8, b: u8) {}"), [number(2)]);
    assert_eq!(
        messages_on("dq_check", "for_each = tables()", "fn f(&self, table: &str) {}"),
        ["with `for_each` a check takes an item, and no `self`"]
    );
}

#[test]
fn lists_of_names_hold_texts_each_once() {
    let message = |args| super::message("health_check", args);
    assert_eq!(message("groups()"), "`groups` is empty: `groups(\"live\", \"ready\", …)`");
    assert_eq!(message("groups(\"live\", \"live\")"), "\"live\" stands in `groups` twice; keep one");
    assert_eq!(message("groups = \"live\""), "`groups` is a list: `groups(\"live\", \"ready\", …)`");
    assert_eq!(message("after(\"\")"), "`after` is empty");
    assert_eq!(message("after(3)"), "`after` needs texts in quotes: `after(\"database\", …)`");
    assert_eq!(message("failures = 0"), "`failures` needs a whole number, 1 or more: `failures = 3`");
    assert_eq!(message("failures = \"3\""), "`failures` needs a whole number, 1 or more: `failures = 3`");
}
