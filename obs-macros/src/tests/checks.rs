//! Functions that the registry cannot call.

use super::messages_on;

#[test]
fn a_check_is_callable_by_anyone() {
    let arguments = "a check takes no arguments, as the runner has none to pass; call this function from a check";
    let items = "a check takes no arguments, as the runner has none to pass; call this function from a check, or use \
                 `for_each`";
    let receiver = "a check runs repeatedly, so it takes `&self` or no receiver";
    let generics = "a check cannot be generic, as the runner cannot choose its parameters";
    for (attribute, arguments) in [("health_check", arguments), ("dq_check", items)] {
        assert_eq!(messages_on(attribute, "", "fn f(a: u8, b: u8) {}"), [arguments, arguments]);
        for receivers in ["self", "mut self", "&mut self", "self: Arc<Self>"] {
            assert_eq!(messages_on(attribute, "", &format!("fn f({receivers}) {{}}")), [receiver]);
        }
        assert_eq!(messages_on(attribute, "", "fn f<T: Default>() {}"), [generics]);
        assert_eq!(messages_on(attribute, "", "fn f<'a>() {}"), [generics]);
        assert_eq!(
            messages_on(attribute, "", "unsafe fn f() {}"),
            ["a check is called by the runner, so it cannot be `unsafe`"],
        );
        assert_eq!(
            messages_on(attribute, "", "extern \"C\" fn f() {}"),
            ["a check is called by the runner, so it cannot be `extern`"],
        );
        assert_eq!(messages_on(attribute, "level = 3", "unsafe extern \"C\" fn f<T>(self, t: T) {}").len(), 6);
    }
}

#[test]
fn a_check_of_items_takes_one() {
    let number =
        |taken| format!("a check with `for_each` takes one argument, an item of the list; this one takes {taken}");
    assert_eq!(messages_on("dq_check", "for_each = tables()", "fn f() {}"), [number(0)]);
    assert_eq!(messages_on("dq_check", "for_each = tables()", "fn f(a: u8, b: u8) {}"), [number(2)]);
    assert_eq!(
        messages_on("dq_check", "for_each = tables()", "fn f(&self, table: &str) {}"),
        ["a check with `for_each` takes an item and no receiver"]
    );
}

#[test]
fn lists_of_names_hold_texts_each_once() {
    let message = |args| super::message("health_check", args);
    assert_eq!(message("groups()"), "`groups` is empty: `groups(\"live\", \"ready\", …)`");
    assert_eq!(message("groups(\"live\", \"live\")"), "\"live\" is a duplicate in `groups`; remove one");
    assert_eq!(message("groups = \"live\""), "`groups` is a list: `groups(\"live\", \"ready\", …)`");
    assert_eq!(message("after(\"\")"), "`after` is empty: `after(\"database\", …)`");
    let quotes = |key, word| {
        format!(
            "`{key}` needs quotes around a text: \"{word}\"; the name of a constant is upper case, or has a path: \
             `self::{word}`"
        )
    };
    assert_eq!(message("groups(ready)"), quotes("groups", "ready"));
    assert_eq!(message("after(main_database)"), quotes("after", "main_database"));
    assert_eq!(super::message("dq_check", "owner = ada"), quotes("owner", "ada"));
    super::accepted("health_check", "groups(READY, self::live, names::live)");
    assert_eq!(
        messages_on("dq_check", "fail_above = 0, for_each = 5", "fn f(table: &str) -> u64 { 0 }"),
        ["`for_each` needs a list, such as the call of a function that returns one: `for_each = expr`"]
    );
    assert_eq!(message("after(3)"), "`after` needs string literals: `after(\"database\", …)`");
    assert_eq!(message("failures = 0"), "`failures` needs a whole number, 1 or more: `failures = 3`");
    assert_eq!(message("failures = \"3\""), "`failures` needs a whole number, 1 or more: `failures = 3`");
}
