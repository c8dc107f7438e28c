//! Functions made up at random, bare and under attributes of obs: what compiled before has to compile after and do the
//! same.

mod attributes;
mod dice;
mod functions;

use std::fmt::Write as _;

pub use attributes::WRONG;
pub use dice::Dice;

/// A program that runs each of its functions twice, bare and annotated, and says which of them differ.
#[must_use]
pub fn program(seed: u64, cases: usize) -> String {
    let mut dice = Dice::new(seed);
    let mut bare = String::new();
    let mut annotated = String::new();
    let mut calls = String::new();
    for number in 0..cases {
        let case = functions::Case::new(&mut dice, number);
        bare += &case.source("");
        let attributes = attributes::right(&mut dice, &case);
        annotated += &case.source(&attributes);
        let call = &case.call;
        let _ = writeln!(
            calls,
            "    compare({number}, {attributes:?}, || {{ use bare::*; {call} }}, || {{ use annotated::*; {call} }});"
        );
    }
    let prelude = include_str!("prelude.txt");
    format!(
        "{prelude}\nmod bare {{\n    use super::*;\n{bare}}}\n\nmod annotated {{\n    use super::*;\n{annotated}}}\n\n\
         fn main() {{\n    let _guard = begin();\n{calls}    end({cases});\n}}\n"
    )
}

/// A program of wrong uses, each on a line of its own, with the line and what is to be said there.
#[must_use]
pub fn wrong_program(seed: u64, cases: usize) -> (String, Vec<(u64, &'static str)>) {
    let mut dice = Dice::new(seed);
    let mut source = include_str!("prelude.txt").to_owned();
    source += "\nfn main() {}\n";
    let mut expected = Vec::new();
    for number in 0..cases {
        let case = functions::Case::new(&mut dice, number);
        let (attribute, message) = WRONG[dice.below(WRONG.len())];
        // A module of its own, as some cases bring types along.
        let lines = source.lines().count() as u64;
        let text = case.source(&format!("\n{attribute}\n"));
        let at = text.lines().position(|line| line == attribute).unwrap_or_default() as u64;
        let _ = writeln!(source, "mod wrong_{number} {{\n    use super::*;\n{text}}}");
        expected.push((lines + 2 + at + 1, message));
    }
    (source, expected)
}
