//! Counts the instructions that log lines of 1 to 64 KiB cost, and fails unless the cost of a byte stays the same however long the
//! line is: `tests/run.sh instructions`.
//!
//! It runs itself below valgrind, whose callgrind counts instructions, so that the result does not depend on what else the machine
//! does. Each kind of line repeats a few fragments: texts that may begin a secret, or samples of the corpus. The message of each
//! event is such a line, and has to be written as one line of valid JSON: a panic in obs would leave it out.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

use obs_runtime::{LogOutput, Observability};
use serde_json::Value;

#[path = "../../obs-runtime/src/redact/redactor/tests/corpus.rs"]
#[expect(dead_code, reason = "the rest is for tests")]
mod corpus;

/// Number of kinds of lines.
const KINDS: usize = 160;

/// The lengths of lines in bytes, and how many lines of each length a kind has.
const SIZES: [(usize, usize); 7] =
    [(1 << 10, 32), (1 << 11, 16), (1 << 12, 8), (1 << 13, 4), (1 << 14, 2), (1 << 15, 1), (1 << 16, 1)];

/// How much dearer a byte of a longer line may be than one of the lines of 1 KiB. A cost by the square of the length would be 64 times
/// as much; regular expressions that take another engine for texts above some 20 KiB are 2.5 times as much.
const LIMIT: f64 = 3.0;

/// Texts that begin what may be a secret, or are a part of what separates them.
const OPENERS: [&str; 48] = [
    "token_count=[",
    "password=",
    "password: ",
    "\"password\": \"",
    "secret\n",
    "api_key: b\"",
    "token: Some(",
    "{\"name\": \"DB_PASSWORD\", ",
    "[",
    "{",
    "(",
    "\"",
    "'",
    "`",
    "$$",
    "<password>",
    "<",
    "Authorization: ",
    "Bearer ",
    "Basic ",
    "Digest response=\"",
    "Cookie: a=b; ",
    "-----BEGIN PRIVATE KEY-----\n",
    "eyJhbGciOi.",
    "AKIA",
    "ghp_",
    "sk-",
    "xoxb-",
    "AIza",
    "SharedAccessSignature sig=",
    "?sig=",
    "%40",
    "@",
    "a@b.",
    "https://u:p@",
    "postgres://",
    "\\u0040",
    "%3D",
    "4111 ",
    "1234-5678-",
    "--password ",
    "IDENTIFIED BY '",
    "CALL f('",
    "\\\"",
    "\\",
    "x",
    "0",
    "日",
];

/// The function whose instructions are counted, as callgrind names it.
const COUNTED: &str = "instructions::counted_lines";

static WRITTEN: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A generator of numbers (splitmix64): the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % limit as u64).unwrap_or(0)
    }
}

/// The fragments of a kind: one opener alone, or up to four of the openers and the corpus.
fn fragments(kind: usize) -> Vec<&'static str> {
    if let Some(opener) = OPENERS.get(kind) {
        return vec![opener];
    }
    let mut numbers = Numbers(kind as u64);
    let texts: Vec<_> = corpus::samples().map(|sample| sample.text).chain(corpus::look_alikes()).collect();
    let texts: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let count = 1 + numbers.below(4);
    let fragment = |_| {
        if numbers.below(2) == 0 { OPENERS[numbers.below(OPENERS.len())] } else { texts[numbers.below(texts.len())] }
    };
    (0..count).map(fragment).collect()
}

fn line(fragments: &[&str], size: usize, seed: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut line = String::new();
    while line.len() < size {
        line.push_str(fragments[numbers.below(fragments.len())]);
    }
    line.truncate(line.floor_char_boundary(size));
    line
}

/// What is counted.
#[inline(never)]
fn counted_lines(lines: &[String]) {
    for line in lines {
        tracing::info!("{line}");
    }
}

/// Logs lines of each kind and length. Callgrind writes a file for each call of [`counted_lines`].
fn log_all() -> Result<(), Box<dyn Error>> {
    let output = LogOutput::new(|line| {
        WRITTEN.lock().expect("nothing panics").push(line.to_vec());
        Ok(())
    });
    let _guard = Observability::builder().without_environment().signals(false).log_output(output).init()?;
    tracing::info!("what is made once");
    WRITTEN.lock().expect("nothing panics").clear();
    for kind in 0..KINDS {
        let fragments = fragments(kind);
        for (size, count) in SIZES {
            let lines: Vec<_> = (0..count).map(|number| line(&fragments, size, number as u64)).collect();
            counted_lines(&lines);
            let written = std::mem::take(&mut *WRITTEN.lock().expect("nothing panics"));
            if written.len() != count || !written.iter().all(|line| serde_json::from_slice::<Value>(line).is_ok()) {
                return Err(format!("{fragments:?}: {count} lines of {size} bytes were written as {written:?}").into());
            }
        }
    }
    Ok(())
}

/// The instructions of each call of [`counted_lines`], from the files of callgrind.
fn counts(folder: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    (1..=KINDS * SIZES.len())
        .map(|number| {
            let profile = fs::read_to_string(folder.join(format!("profile.{number}")))?;
            let total = profile.lines().find_map(|line| line.strip_prefix("summary: "));
            Ok(total.ok_or("a profile without a summary")?.trim().parse()?)
        })
        .collect()
}

/// Instructions for each byte, by length, of each kind.
fn costs(counts: &[u64]) -> Vec<Vec<f64>> {
    let cost = |(count, (size, lines)): (&u64, &(usize, usize))| *count as f64 / (size * lines) as f64;
    counts.chunks(SIZES.len()).map(|counts| counts.iter().zip(&SIZES).map(cost).collect()).collect()
}

fn count() -> Result<bool, Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("obs-instructions-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let ended = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args([format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}")])
        .arg(format!("--callgrind-out-file={}", folder.join("profile").display()))
        .arg(env::current_exe()?)
        .arg("lines")
        .stderr(Stdio::piped())
        .output()?;
    let counts = counts(&folder).map_err(|error| format!("the profiles of callgrind cannot be read: {error}"));
    fs::remove_dir_all(&folder)?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into());
    }
    let costs = costs(&counts?);
    println!("instructions for each byte of {} lines", KINDS * SIZES.iter().map(|(_, lines)| lines).sum::<usize>());
    println!("{:>8}  {:>8}  {:>8}  {:>8}", "length", "least", "median", "most");
    for (index, (size, _)) in SIZES.iter().enumerate() {
        let mut all: Vec<_> = costs.iter().map(|costs| costs[index]).collect();
        all.sort_by(f64::total_cmp);
        println!("{size:>8}  {:>8.1}  {:>8.1}  {:>8.1}", all[0], all[KINDS / 2], all[KINDS - 1]);
    }
    let mut is_linear = true;
    for (kind, costs) in costs.iter().enumerate() {
        for (cost, (size, _)) in costs.iter().zip(&SIZES) {
            if *cost > LIMIT * costs[0] {
                is_linear = false;
                println!("{:?}: {cost:.1} at {size} bytes, {:.1} at {} bytes", fragments(kind), costs[0], SIZES[0].0);
            }
        }
    }
    Ok(is_linear)
}

fn main() -> ExitCode {
    let result = if env::args().nth(1).as_deref() == Some("lines") { log_all().map(|()| true) } else { count() };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
