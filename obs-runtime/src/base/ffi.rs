//! All unsafe code of this crate.
#![expect(unsafe_code, reason = "the standard library has no safe form of atexit")]

#[cfg(unix)]
unsafe extern "C" {
    /// Registers a function that C calls when the process ends by `exit`. Returns 0 on success.
    ///
    /// It is safe to call: the declaration is that of every Unix, a function pointer lives as long as the program, and
    /// `extern "C"` functions do not unwind.
    pub safe fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}
