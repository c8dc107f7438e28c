//! How a command can end, and what is then true.

/// An ending of the program `ending`.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// The program's argument.
    pub way: &'static str,
    /// The exit status, as a shell sees it.
    pub status: i32,
    /// The outcome; none if the process is ended before anything can be recorded.
    pub outcome: Option<&'static str>,
    /// The exit code that the metrics have: -1 for one that is not known.
    pub exit_code: f64,
    /// How the run ends in release health.
    pub session: Option<&'static str>,
    /// How often the session counts an error.
    pub errors: u64,
    /// What the one event in Sentry says.
    pub event: Option<&'static str>,
    /// Whether a person gets a line that says why the command failed.
    pub summary: bool,
    /// Whether the program can still tell its status.
    pub goes_on: bool,
    /// Whether a second signal may end the process before everything is sent.
    pub is_cut_short: bool,
}

const DEFAULT: Ending = Ending {
    way: "",
    status: 0,
    outcome: Some("cancelled"),
    exit_code: -1.0,
    session: Some("abnormal"),
    errors: 0,
    event: None,
    summary: false,
    goes_on: false,
    is_cut_short: false,
};

/// The endings.
pub const ENDINGS: [Ending; 13] = [
    Ending { way: "return", outcome: Some("ok"), exit_code: 0.0, session: Some("exited"), goes_on: true, ..DEFAULT },
    Ending { way: "await", outcome: Some("ok"), exit_code: 0.0, session: Some("exited"), goes_on: true, ..DEFAULT },
    Ending {
        way: "error",
        status: 1,
        outcome: Some("error"),
        exit_code: 1.0,
        session: Some("exited"),
        errors: 1,
        event: Some("asked to fail"),
        summary: true,
        goes_on: true,
        ..DEFAULT
    },
    Ending {
        way: "panic",
        status: 101,
        outcome: Some("panic"),
        exit_code: 101.0,
        session: Some("crashed"),
        errors: 1,
        event: Some("asked to panic"),
        goes_on: true,
        ..DEFAULT
    },
    Ending { way: "abort", status: 134, outcome: None, session: None, ..DEFAULT },
    Ending {
        way: "exit",
        status: 7,
        outcome: Some("error"),
        exit_code: 7.0,
        session: Some("exited"),
        errors: 1,
        summary: true,
        ..DEFAULT
    },
    Ending { way: "thread-exit", status: 7, exit_code: 7.0, ..DEFAULT },
    Ending { way: "process-exit", status: 7, ..DEFAULT },
    Ending { way: "TERM", status: 143, exit_code: 143.0, event: Some("SIGTERM: "), ..DEFAULT },
    Ending { way: "INT", status: 130, exit_code: 130.0, event: Some("SIGINT: "), ..DEFAULT },
    Ending { way: "second-INT", status: 130, exit_code: 130.0, event: Some("SIGINT: "), is_cut_short: true, ..DEFAULT },
    Ending { way: "timeout", goes_on: true, ..DEFAULT },
    Ending { way: "drop", goes_on: true, ..DEFAULT },
];
