//! Every message of the attributes, each on its own token, side by side with the accepted forms.
//!
//! Each file below `ui/` begins with accepted forms, which must compile without a message, and goes on with wrong uses.
//! Only messages written here are compared; a message of the compiler about code of ours would show up as another line.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

#[test]
fn each_mistake_is_told_on_its_own_word() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

/// The message of every wrong use below `ui/`.
fn messages() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let expected = files.filter(|file| file.extension().is_some_and(|extension| extension == "stderr"));
    let lines = expected.map(|file| std::fs::read_to_string(file).unwrap());
    lines
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|l| l.starts_with("error"))
        .collect()
}

#[test]
fn only_our_own_words_are_compared_and_there_are_many() {
    let messages = messages();
    let of_the_compiler: Vec<_> = messages.iter().filter(|message| !message.starts_with("error: ")).collect();
    assert!(of_the_compiler.is_empty(), "{of_the_compiler:?}");
    let distinct: std::collections::BTreeSet<_> = messages.iter().collect();
    assert!(distinct.len() >= 120, "{} of {}", distinct.len(), messages.len());
}
