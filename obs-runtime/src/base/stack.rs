//! The call stack at one point of the program, as addresses. The exporter that sends it looks up the names.

use std::fmt;
#[cfg(any(feature = "otlp", feature = "sentry"))]
use std::sync::Arc;

#[cfg(any(feature = "otlp", feature = "sentry"))]
use crate::base::ffi;

/// Frames kept of one stack, innermost first.
#[cfg(any(feature = "otlp", feature = "sentry"))]
const MAX_FRAMES: usize = 64;

/// A captured call stack. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Stack(#[cfg(any(feature = "otlp", feature = "sentry"))] Arc<[usize]>);

impl Stack {
    /// Captures the stack of this thread; `None` in a build without an exporter that sends stacks.
    #[must_use]
    #[cfg_attr(
        any(feature = "otlp", feature = "sentry"),
        expect(clippy::unnecessary_wraps, reason = "None without the feature")
    )]
    pub fn capture() -> Option<Self> {
        #[cfg(any(feature = "otlp", feature = "sentry"))]
        {
            let (mut frames, mut depth) = ([0; MAX_FRAMES], 0);
            ffi::walk_stack(|address| {
                frames[depth] = address;
                depth += 1;
                depth < MAX_FRAMES
            });
            Some(Self(frames[..depth].into()))
        }
        #[cfg(not(any(feature = "otlp", feature = "sentry")))]
        None
    }

    /// The return addresses, innermost first.
    #[cfg(any(feature = "otlp", feature = "sentry"))]
    pub(crate) fn frames(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stack")
    }
}

#[cfg(all(test, any(feature = "otlp", feature = "sentry")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[inline(never)]
    fn depth_inside(calls: usize) -> usize {
        if calls == 0 {
            Stack::capture().map_or(0, |stack| stack.frames().len())
        } else {
            depth_inside(black_box(calls - 1)) + black_box(0)
        }
    }

    #[test]
    fn a_deep_stack_is_cut_at_its_outer_end() {
        let shallow = depth_inside(1);
        assert!((1..MAX_FRAMES).contains(&shallow), "{shallow}");
        assert_eq!(depth_inside(5), MAX_FRAMES.min(shallow + 4));
        assert_eq!(depth_inside(1000), MAX_FRAMES);
    }
}
