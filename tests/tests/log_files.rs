//! A log file keeps every line, whatever happens to it, and the console is written to at the same time.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use obs_tests::process::{Process, Running};
use serde_json::Value;

struct Writer {
    running: Running,
    told: usize,
}

impl Writer {
    fn start(process: Process) -> Self {
        Self { running: process.start(), told: 0 }
    }

    /// Has it do something and waits until it has.
    fn tell(&mut self, command: &str) {
        let stdin = self.running.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{command}").unwrap();
        self.told += 1;
        let told = self.told;
        self.running.wait_for_outputs(command, |output| output.lines().filter(|line| *line == "done").count() == told);
    }
}

fn writer(log_file: &Path) -> Process {
    Process::new(env!("CARGO_BIN_EXE_line-writer")).env("LOG_FILE", log_file)
}

/// All lines of a file, each of which is JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn messages(path: &Path) -> Vec<String> {
    lines(path).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_file_is_found_again_when_it_was_moved_and_no_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("a/b/run.jsonl"), folder.path().join("run.jsonl.1"));
    let mut writer = Writer::start(writer(&path));
    writer.tell("line first");
    fs::rename(&path, &moved).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut written = 1;
    while !path.exists() {
        assert!(Instant::now() < deadline, "not opened again");
        writer.tell("line more");
        written += 1;
    }
    writer.tell("line last");
    assert_eq!(writer.running.finish().code(), Some(0));
    assert_eq!(messages(&path).last().unwrap(), "last");
    assert_eq!(messages(&moved)[0], "first");
    assert_eq!(messages(&path).len() + messages(&moved).len(), written + 1);
}

#[test]
fn sighup_has_the_file_opened_again_and_ends_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    // A session of its own has no terminal, as a service has none.
    let program = Process::new("/usr/bin/setsid").args(&[env!("CARGO_BIN_EXE_line-writer")]).env("LOG_FILE", &path);
    let mut writer = Writer::start(program);
    writer.tell("line first");
    // Moved and replaced, as by logrotate's `create`, at once before the signal.
    fs::rename(&path, folder.path().join("run.jsonl.1")).unwrap();
    fs::write(&path, "").unwrap();
    writer.running.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(30);
    while lines(&path).is_empty() {
        assert!(Instant::now() < deadline, "not opened again");
        writer.tell("line more");
    }
    assert_eq!(writer.running.finish().code(), Some(0));
}

#[test]
fn two_processes_on_one_file_never_mix_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut writers: Vec<_> = (0..2).map(|_| Writer::start(writer(&path).env("LOG_LEVEL", "info"))).collect();
    std::thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(|| writer.tell("many 2000 9000"));
        }
    });
    for writer in writers {
        assert_eq!(writer.running.finish().code(), Some(0));
    }
    let lines = lines(&path);
    assert_eq!(lines.len(), 4000);
    let numbers: u64 = lines.iter().map(|line| line["number"].as_u64().unwrap()).sum();
    assert_eq!(numbers, 2 * (0..2000).sum::<u64>());
}

#[test]
fn a_full_disk_is_counted_and_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    // A file that may not grow beyond 64 KiB is as good as a full disk: a write is cut short, the next one fails.
    let script = "ulimit -f 64; trap '' XFSZ; exec \"$0\"";
    let program = Process::new("/bin/bash").args(&["-c", script, env!("CARGO_BIN_EXE_line-writer")]);
    let mut writer = Writer::start(program.env("LOG_FILE", &path));
    writer.tell("many 100 1000");
    let full = fs::read_to_string(&path).unwrap();
    assert_eq!(full.len(), 64 * 1024);
    let whole = full.matches('\n').count();
    assert!((40..65).contains(&whole), "{whole}");
    // Somebody makes room: the end of the file is cut off.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(30_000).unwrap();
    writer.tell("line there is room again");
    writer.tell("line and again");
    writer.tell("dropped");
    let lost = writer.running.wait_for_output("the count", |line| line.strip_prefix("dropped ")?.parse::<u64>().ok());
    let ended = writer.running.finish();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(ended.stderr.lines().count(), 102, "standard error has every line");
    assert_eq!(lost, 100 - whole as u64);
    // The line that the cut tore is the only one that cannot be read; what comes after it stands on lines of its own.
    let text = fs::read_to_string(&path).unwrap();
    let parsed: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(parsed.len(), text.lines().count() - 1);
    assert_eq!(parsed[parsed.len() - 1]["message"], "and again");
    assert_eq!(parsed[parsed.len() - 2]["message"], "there is room again");
}

#[test]
fn console_and_file_have_each_their_own_format_and_level_and_the_level_changes_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.log");
    let mut writer = Writer::start(writer(&path).args(&["text-file", "debug-file"]));
    writer.tell("line first");
    writer.tell("level warning");
    writer.tell("line second");
    writer.tell("level debug");
    writer.tell("line third");
    let ended = writer.running.finish();
    assert_eq!(ended.code(), Some(0));
    let console: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = console.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(said, ["first", "third in detail", "third"]);
    let file = fs::read_to_string(&path).unwrap();
    let file: Vec<_> = file.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
    let in_file: Vec<_> = ["first", "second", "third"]
        .iter()
        .flat_map(|said| [format!("DEBUG    {said} in detail"), format!("INFO     {said}")])
        .collect();
    assert_eq!(file, in_file);
}
