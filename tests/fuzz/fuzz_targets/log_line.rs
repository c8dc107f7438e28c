//! Any log event is written as one line with one JSON object, without a panic and without the value of a secret field.
//! `tests/log_readers.rs` checks ten thousand such lines with jq and lnav.

#![no_main]

use std::fmt;
use std::sync::{Mutex, OnceLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use obs_runtime::{Guard, Level, LogContext, LogOutput, Observability};
use serde_json::Value;

#[derive(Arbitrary, Debug)]
struct Line {
    message: String,
    correlation_id: String,
    user: Option<String>,
    context: (String, String),
    field: String,
    reserved: String,
    float: f64,
    whole: i64,
    bytes: Vec<u8>,
    password: u64,
    fails: bool,
}

/// A value whose formatting may fail after a part was written.
struct Half<'a>(&'a str, bool);

impl fmt::Display for Half<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)?;
        if self.1 { Err(fmt::Error) } else { Ok(()) }
    }
}

static WRITTEN: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
static GUARD: OnceLock<Guard> = OnceLock::new();

fn started() -> &'static Guard {
    GUARD.get_or_init(|| {
        let output = LogOutput::new(|line| {
            WRITTEN.lock().expect("nothing panics").push(line.to_vec());
            Ok(())
        });
        let builder = Observability::builder().without_environment().signals(false).log_level(Level::Trace);
        builder.log_output(output).init().expect("the configuration is valid")
    })
}

fuzz_target!(|line: Line| {
    started();
    let Line {
        message,
        correlation_id,
        user,
        context: (name, value),
        field,
        reserved,
        float,
        whole,
        bytes,
        password,
        fails,
    } = line;
    let mut scope = LogContext::new().correlation_id(correlation_id).field(name, value);
    if let Some(user) = user {
        scope = scope.user(user);
    }
    // Too long to be in a line by chance.
    let password = format!("hunter{password:020}");
    scope.scope(|| {
        tracing::info!(
            field = %Half(&field, fails),
            level = %reserved,
            float,
            whole,
            bytes = ?String::from_utf8_lossy(&bytes),
            password,
            "{message}"
        );
    });
    let written = std::mem::take(&mut *WRITTEN.lock().expect("nothing panics"));
    let [line] = &*written else { panic!("{} lines", written.len()) };
    let line = std::str::from_utf8(line).expect("it is UTF-8").strip_suffix('\n').expect("it ends");
    assert!(!line.contains('\n'), "{line}");
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(object["level"], "INFO", "{line}");
    assert_eq!(object["whole"].as_i64(), Some(whole), "{line}");
    assert!(!line.contains(&password), "{line}");
});
