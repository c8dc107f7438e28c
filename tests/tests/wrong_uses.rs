//! Every message of the attributes, each on its own token, side by side with the accepted forms.
//!
//! Each file below `ui/` begins with accepted forms, which must compile without a message, and goes on with wrong uses.
//! Only messages written here are compared; a message of the compiler about code of ours would show up as another line.

#[test]
fn each_mistake_is_told_on_its_own_word() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
