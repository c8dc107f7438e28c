//! All unsafe code of this crate.
#![expect(unsafe_code, reason = "each function says why its safe form does not do")]

use std::error::Error;

#[cfg(unix)]
unsafe extern "C" {
    /// Registers a function that C calls when the process ends by `exit`. Returns 0 on success. It has no safe form.
    ///
    /// It is safe to call: the declaration is that of every Unix, a function pointer lives as long as the program, and
    /// `extern "C"` functions do not unwind.
    pub safe fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

/// What a signal does in this process.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalAction {
    /// Its default.
    Default,
    /// Nothing.
    Ignored,
    /// It runs a handler.
    Handler {
        /// The address of the handler.
        address: usize,
        /// Whether interrupted system calls go on after it.
        restarts: bool,
    },
}

/// What a signal does now. Async-signal-safe. `signal-hook` has no such question.
///
/// # Errors
/// If there is no such signal.
#[cfg(unix)]
pub fn signal_action(signal: std::ffi::c_int) -> std::io::Result<SignalAction> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, the call changes nothing but writes the current one to `action`, for which zeros are
    // valid too.
    let (failed, action) =
        unsafe { (libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0, action.assume_init()) };
    if failed {
        return Err(std::io::Error::last_os_error());
    }
    Ok(match action.sa_sigaction {
        libc::SIG_DFL => SignalAction::Default,
        libc::SIG_IGN => SignalAction::Ignored,
        address => SignalAction::Handler { address, restarts: action.sa_flags & libc::SA_RESTART != 0 },
    })
}

/// Makes a signal run a handler, which may only call async-signal-safe functions. Interrupted system calls go on.
///
/// A handler of `signal-hook` would share one address with those of `tokio::signal`, so that neither could be told from the
/// other. The handlers of both call this one first.
///
/// # Errors
/// If the system refuses.
#[cfg(unix)]
pub fn handle_signal(signal: std::ffi::c_int, handler: extern "C" fn(std::ffi::c_int)) -> std::io::Result<()> {
    // SAFETY: zeros are valid for the structure, and mean no flags and an empty mask. The handler lives as long as the
    // program and has the signature that is called without SA_SIGINFO.
    let failed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut()) != 0
    };
    if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// A list of statics that the linker collects from all crates of the program, in a section of its own.
///
/// Only [`link!`](crate::__private::link) adds items, and it gives each the type `Item`: a section holds nothing else.
pub trait Section {
    /// The type of the statics.
    type Item: Sync + 'static;
}

macro_rules! sections {
    ($($(#[$documentation:meta])* $section:ident)*) => {$(
        $(#[$documentation])*
        #[derive(Debug)]
        pub enum $section {}

        impl $section {
            /// The items of all crates that are linked into this program. None on targets whose linker cannot collect them,
            /// as that of WebAssembly.
            pub fn items() -> &'static [<Self as Section>::Item] {
                type Item = <$section as Section>::Item;

                // The linker defines these symbols, also in a program without items: `ANCHOR` creates the section.
                #[cfg(all(unix, not(target_family = "wasm")))]
                unsafe extern "Rust" {
                    #[cfg_attr(
                        target_vendor = "apple",
                        link_name = concat!("\x01section$start$__DATA$__obs", stringify!($section))
                    )]
                    #[cfg_attr(
                        not(target_vendor = "apple"),
                        link_name = concat!("__start_set_obs", stringify!($section))
                    )]
                    safe static START: [Item; 0];
                    #[cfg_attr(
                        target_vendor = "apple",
                        link_name = concat!("\x01section$end$__DATA$__obs", stringify!($section))
                    )]
                    #[cfg_attr(
                        not(target_vendor = "apple"),
                        link_name = concat!("__stop_set_obs", stringify!($section))
                    )]
                    safe static END: [Item; 0];
                }

                #[used]
                #[cfg(all(unix, not(target_vendor = "apple"), not(target_family = "wasm")))]
                #[unsafe(link_section = concat!("set_obs", stringify!($section)))]
                static mut ANCHOR: [Item; 0] = [];

                // The linker sorts the parts of a section by what follows the `$`. These two have a size, because
                // compilers may write something for a static without one.
                #[cfg(windows)]
                #[unsafe(link_section = concat!(".obs", stringify!($section), "$a"))]
                static START: std::mem::MaybeUninit<Item> = std::mem::MaybeUninit::uninit();
                #[cfg(windows)]
                #[unsafe(link_section = concat!(".obs", stringify!($section), "$c"))]
                static END: std::mem::MaybeUninit<Item> = std::mem::MaybeUninit::uninit();

                #[cfg(any(all(unix, not(target_family = "wasm")), windows))]
                {
                    let start = (&raw const START).cast::<Item>().wrapping_add(usize::from(cfg!(windows)));
                    let bytes = (&raw const END).addr() - start.addr();
                    // On Windows, the compiler must not know that `start` is past the end of a static.
                    let start = std::hint::black_box(start);
                    // SAFETY: the linker places all statics of this section, and nothing else, between the two addresses.
                    // They are of type `Item`, are never mutated through another reference, and live forever.
                    unsafe { std::slice::from_raw_parts(start, bytes / size_of::<Item>()) }
                }
                #[cfg(not(any(all(unix, not(target_family = "wasm")), windows)))]
                &[]
            }
        }
    )*};
}

// Names of sections have at most 16 letters on Apple's systems, with the prefix `__obs`.
sections! {
    /// The annotated functions, except checks.
    Callsites
    /// The functions with `#[health_check]`.
    Health
    /// The functions with `#[dq_check]`.
    Quality
    /// The error types with `#[derive(ErrorKind)]`.
    ErrorKinds
}

/// Defines a static and adds it to a [`Section`].
#[doc(hidden)]
#[macro_export]
macro_rules! __obs_link {
    ($section:ident $name:ident = $value:expr) => {
        #[used]
        #[cfg_attr(
                    all(unix, not(target_vendor = "apple"), not(target_family = "wasm")),
                    unsafe(link_section = ::core::concat!("set_obs", ::core::stringify!($section)))
                )]
        #[cfg_attr(
                    target_vendor = "apple",
                    unsafe(link_section = ::core::concat!("__DATA,__obs", ::core::stringify!($section), ",regular,no_dead_strip"))
                )]
        #[cfg_attr(windows, unsafe(link_section = ::core::concat!(".obs", ::core::stringify!($section), "$b")))]
        static $name: <$crate::__private::$section as $crate::__private::Section>::Item = $value;
    };
}

/// Calls `see` with an error whose type can be compared, although it may have lifetimes.
///
/// `see` may compare it only with types without lifetimes: as the comparison ignores them, an error that borrows is taken for
/// one that lives forever. The reference itself does not leave `see`.
pub fn with_comparable_type<R>(
    error: &(dyn Error + '_),
    see: impl for<'e> FnOnce(&'e (dyn Error + 'static)) -> R,
) -> R {
    // SAFETY: both types have the same layout. A type without lifetimes equals only itself, so `see` gets no reference that
    // lives longer than the error's.
    see(unsafe { std::mem::transmute::<&(dyn Error + '_), &(dyn Error + 'static)>(error) })
}

/// Adds a static of this crate to a [`Section`].
macro_rules! link_own {
    ($section:ident $name:ident = $value:expr) => {
        #[expect(unsafe_code, reason = "the static has the type of its section")]
        const _: () = {
            $crate::base::ffi::link_item! { $section $name = $value }
        };
    };
}
pub(crate) use {__obs_link as link_item, link_own};

/// Visits the return addresses of this thread's stack, innermost first, until `visit` returns false.
///
/// The safe form takes the lock under which names are looked up: an error that is captured while another one is sent would
/// wait until the debug information of the program is read, 0.6 s for a debug build of 100 MB. The lock is there for the
/// library that Windows has for both; unwinders of Unix need none.
#[cfg(any(feature = "otlp", feature = "sentry"))]
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
