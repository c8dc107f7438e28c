//! The pages on `generate` show parts of the files in `examples/generated`.

use std::fs;
use std::path::Path;

/// The lines without indentation and without a comma at the end, which the last one of a JSON object does not have.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.trim().trim_end_matches(',')).collect()
}

/// The blocks of a page that are part of a file, each with the path of the file: a line before it ends with the path and a colon.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("examples/generated/").skip(1);
    let named = blocks.filter_map(|rest| {
        let (path, rest) = rest.split_once("`:\n\n```")?;
        let (_, block) = rest.split_once('\n')?;
        Some((path, block.split_once("\n```")?.0))
    });
    named.filter(|(path, _)| !path.contains(char::is_whitespace)).collect()
}

#[test]
fn each_page_shows_a_part_of_a_file_of_the_examples() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for target in ["alertmanager", "datadog", "grafana", "kubernetes", "prometheus", "systemd"] {
        let page = fs::read_to_string(top.join(format!("obs-runtime/docs/generate-{target}.md"))).unwrap();
        let blocks = blocks(&page);
        assert!(!blocks.is_empty(), "{target}");
        for (path, block) in blocks {
            let file = fs::read_to_string(top.join("examples/generated").join(path)).unwrap();
            let (all, shown) = (lines(&file), lines(block));
            assert!(all.windows(shown.len()).any(|part| part == shown), "not in {path}:\n{block}");
        }
        for heading in ["# What it makes", "# How to take it in", "# How to keep it in CI"] {
            assert!(page.lines().any(|line| line == heading), "{target}: {heading}");
        }
    }
    assert_eq!(blocks("x `examples/generated/a/b.yml`:\n\n```yaml\na: 1\nb: 2\n```\n"), [("a/b.yml", "a: 1\nb: 2")]);
}
