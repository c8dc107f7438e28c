//! All unsafe code, and what makes it sound.
#![expect(unsafe_code, reason = "neither function has a safe form that does the same")]

#[cfg(unix)]
unsafe extern "C" {
    /// Has C call a function when the process ends by `exit`; 0 when it will.
    ///
    /// The declaration is that of every Unix. Whatever is handed over lives as long as the program and takes nothing; that
    /// it does not unwind into C is `extern "C"`'s own promise.
    pub safe fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

/// The addresses of the calls that led here, from the innermost one outwards, as many as that.
///
/// The safe form takes a lock, which whoever looks up names holds for milliseconds. It is there for the library that
/// Windows has for this. The unwinders of Unix need none: panics go through them on all threads at once.
#[cfg(feature = "sentry")]
pub fn calls(most: usize) -> Vec<usize> {
    let mut calls = Vec::with_capacity(64);
    let note = |frame: &backtrace::Frame| {
        calls.push(frame.ip().addr());
        calls.len() < most
    };
    #[cfg(unix)]
    // SAFETY: synchronised as far as an unwinder of Unix has to be, as said above; `note` cannot unwind into it but for a
    // lack of memory, which ends the process.
    unsafe {
        backtrace::trace_unsynchronized(note);
    }
    #[cfg(not(unix))]
    backtrace::trace(note);
    calls
}
