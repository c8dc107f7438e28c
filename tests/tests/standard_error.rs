//! A job goes on whatever becomes of its standard error, and what it could not write there is counted.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, Read as _, pipe};
use std::os::unix::process::ExitStatusExt as _;

use obs_tests::line_writer::LineWriter;
use obs_tests::logs;
use obs_tests::process::Process;
use serde_json::{Value, json};

fn line_writer() -> Process {
    Process::new(env!("CARGO_BIN_EXE_line-writer")).env("LOG_LEVEL", "info")
}

/// A writer whose standard error is a pipe that it has filled: how many of 1,000 lines it holds, and who can read them.
fn blocked() -> (LineWriter, u64, BufReader<PipeReader>) {
    let (reader, stderr) = pipe().unwrap();
    let mut writer = LineWriter::start(line_writer().stderr(stderr));
    writer.run("many 1000 1000");
    let status = writer.status();
    let dropped = status["dropped"]["timeout"].as_u64().unwrap_or_else(|| panic!("nothing dropped: {status}"));
    assert_eq!(status["dropped"], json!({"timeout": dropped}));
    assert_eq!(status["failure"], "standard error: timed out");
    (writer, 1_000 - dropped, BufReader::new(reader))
}

fn read_line(reader: &mut BufReader<PipeReader>) -> Value {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn a_reader_that_does_not_read_stops_nothing_and_gets_whole_lines_when_it_reads_again() {
    let (mut writer, lines, mut reader) = blocked();
    for number in 0..lines {
        assert_eq!(read_line(&mut reader)["number"], number);
    }
    writer.run("line read again");
    assert_eq!(read_line(&mut reader)["message"], "read again");
    assert_eq!(writer.finish().code(), Some(0));
}

#[test]
fn a_signal_ends_a_program_whose_standard_error_is_not_read() {
    let (writer, lines, mut reader) = blocked();
    assert_eq!(writer.end_by("TERM").status.signal(), Some(15));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count() as u64, lines);
}

#[test]
fn a_held_lock_keeps_no_line_back() {
    let mut writer = LineWriter::start(line_writer());
    writer.run("hold");
    writer.run("line held");
    assert_eq!(writer.status()["dropped"], json!({}));
    let finished = writer.finish();
    let line: Value = serde_json::from_str(&finished.stderr).unwrap();
    assert_eq!((finished.code(), &line["message"]), (Some(0), &"held".into()));
}

#[test]
fn a_closed_pipe_and_a_full_disk_stop_nothing() {
    let (_, closed) = pipe().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    for (process, failure) in [
        (line_writer().stderr(closed), "standard error: broken pipe"),
        (line_writer().stderr(full), "standard error: no storage space"),
    ] {
        let mut writer = LineWriter::start(process);
        writer.run("many 10 10");
        let status = writer.status();
        assert_eq!((&status["dropped"], &status["failure"]), (&json!({"write": 10}), &failure.into()));
        assert_eq!(writer.finish().code(), Some(0));
    }
}

#[test]
fn the_program_writes_between_lines_and_never_inside_one() {
    let mut writer = LineWriter::start(line_writer());
    writer.run("noise");
    let status = writer.status();
    let stderr = writer.finish().stderr;
    let (noise, lines): (Vec<_>, Vec<_>) = stderr.lines().partition(|line| *line == "noise");
    assert_eq!(noise.len(), 2_000);
    let lines = logs::parse(&lines.join("\n"));
    let dropped = status["dropped"]["timeout"].as_u64().unwrap_or_default();
    assert_eq!(lines.len() as u64 + dropped, 2_000);
}
