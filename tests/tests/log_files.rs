//! Log files: rotation, several processes, a full disk, and the console.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use obs_tests::line_writer::LineWriter;
use obs_tests::process::Process;
use obs_tests::{logs, wait};
use serde_json::Value;

fn writer(log_file: &Path) -> Process {
    Process::new(env!("CARGO_BIN_EXE_line-writer")).env("LOG_FILE", log_file)
}

fn messages(path: &Path) -> Vec<String> {
    logs::messages(&logs::read(path)).into_iter().map(str::to_owned).collect()
}

/// Logs lines until the condition holds, and returns how many.
fn log_until(writer: &mut LineWriter, what: &str, condition: impl Fn() -> bool) -> usize {
    let mut written = 0;
    wait::until_true(what, || {
        writer.run("line more");
        written += 1;
        condition()
    });
    written
}

#[test]
fn a_moved_file_is_opened_again_without_losing_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("a/b/run.jsonl"), folder.path().join("run.jsonl.1"));
    let mut writer = LineWriter::start(writer(&path));
    writer.run("line first");
    fs::rename(&path, &moved).unwrap();
    let written = log_until(&mut writer, "the file is opened again", || path.exists());
    writer.run("line last");
    assert_eq!(writer.finish().code(), Some(0));
    assert_eq!(messages(&path).last().unwrap(), "last");
    assert_eq!(messages(&moved)[0], "first");
    assert_eq!(messages(&path).len() + messages(&moved).len(), written + 2);
}

#[test]
fn sighup_reopens_the_file_and_does_not_end_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    // A session of its own has no terminal, like a service.
    let program = Process::new("/usr/bin/setsid").args(&[env!("CARGO_BIN_EXE_line-writer")]).env("LOG_FILE", &path);
    let mut writer = LineWriter::start(program);
    writer.run("line first");
    // Moved and replaced before the signal, as logrotate's `create` does.
    fs::rename(&path, folder.path().join("run.jsonl.1")).unwrap();
    fs::write(&path, "").unwrap();
    writer.signal("HUP");
    log_until(&mut writer, "the file is opened again", || !logs::read(&path).is_empty());
    assert_eq!(writer.finish().code(), Some(0));
}

#[test]
fn two_processes_do_not_mix_their_lines_in_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut writers: Vec<_> = (0..2).map(|_| LineWriter::start(writer(&path).env("LOG_LEVEL", "info"))).collect();
    std::thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(|| writer.run("many 2000 9000"));
        }
    });
    for writer in writers {
        assert_eq!(writer.finish().code(), Some(0));
    }
    let lines = logs::read(&path);
    assert_eq!(lines.len(), 4000);
    let numbers: u64 = lines.iter().map(|line| line["number"].as_u64().unwrap()).sum();
    assert_eq!(numbers, 2 * (0..2000).sum::<u64>());
}

#[test]
fn lines_lost_to_a_full_disk_are_counted_with_one_warning_and_later_lines_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    // A limit of 64 KiB acts like a full disk: one write is cut short, and the next ones fail.
    let script = "ulimit -f 64; trap '' XFSZ; exec \"$0\"";
    let program = Process::new("/bin/bash").args(&["-c", script, env!("CARGO_BIN_EXE_line-writer")]);
    let mut writer = LineWriter::start(program.env("LOG_FILE", &path));
    writer.run("many 100 1000");
    let full = fs::read_to_string(&path).unwrap();
    assert_eq!(full.len(), 64 * 1024);
    let whole = full.matches('\n').count();
    assert!((40..65).contains(&whole), "{whole}");
    // The end of the file is cut off to make room.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(30_000).unwrap();
    writer.run("line there is room again");
    writer.run("line and again");
    let status = writer.status();
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(0));
    let warnings = ended.stderr.lines().filter(|line| line.contains("log lines are dropped: LOG_FILE: file too large"));
    assert_eq!(warnings.count(), 1);
    assert_eq!(ended.stderr.lines().count(), 103, "standard error has every line and the warning");
    assert_eq!(status["dropped"], serde_json::json!({"write": 100 - whole}));
    assert_eq!(status["failure"], "LOG_FILE: file too large");
    // Only the line that was cut is not JSON. Later lines begin on a line of their own.
    let text = fs::read_to_string(&path).unwrap();
    let parsed: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(parsed.len(), text.lines().count() - 1);
    assert_eq!(parsed[parsed.len() - 1]["message"], "and again");
    assert_eq!(parsed[parsed.len() - 2]["message"], "there is room again");
}

#[test]
fn console_and_file_have_their_own_format_and_level_and_the_level_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.log");
    let mut writer = LineWriter::start(writer(&path).args(&["text-file", "debug-file"]));
    writer.run("line first");
    writer.run("level warning");
    writer.run("line second");
    writer.run("level debug");
    writer.run("line third");
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(logs::messages(&ended.log()), ["first", "third in detail", "third"]);
    let file = fs::read_to_string(&path).unwrap();
    let file: Vec<_> = file.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
    let in_file: Vec<_> = ["first", "second", "third"]
        .iter()
        .flat_map(|message| [format!("DEBUG    {message} in detail"), format!("INFO     {message}")])
        .map(|line| format!("{line} [logger=line_writer]"))
        .collect();
    assert_eq!(file, in_file);
}
