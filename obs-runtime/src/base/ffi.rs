//! All unsafe code of this crate.
#![expect(unsafe_code, reason = "each function says why its safe form does not do")]

#[cfg(unix)]
unsafe extern "C" {
    /// Registers a function that C calls when the process ends by `exit`. Returns 0 on success. It has no safe form.
    ///
    /// It is safe to call: the declaration is that of every Unix, a function pointer lives as long as the program, and
    /// `extern "C"` functions do not unwind.
    pub safe fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

/// Visits the return addresses of this thread's stack, innermost first, until `visit` returns false.
///
/// The safe form takes the lock under which names are looked up: an error that is captured while another one is sent would
/// wait until the debug information of the program is read, 0.6 s for a debug build of 100 MB. The lock is there for the
/// library that Windows has for both; unwinders of Unix need none.
#[cfg(feature = "sentry")]
pub fn walk_stack(mut visit: impl FnMut(usize) -> bool) {
    // The unwinder may report a null frame outside of the outermost call.
    let visit = |frame: &backtrace::Frame| !frame.ip().is_null() && visit(frame.ip().addr());
    #[cfg(unix)]
    // SAFETY: an unwinder of Unix has no state that threads share. `visit` does not panic.
    unsafe {
        backtrace::trace_unsynchronized(visit);
    }
    #[cfg(not(unix))]
    backtrace::trace(visit);
}
