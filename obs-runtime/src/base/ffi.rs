//! All unsafe code, and what makes it sound.
#![expect(unsafe_code, reason = "none of the functions has a safe form that does the same")]

#[cfg(unix)]
unsafe extern "C" {
    /// Has C call a function when the process ends by `exit`; 0 when it will.
    ///
    /// The declaration is that of every Unix. Whatever is handed over lives as long as the program and takes nothing; that
    /// it does not unwind into C is `extern "C"`'s own promise.
    pub safe fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

/// Has this thread let others go first: woken by one, it does not take the processor away from it. Nor do threads that it
/// starts itself.
#[cfg(all(feature = "sentry", target_os = "linux"))]
pub fn stand_back() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is this thread, and the parameters are read during the call only. Where it is not allowed, nothing changes.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) };
}

/// Goes through the calls that led here, from the innermost one outwards, until `visit` has seen enough: at which address
/// each goes on when what it called has returned, and where the stack was when it called that.
///
/// The safe form takes a lock, which whoever looks up names holds for milliseconds. It is there for the library that
/// Windows has for this. The unwinders of Unix need none: panics go through them on all threads at once.
#[cfg(feature = "sentry")]
pub fn walk(mut visit: impl FnMut(usize, usize) -> bool) {
    // Behind the outermost call of a thread there may be one more, that goes on nowhere.
    let visit = |frame: &backtrace::Frame| !frame.ip().is_null() && visit(frame.ip().addr(), frame.sp().addr());
    #[cfg(unix)]
    // SAFETY: synchronised as far as an unwinder of Unix has to be, as said above; `visit` cannot unwind into it but for a
    // lack of memory, which ends the process.
    unsafe {
        backtrace::trace_unsynchronized(visit);
    }
    #[cfg(not(unix))]
    backtrace::trace(visit);
}

/// Whether this thread's own stack holds each of these addresses just inside of its place, where a processor of this kind
/// puts the address at which a call goes on. It does not where a place is not on the part of the stack that is in use, or
/// where stacks look different.
#[cfg(feature = "sentry")]
pub fn stack_holds(mut addresses: impl Iterator<Item = (usize, usize)>) -> bool {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    {
        const WORD: usize = size_of::<usize>();
        let (own, here) = (own_stack(), std::ptr::from_ref(&addresses).addr());
        // Code may run on a stack that it has made by itself.
        let in_use = if own.contains(&here) { here..own.end } else { 0..0 };
        addresses.all(|(stack, address)| {
            let place = stack.wrapping_sub(WORD);
            let is_on_it = in_use.contains(&place) && in_use.contains(&(stack.wrapping_sub(1)));
            // SAFETY: from a variable of this call that is on it to the end of the thread's stack, all of it is in use, and
            // mapped for as long as the thread runs; a word at a multiple of its size can be read. It may be written by nobody meanwhile
            // but this thread, which is here. What it means is not relied upon.
            let held = || unsafe { std::ptr::with_exposed_provenance::<usize>(place).read_volatile() };
            is_on_it && place.is_multiple_of(WORD) && held() == address
        })
    }
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    {
        addresses.next().is_none()
    }
}

/// Where this thread's own stack is; nowhere when nobody knows.
#[cfg(all(feature = "sentry", target_os = "linux", target_arch = "x86_64"))]
fn own_stack() -> std::ops::Range<usize> {
    use std::cell::Cell;
    use std::mem::MaybeUninit;

    thread_local! {
        /// The answer, which costs the main thread a look at all of its memory.
        static OWN: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
    }
    let ask = || {
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
        // SAFETY: the attributes are used and destroyed only when C has filled them in, and all pointers are to variables of
        // this function.
        let is_known = unsafe {
            if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
                return (0, 0);
            }
            let is_known = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size) == 0;
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            is_known
        };
        let lowest = lowest.expose_provenance();
        if is_known { (lowest, lowest.saturating_add(size)) } else { (0, 0) }
    };
    let asked = OWN.try_with(|own| {
        own.get().unwrap_or_else(|| {
            let answer = ask();
            own.set(Some(answer));
            answer
        })
    });
    let (lowest, end) = asked.unwrap_or_default();
    lowest..end
}

#[cfg(all(test, feature = "sentry", target_os = "linux"))]
mod tests {
    use super::*;

    /// How the system schedules this thread: 0 as all others, 3 behind them.
    fn policy() -> Option<u32> {
        let line = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
        // The name, in parentheses, may have spaces in it; the policy is the 41st field.
        line.rsplit_once(')')?.1.split_whitespace().nth(41 - 3)?.parse().ok()
    }

    #[test]
    fn a_thread_that_stands_back_is_behind_the_others() {
        let policies = std::thread::spawn(|| {
            let before = policy();
            stand_back();
            (before, policy())
        });
        assert_eq!(policies.join().unwrap(), (Some(0), Some(3)));
        assert_eq!(policy(), Some(0));
    }
}
