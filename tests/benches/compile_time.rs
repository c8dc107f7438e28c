//! Compile time and machine code of 1,000 annotated functions, compared with `#[tracing::instrument]`: a clean debug build, an
//! incremental one after one body was changed, and the size of a release build, in total and per function. Dependencies are
//! built before.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use obs_tests::measure::median;
use obs_tests::strangers::{Stranger, target};

const FUNCTIONS: usize = 1000;
const ROUNDS: usize = 5;

/// A program with annotated functions that calls all of them.
struct Program {
    name: String,
    attribute: &'static str,
    stranger: Stranger,
}

/// The source: functions that may fail. `seed` is in the body of one.
fn source(attribute: &str, functions: usize, seed: u64) -> String {
    let mut text = String::new();
    for number in 0..functions {
        let add = if number == functions / 2 { seed } else { 31 };
        let _ = write!(
            text,
            "{attribute}\n#[inline(never)]\npub fn f{number}(x: u64) -> Result<u64, String> {{\n    \
             if x == {number} {{ Err(\"no\".to_owned()) }} else {{ Ok(x.wrapping_mul({add})) }}\n}}\n"
        );
    }
    text.push_str("fn main() {\n    let mut x = std::env::args().count() as u64;\n");
    for number in 0..functions {
        let _ = writeln!(text, "    x ^= f{number}(x).unwrap_or(1);");
    }
    text + "    println!(\"{x}\");\n}\n"
}

impl Program {
    fn new(name: &str, attribute: &'static str, dependency: &str, functions: usize) -> Self {
        let manifest = format!("edition = \"2024\"\n[dependencies]\n{dependency}");
        let stranger = Stranger::new(name, &manifest, &[("main.rs", &source(attribute, functions, 31))]);
        Self { name: name.to_owned(), attribute, stranger }
    }

    /// Builds it and returns the seconds.
    fn build(&self, arguments: &[&str], incremental: bool) -> f64 {
        let begun = Instant::now();
        let mut cargo = self.stranger.command(&[&["build", "--quiet"], arguments].concat());
        let status = cargo.env("CARGO_INCREMENTAL", if incremental { "1" } else { "0" }).status();
        assert!(status.is_ok_and(|status| status.success()), "{} does not build", self.name);
        begun.elapsed().as_secs_f64()
    }

    /// Builds it after a change of one body.
    fn rebuild(&self, seed: u64, incremental: bool) -> f64 {
        self.stranger.write("main.rs", &source(self.attribute, FUNCTIONS, seed));
        self.build(&[], incremental)
    }

    /// The bytes of machine code of a release build.
    fn text(&self) -> f64 {
        let _ = self.build(&["--release"], false);
        let output = Command::new("size").arg(target().join("release").join(&self.name)).output().expect("size starts");
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = table.lines().nth(1).and_then(|line| line.split_whitespace().next()?.parse().ok());
        text.unwrap_or_else(|| panic!("size printed {table}"))
    }
}

fn compare(what: &str, goal: &str, mut measure: impl FnMut(bool, u64) -> f64) {
    let rounds: Vec<_> =
        (0..ROUNDS as u64).map(|round| (measure(true, 100 + round), measure(false, 100 + round))).collect();
    let (ours, theirs) =
        (median(rounds.iter().map(|round| round.0).collect()), median(rounds.iter().map(|round| round.1).collect()));
    println!("{what:<52} {ours:>6.2} s against {theirs:>6.2} s   ratio {:.2}   goal {goal}", ours / theirs);
}

fn main() {
    let programs = |functions: usize| {
        let obs = "obs-runtime = { path = \"{obs}\", default-features = false }";
        let ours =
            Program::new(&format!("thousand-ours-{functions}"), "#[obs_runtime::track_performance]", obs, functions);
        let theirs = Program::new(
            &format!("thousand-theirs-{functions}"),
            "#[tracing::instrument]",
            "tracing = \"0.1\"",
            functions,
        );
        (ours, theirs)
    };
    let (ours, theirs) = programs(FUNCTIONS);
    for program in [&ours, &theirs] {
        let _ = (program.build(&[], false), program.build(&[], true));
    }
    let of = |is_ours: bool| if is_ours { &ours } else { &theirs };
    compare("1,000 functions, clean debug build", "<= 0.8", |is_ours, seed| of(is_ours).rebuild(seed, false));
    for program in [&ours, &theirs] {
        let _ = program.rebuild(99, true);
    }
    compare("the same, incremental after one change", "<= 1.0", |is_ours, seed| of(is_ours).rebuild(seed, true));

    let (one_of_ours, one_of_theirs) = programs(1);
    let each = |many: f64, one: f64| (many - one) / (FUNCTIONS as f64 - 1.0);
    let (all_ours, all_theirs) = (ours.text(), theirs.text());
    let (alone, alone_theirs) = (one_of_ours.text(), one_of_theirs.text());
    let (each_ours, each_theirs) = (each(all_ours, alone), each(all_theirs, alone_theirs));
    println!(
        "release machine code of 1,000 functions: {all_ours:.0} bytes against {all_theirs:.0}, ratio {:.2}, goal <= 1.0; of one \
         {alone:.0} against {alone_theirs:.0}; each adds {each_ours:.0} against {each_theirs:.0}, ratio {:.2}",
        all_ours / all_theirs,
        each_ours / each_theirs
    );
}
