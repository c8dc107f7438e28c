//! Where the program's log lines go.

use std::fmt;
use std::io::{self, IsTerminal as _};
#[cfg(feature = "cli")]
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::standard_streams::StandardStream;

/// Whether a progress bar is drawn in the last line of standard error.
#[cfg(feature = "cli")]
pub static PROGRESS_BAR_DRAWN: AtomicBool = AtomicBool::new(false);

/// Writes whole lines.
pub trait LineWriter: Send + Sync {
    /// Writes a line, its end of line included.
    fn write_line(&self, line: &[u8]) -> io::Result<()>;

    /// What else went wrong since the last call, without a line being lost.
    fn take_problem(&self) -> Option<String> {
        None
    }
}

impl<W: Fn(&[u8]) -> io::Result<()> + Send + Sync> LineWriter for W {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self(line)
    }
}

/// Where the program's log lines go. The default is standard error.
///
/// ```no_run
/// use obs_runtime::{LogOutput, Observability};
///
/// let _guard = Observability::builder().log_output(LogOutput::stdout()).init()?;
/// # Ok::<_, obs_runtime::InitError>(())
/// ```
pub struct LogOutput {
    pub(super) name: &'static str,
    pub(super) writer: Box<dyn LineWriter>,
    pub(super) coloured: bool,
    pub(super) is_stderr: bool,
    pub(super) stderr_is_terminal: bool,
}

impl LogOutput {
    /// Standard error, which leaves standard output to the program. The text format is coloured on a terminal only; `NO_COLOR`, `CLICOLOR=0` and `CLICOLOR_FORCE` are respected.
    #[must_use]
    pub fn stderr() -> Self {
        let writer = |line: &[u8]| {
            #[cfg(feature = "cli")]
            if PROGRESS_BAR_DRAWN.load(Ordering::Relaxed) {
                return write_stderr(&[b"\r\x1b[2K", line].concat());
            }
            write_stderr(line)
        };
        Self {
            name: "standard error",
            writer: Box::new(writer),
            coloured: is_coloured(stderr_is_terminal),
            is_stderr: true,
            stderr_is_terminal: stderr_is_terminal(),
        }
    }

    /// Standard output, for platforms that collect logs from there. Coloured like standard error.
    #[must_use]
    pub fn stdout() -> Self {
        Self {
            name: "standard output",
            writer: Box::new(|line: &[u8]| StandardStream::Stdout.write_line(line)),
            coloured: is_coloured(|| io::stdout().is_terminal()),
            is_stderr: false,
            stderr_is_terminal: stderr_is_terminal(),
        }
    }

    /// A function that gets each line with its end of line, on the thread that logs. It should not block. Lines that it logs
    /// itself, and lines for which it returns an error, are dropped and counted.
    pub fn new(write: impl Fn(&[u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self {
            name: "log output",
            writer: Box::new(write),
            coloured: is_coloured(|| false),
            is_stderr: false,
            stderr_is_terminal: false,
        }
    }
}

impl fmt::Debug for LogOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogOutput").field("coloured", &self.coloured).finish_non_exhaustive()
    }
}

pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes a line to standard error.
pub fn write_stderr(line: &[u8]) -> io::Result<()> {
    StandardStream::Stderr.write_line(line)
}

fn is_coloured(is_terminal: impl FnOnce() -> bool) -> bool {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    colours(no_colour, variable("CLICOLOR_FORCE").as_deref(), variable("CLICOLOR").as_deref(), is_terminal)
}

/// The rules of <https://no-color.org> and <https://bixense.com/clicolors>.
fn colours(no_colour: bool, force: Option<&str>, cli_color: Option<&str>, is_terminal: impl FnOnce() -> bool) -> bool {
    match (no_colour, force) {
        (true, _) => false,
        (false, Some(force)) if force != "0" => true,
        (false, _) => cli_color != Some("0") && is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_terminal_and_the_variables() {
        for (no_colour, force, cli_color, terminal, coloured) in [
            (false, None, None, true, true),
            (false, None, None, false, false),
            (true, None, None, true, false),
            (true, Some("1"), Some("1"), true, false),
            (false, Some("1"), None, false, true),
            (false, Some("1"), Some("0"), false, true),
            (false, Some("0"), None, false, false),
            (false, Some("0"), None, true, true),
            (false, None, Some("0"), true, false),
            (false, None, Some("1"), false, false),
        ] {
            assert_eq!(
                colours(no_colour, force, cli_color, || terminal),
                coloured,
                "{no_colour} {force:?} {cli_color:?} {terminal}"
            );
        }
    }
}
