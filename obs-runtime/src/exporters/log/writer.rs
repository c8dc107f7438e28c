//! Where lines are written, each with one write.

use std::fmt;
use std::io::{self, IsTerminal as _};
#[cfg(feature = "cli")]
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::standard_streams::StandardStream;

/// Whether something that is drawn anew from time to time stands in the last line of the terminal that is standard error.
#[cfg(feature = "cli")]
pub static DRAWN: AtomicBool = AtomicBool::new(false);

/// Takes whole lines.
pub trait LineWriter: Send + Sync {
    /// Writes a line, its end of line included.
    fn write_line(&self, line: &[u8]) -> io::Result<()>;
}

impl<W: Fn(&[u8]) -> io::Result<()> + Send + Sync> LineWriter for W {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self(line)
    }
}

/// Where the program's lines go: standard error unless told otherwise.
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
    /// Whether somebody sits at a terminal and reads what is written to standard error.
    pub(super) is_watched: bool,
}

impl LogOutput {
    /// Standard error, so that a command's standard output stays its own. In the text format its lines are coloured on a
    /// terminal only; `NO_COLOR`, `CLICOLOR=0` and `CLICOLOR_FORCE` are respected.
    #[must_use]
    pub fn stderr() -> Self {
        let writer = |line: &[u8]| {
            #[cfg(feature = "cli")]
            if DRAWN.load(Ordering::Relaxed) {
                return tell(&[b"\r\x1b[2K", line].concat());
            }
            tell(line)
        };
        Self {
            name: "standard error",
            writer: Box::new(writer),
            coloured: is_coloured(is_watched),
            is_watched: is_watched(),
        }
    }

    /// Standard output, where a platform collects lines from there. Coloured as standard error is.
    #[must_use]
    pub fn stdout() -> Self {
        Self {
            name: "standard output",
            writer: Box::new(|line: &[u8]| StandardStream::Stdout.write_line(line)),
            coloured: is_coloured(|| io::stdout().is_terminal()),
            is_watched: is_watched(),
        }
    }

    /// A function of the program's that is given each line with its end of line, on the thread that logged it. It should
    /// not wait for anything; what it logs itself is dropped and counted, as is a line for which it returns an error.
    pub fn new(write: impl Fn(&[u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { name: "log output", writer: Box::new(write), coloured: is_coloured(|| false), is_watched: false }
    }
}

impl fmt::Debug for LogOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogOutput").field("coloured", &self.coloured).finish_non_exhaustive()
    }
}

fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Writes a line to standard error.
pub fn tell(line: &[u8]) -> io::Result<()> {
    StandardStream::Stderr.write_line(line)
}

fn is_coloured(is_terminal: impl FnOnce() -> bool) -> bool {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    colours(no_colour, variable("CLICOLOR_FORCE").as_deref(), variable("CLICOLOR").as_deref(), is_terminal)
}

/// As <https://no-color.org> and <https://bixense.com/clicolors> have it.
fn colours(no_colour: bool, force: Option<&str>, wish: Option<&str>, is_terminal: impl FnOnce() -> bool) -> bool {
    match (no_colour, force) {
        (true, _) => false,
        (false, Some(force)) if force != "0" => true,
        (false, _) => wish != Some("0") && is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_and_as_the_variables_say() {
        for (no_colour, force, wish, terminal, coloured) in [
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
                colours(no_colour, force, wish, || terminal),
                coloured,
                "{no_colour} {force:?} {wish:?} {terminal}"
            );
        }
    }
}
