//! The README and the guides: links, questions, and blocks in other languages than Rust, which rustdoc does not try.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The documents, relative to the top folder, with their texts.
fn documents() -> Vec<(PathBuf, String)> {
    let mut files: Vec<PathBuf> =
        ["README.md", "examples/README.md", "examples/template/README.md", "CHANGELOG.md"].map(PathBuf::from).into();
    let chapters = std::fs::read_dir(top().join("obs-runtime/docs")).unwrap();
    files.extend(chapters.map(|chapter| Path::new("obs-runtime/docs").join(chapter.unwrap().file_name())));
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(top().join(file)).unwrap())).collect()
}

/// A fenced block: where it begins, its language and its text.
struct Block {
    place: String,
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for (file, text) in documents() {
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let place = format!("{}:{}", file.display(), number + 1);
                    open = Some(Block { place, language: language.to_owned(), text: String::new() });
                }
                (Some(_), Some("")) => blocks.extend(open.take()),
                (Some(block), _) => writeln!(block.text, "{line}").unwrap(),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{} has a block without an end", file.display());
    }
    blocks
}

/// Gives a program the text of a block. Returns what it says if it refuses the text.
fn refusal(program: &str, arguments: &[&str], text: &str) -> Option<String> {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn syntax(language: &str, text: &str) -> Option<String> {
    match language {
        "sh" => refusal("bash", &["-n"], text),
        "python" => refusal("python3", &["-c", "import ast, sys; ast.parse(sys.stdin.read())"], text),
        "toml" => refusal("python3", &["-c", "import sys, tomllib; tomllib.loads(sys.stdin.read())"], text),
        "yaml" => yaml_rust2::YamlLoader::load_from_str(text).err().map(|error| error.to_string()),
        "json" => serde_json::from_str::<serde_json::Value>(text).err().map(|error| error.to_string()),
        "ini" => refusal("python3", &["-c", SYSTEMD], text),
        language => {
            // Nothing reads Terraform's and Docker's languages here.
            let known = ["text", "rust", "rust,no_run", "rust,ignore", "promql", "hcl", "dockerfile"];
            (!known.contains(&language)).then(|| "nobody reads this language".to_owned())
        }
    }
}

/// systemd repeats keys, which is no mistake.
const SYSTEMD: &str = "import configparser, sys; configparser.ConfigParser(strict=False).read_string(sys.stdin.read())";

#[test]
fn blocks_of_other_languages_have_a_valid_syntax() {
    let wrong: Vec<_> = blocks()
        .iter()
        .filter_map(|block| Some(format!("{}: {}", block.place, syntax(&block.language, &block.text)?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (language, text) in
        [("sh", "if true; then\n"), ("python", "def f(:\n"), ("toml", "a = \n"), ("yaml", "a: [\n"), ("ini", "a\n")]
    {
        assert!(syntax(language, text).is_some(), "{language}");
    }
}

/// GitHub shows the lines that rustdoc hides.
#[test]
fn blocks_of_rust_have_no_hidden_lines() {
    let is_hidden = |line: &str| line == "#" || line.starts_with("# ");
    let rust = blocks().into_iter().filter(|block| block.language.starts_with("rust"));
    let hidden: Vec<_> = rust.filter(|block| block.text.lines().any(is_hidden)).map(|block| block.place).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_shell_block_that_is_not_run_says_why() {
    for (file, text) in documents() {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("<!-- not run")) {
            let reason =
                line.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->")).unwrap_or_default();
            let next = text.lines().nth(number + 1).unwrap_or_default();
            assert!(!reason.is_empty() && next == "```sh", "{}:{}", file.display(), number + 1);
        }
    }
}

#[test]
fn the_changelog_has_the_version_of_the_crates() {
    let read = |file: &str| std::fs::read_to_string(top().join(file)).unwrap();
    let manifest = read("Cargo.toml");
    let version = manifest.split("\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    let changelog = read("CHANGELOG.md");
    let headings: Vec<_> = changelog.lines().filter(|line| line.starts_with("## ")).collect();
    assert!(headings.len() >= 2 && headings[0] == "## [Unreleased]", "{headings:?}");
    assert!(headings[1].starts_with(&format!("## [{version}]")), "{headings:?}");
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

fn anchors(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// The definitions of links: `[label]: target`.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// The links of a text that are not to other sites.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.chain(definitions(text).into_iter().map(|(_, target)| target));
    targets.filter(|target| !target.contains("://") && !target.contains("::") && !target.contains('@')).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for (file, text) in documents() {
        for link in links(&text) {
            let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let there = top().join(&target);
            let leads = there.exists()
                && (wanted.is_empty()
                    || std::fs::read_to_string(&there)
                        .is_ok_and(|text| anchors(&text).iter().any(|has| has == wanted)));
            if !leads {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A page is read on GitHub and in the API documentation. `guide.rs` says where a label leads in the latter.
#[test]
fn links_between_chapters_work_on_github_and_in_rustdoc() {
    let guide = std::fs::read_to_string(top().join("obs-runtime/src/program/guide.rs")).unwrap();
    for (file, text) in documents() {
        let file = file.display();
        assert!(!text.contains("](crate::guide"), "{file}: GitHub does not know crate::guide: use a label of guide.rs");
        let defined = definitions(&text);
        for (label, target) in &defined {
            assert!(guide.contains(&format!("[{label}]: crate::guide::")), "{file}: {label} is not in guide.rs");
            assert!(text.contains(&format!("][{label}]")), "{file}: nothing uses {label}: {target}");
        }
        let used = text.split("][chapter-").skip(1).filter_map(|rest| rest.split(']').next());
        for name in used {
            let is_defined = defined.iter().any(|(label, _)| label.strip_prefix("chapter-") == Some(name));
            assert!(is_defined, "{file}: chapter-{name} is not defined");
        }
    }
}

/// The text under a heading, up to the next one of its level or above. The whole text without an anchor.
fn section<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let level = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
    if wanted.is_empty() {
        return Some(text);
    }
    let (mut begin, mut depth, mut offset, mut is_code) = (None, 0, 0, false);
    for line in text.split_inclusive('\n') {
        is_code ^= line.starts_with("```");
        let is_heading = !is_code && line.starts_with('#');
        match begin {
            Some(begin) if is_heading && level(line) <= depth => return text.get(begin..offset),
            None if is_heading && anchor(line.trim_start_matches('#')) == wanted => {
                (begin, depth) = (Some(offset), level(line));
            }
            _ => {}
        }
        offset += line.len();
    }
    text.get(begin?..)
}

/// The feature table of the README and that of the crate's documentation, and the features that docs.rs builds.
#[test]
fn each_feature_is_documented_and_built_by_docs_rs() {
    let read = |file: &str| std::fs::read_to_string(top().join(file)).unwrap();
    let manifest = read("obs-runtime/Cargo.toml");
    let declared = manifest.split("\n[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = declared.lines().filter_map(|line| Some(line.split_once(" = ")?.0));
    let features: Vec<_> = names.filter(|name| *name != "default" && !name.starts_with(['_', '#'])).collect();
    assert!(features.len() > 12, "{features:?}");
    let built = manifest.split("\n[package.metadata.docs.rs]\n").nth(1).unwrap().lines().next().unwrap().to_owned();
    let (readme, rustdoc) = (read("README.md"), read("obs-runtime/src/lib.rs"));
    for feature in features {
        let row = format!("| `{feature}` | ");
        assert!(readme.contains(&row) && rustdoc.contains(&row), "a row of {feature}");
        assert_eq!(built.contains(&format!("\"{feature}\"")), feature != "off", "docs.rs: {feature}");
    }
}

/// What people ask: words of the question in the guide's table.
const QUESTIONS: [&str; 20] = [
    "the subscriber that I have",
    "see traces",
    "get a dashboard",
    "did not run",
    "many pods",
    "hide a field",
    "an error was counted",
    "a query was refused",
    "in a library",
    "in Lambda, Cloud Run, a CronJob, Airflow",
    "leave autometrics",
    "leave the Python framework",
    "what ran and what it cost",
    "share a budget",
    "turn it off",
    "cost at run time",
    "Which Rust",
    "a backend of my own",
    "name operations",
    "a metric missing",
];

/// A page, relative to the guide.
fn read_page(path: &str) -> String {
    std::fs::read_to_string(top().join("examples").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn each_question_is_answered_two_clicks_from_the_readme() {
    let readme = std::fs::read_to_string(top().join("README.md")).unwrap();
    assert!(links(&readme).contains(&"examples/README.md#where-is-the-answer"), "the first click");
    let guide = std::fs::read_to_string(top().join("examples/README.md")).unwrap();
    let table = guide.split("\n## Where is the answer\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for question in QUESTIONS {
        let row =
            table.lines().find(|line| line.contains(question)).unwrap_or_else(|| panic!("no row for {question:?}"));
        assert!(!links(row).is_empty(), "the second click: {row}");
        // An answer shows what to write, in a block that is compiled, run or checked.
        let shows = |link: &&str| {
            let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
            let page = if path.is_empty() { guide.clone() } else { read_page(path) };
            section(&page, wanted).unwrap_or_else(|| panic!("{link} leads nowhere")).contains("\n```")
        };
        assert!(links(row).iter().any(shows), "{question}: no answer shows what to write");
    }
    assert_eq!(section("# A\na\n## B\nb\n# C\n", "b"), Some("## B\nb\n"));
    assert_eq!(section("# A\n```\n# B\n```\n## C\n# D\n", "a"), Some("# A\n```\n# B\n```\n## C\n"));
    assert_eq!(section("# A\n", "b"), None);
}
