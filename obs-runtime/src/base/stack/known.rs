//! The calls that led to a point, of which most are those that led to the point before: a function that fails in a loop
//! comes by the same way each time, and whatever else fails on that thread shares the outer part of it.
//!
//! To find out who called whom takes the tables of the unwinder, some 200 ns for each call, and 100 µs when they are not in
//! the processor's cache. Where the addresses stand on the stack at which calls go on is known from the last time. As soon
//! as a call is met that was there then, at the same place of the stack, what is outside of it is the same calls if each of
//! those places still holds the same address: a function's own part of the stack has one size at one point of its code.

use std::cell::RefCell;
use std::sync::Arc;

use crate::base::ffi;

/// Most calls that are noted, from the innermost one outwards: a recursive function may be at any depth.
const DEEPEST: usize = 256;

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
}

/// A call that goes on at `address` when what it called has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    address: usize,
    /// Where the stack was when it called.
    stack: usize,
}

/// The calls that led here when that was asked last on this thread.
#[derive(Debug, Default)]
struct Last {
    /// All of them, innermost first, each further out on the stack than the one before; none where that is not so.
    calls: Vec<Call>,
    addresses: Arc<[usize]>,
    /// Where the stack was when they were noted; what is outside of it is not over yet.
    place: usize,
    /// Room for those that are new.
    fresh: Vec<Call>,
}

/// The addresses of the calls that led here, innermost first.
pub fn calls() -> Arc<[usize]> {
    let known = LAST.try_with(|last| last.try_borrow_mut().ok().map(|mut last| last.renewed()));
    // A thread that is ending, or an allocator that fails in here.
    known.ok().flatten().unwrap_or_else(|| Last::default().renewed())
}

/// Whether the stack says that these calls are running.
fn stand(calls: &[Call]) -> bool {
    ffi::stack_holds(calls.iter().map(|call| (call.stack, call.address)))
}

impl Last {
    // One function, not a part of others: where its variables are says where its caller's are.
    #[inline(never)]
    fn renewed(&mut self) -> Arc<[usize]> {
        let place = std::ptr::from_ref(&self).addr();
        let outside = self.calls.partition_point(|call| call.stack <= place);
        if place == self.place && outside < self.calls.len() && stand(&self.calls[outside..]) {
            return Arc::clone(&self.addresses);
        }
        self.place = place;
        self.walk();
        Arc::clone(&self.addresses)
    }

    /// Asks the unwinder for the calls, up to one that is known.
    fn walk(&mut self) {
        self.fresh.clear();
        let (mut known, mut next) = (None, 0);
        // Whether it can be told again by where it stands on the stack.
        let mut stands = true;
        ffi::walk(|address, stack| {
            let call = Call { address, stack };
            while self.calls.get(next).is_some_and(|known| known.stack < stack) {
                next += 1;
            }
            if self.calls.get(next) == Some(&call) && stand(&self.calls[next..]) {
                known = Some(next);
                return false;
            }
            stands &= stand(&[call]) && self.fresh.last().is_none_or(|inner| inner.stack < stack);
            self.fresh.push(call);
            self.fresh.len() < DEEPEST
        });
        stands &= self.fresh.len() < DEEPEST;
        self.calls.splice(..known.unwrap_or(self.calls.len()), self.fresh.drain(..));
        self.addresses = self.calls.iter().take(DEEPEST).map(|call| call.address).collect();
        if !stands || self.calls.len() > DEEPEST {
            self.calls.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    /// How many of the innermost calls are those of taking a stack.
    const TAKING: usize = 12;

    /// What is told here is what the unwinder tells.
    #[inline(never)]
    fn compare() -> usize {
        let mut walked = Vec::new();
        ffi::walk(|address, _| {
            walked.push(address);
            walked.len() < DEEPEST
        });
        let told = calls();
        let outer = walked.iter().rev().zip(told.iter().rev()).take_while(|(walked, told)| walked == told).count();
        assert!(outer + TAKING > walked.len().max(told.len()), "{outer} of {} and {} agree", walked.len(), told.len());
        outer
    }

    /// Calls itself by ways that a number tells, and compares on the way in and on the way out.
    fn by_ways(ways: u64, depth: usize) -> usize {
        if depth == 0 {
            return compare();
        }
        let inner = match ways % 4 {
            0 => left(ways / 4, depth - 1),
            1 => right(ways / 4, depth - 1, [ways; 17]),
            2 => {
                let _ = compare();
                by_ways(ways / 4, depth - 1)
            }
            _ => (0..=1).map(|way| by_ways(ways / 4 + way, depth - 1)).sum(),
        };
        inner + compare()
    }

    #[inline(never)]
    fn left(ways: u64, depth: usize) -> usize {
        black_box(by_ways(black_box(ways), depth))
    }

    #[inline(never)]
    fn right(ways: u64, depth: usize, room: [u64; 17]) -> usize {
        by_ways(ways, depth) + usize::from(black_box(room)[3] == 1)
    }

    #[test]
    fn what_is_told_is_what_the_unwinder_tells_whichever_way_led_there() {
        let mut ways = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..400 {
            ways = ways.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            assert!(by_ways(ways >> 20, round % 9) > 0);
        }
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || (0..50).map(|round| by_ways(ways ^ round ^ thread, 5)).sum::<usize>());
            }
        });
    }

    #[test]
    fn on_a_stack_of_the_programs_own_too() {
        for round in 0..50_u64 {
            // It is another one each time, and is given back.
            let agreed = stacker::grow(64 << 10, || by_ways(round.wrapping_mul(0x2545_f491_4f6c_dd1d), 3) + compare());
            assert!(agreed + compare() > 0);
            let within = stacker::grow(64 << 10, || stacker::grow(32 << 10, || by_ways(round, 2)));
            assert!(within > 0);
        }
    }

    #[inline(never)]
    fn deep(depth: usize) -> usize {
        if depth == 0 { calls().len() } else { deep(black_box(depth - 1)) + black_box(0) }
    }

    #[test]
    fn of_more_calls_than_are_noted_the_innermost_ones_are_told() {
        let few = deep(10);
        assert!(few < DEEPEST, "{few}");
        assert_eq!(deep(1000), DEEPEST);
        assert_eq!(deep(1001), DEEPEST);
        assert_eq!(deep(10), few);
        assert_eq!(deep(DEEPEST - 5), DEEPEST);
        assert_eq!(deep(9), few - 1);
    }

    /// Takes a stack twice from the same place.
    #[inline(never)]
    fn twice() -> [Arc<[usize]>; 2] {
        [(); 2].map(|()| black_box(calls()))
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn the_same_way_is_the_same_list() {
        let [one, other] = twice();
        assert!(Arc::ptr_eq(&one, &other), "{one:?} {other:?}");
        std::thread::spawn(|| {
            let [one, other] = twice();
            assert!(Arc::ptr_eq(&one, &other));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn no_address_that_is_not_on_the_stack_is_read() {
        let here = std::ptr::from_ref(&0_usize).addr();
        for place in [0, 1, 7, 8, 4096, here & !0xf_ffff_ffff, usize::MAX, usize::MAX - 7] {
            assert!(!stand(&[Call { address: 0, stack: place }]), "{place:#x}");
        }
    }
}
