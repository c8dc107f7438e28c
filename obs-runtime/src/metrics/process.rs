//! What the operating system tells about this process, where it has `/proc`.

use std::fs;
use std::sync::OnceLock;

/// Clock ticks in a second, as `/proc` counts them on every architecture that Rust supports.
const TICKS: f64 = 100.0;

/// A reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessStats {
    /// CPU time used, in seconds.
    pub cpu_seconds: f64,
    pub resident_bytes: f64,
    pub open_fds: f64,
    pub threads: f64,
    /// Seconds since 1970.
    pub start_time: f64,
}

/// Reads the statistics; `None` where there is no `/proc`. Takes a few file reads.
#[must_use]
pub fn read() -> Option<ProcessStats> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may contain spaces and parentheses.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let open = u32::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    Some(ProcessStats {
        cpu_seconds: (field(14)? + field(15)?) / TICKS,
        resident_bytes: kibibytes * 1024.0,
        // Without the descriptor of the folder itself.
        open_fds: f64::from(open.saturating_sub(1)),
        threads: field(20)?,
        start_time: boot_time()? + field(22)? / TICKS,
    })
}

/// When the system started, in seconds since 1970.
fn boot_time() -> Option<f64> {
    static BOOT_TIME: OnceLock<Option<f64>> = OnceLock::new();
    *BOOT_TIME.get_or_init(|| {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_reading_is_plausible() {
        let before = read().unwrap();
        let files: Vec<_> = (0..50).map(|_| File::open("/proc/self/stat").unwrap()).collect();
        let after = read().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(after.open_fds >= before.open_fds + 20.0 && files.len() == 50, "{before:?} {after:?}");
        assert!(after.cpu_seconds >= before.cpu_seconds && after.threads >= 1.0, "{before:?} {after:?}");
        assert!((now - 24.0 * 3600.0..now + 2.0).contains(&after.start_time), "{after:?}");
        assert!(after.resident_bytes > 1e6, "{after:?}");
    }
}
