//! `#[track_caller]` in generic blocks.

macro_rules! callers {
    ($(#[$attribute:meta])*) => {
        use std::ops::RangeBounds;

        pub struct Taken<'m, K, V, F> { keys: &'m mut Vec<(K, V)>, keep: F }
        impl<K, V, F> Taken<'_, K, V, F> {
            $(#[$attribute])*
            #[track_caller]
            pub(super) fn new<R>(keys: &mut Vec<(K, V)>, range: R, keep: F) -> Taken<'_, K, V, F>
            where
                R: RangeBounds<usize>,
                F: FnMut(&K, &mut V) -> bool,
            {
                let _ = range;
                Taken { keys, keep }
            }
            $(#[$attribute])*
            #[track_caller]
            pub fn len(&self) -> Option<usize> { let _ = &self.keep; Some(self.keys.len()) }
        }

        pub struct Pair<A, B>(A, B);
        impl<A: Clone, B: Default> Pair<A, B> {
            $(#[$attribute])*
            #[track_caller]
            pub fn first(pair: &Pair<A, B>) -> Option<A> { Some(pair.0.clone()) }
            $(#[$attribute])*
            #[track_caller]
            pub fn second(a: A) -> Result<Pair<A, B>, String> { Ok(Pair(a, B::default())) }
            $(#[$attribute])*
            #[track_caller]
            pub fn only_in_body(n: u8) -> Option<usize> { let made: Vec<B> = (0..n).map(|_| B::default()).collect(); Some(made.len()) }
            $(#[$attribute])*
            #[track_caller]
            fn hidden(self) -> Option<(A, B)> { Some((self.0, self.1)) }
            $(#[$attribute])*
            #[track_caller]
            pub fn own<T: From<A>>(a: A) -> Option<T> { Some(T::from(a)) }
            $(#[$attribute])*
            #[track_caller]
            pub fn nothing(_: A, _: B) {}
        }
        pub struct Table<Key, Value>(Key, Value);
        impl<Key: Clone, Value: Default, Handle: Clone> Table<Key, (Value, Handle)> {
            $(#[$attribute])*
            #[track_caller]
            pub fn keyed(key: &Key) -> Option<Key> { Some(key.clone()) }
            $(#[$attribute])*
            #[track_caller]
            pub fn of(table: &Table<Key, (Value, Handle)>) -> Result<Handle, String> { Ok(table.1.1.clone()) }
            $(#[$attribute])*
            #[track_caller]
            pub fn made(key: Key, handle: Handle) -> Option<Table<Key, (Value, Handle)>> { Some(Table(key, (Value::default(), handle))) }
        }
        pub struct Shelf<Entry>(Entry);
        impl<Entry: Clone> Shelf<Entry> {
            $(#[$attribute])*
            #[track_caller]
            pub fn first(shelf: &Shelf<Entry>) -> Option<Entry> { Some(shelf.0.clone()) }
            $(#[$attribute])*
            #[track_caller]
            pub fn put(entry: Entry) -> Result<Shelf<Entry>, String> { Ok(Shelf(entry)) }
        }
        pub struct Grid<const N: usize>([u8; N]);
        impl<const N: usize> Grid<N> {
            $(#[$attribute])*
            #[track_caller]
            pub fn filled(with: u8) -> Option<[u8; N]> { Some([with; N]) }
            $(#[$attribute])*
            #[track_caller]
            pub fn at(&self, index: usize) -> Option<u8> { self.0.get(index).copied() }
        }
        pub trait Made<T> { fn made(value: T) -> Option<T>; }
        impl<T> Made<T> for Vec<T> {
            $(#[$attribute])*
            #[track_caller]
            fn made(value: T) -> Option<T> { Some(value) }
        }

        $(#[$attribute])*
        #[track_caller] pub fn of_trait(value: impl Into<u64>) -> Option<u64> { Some(value.into()) }
        $(#[$attribute])*
        #[track_caller] pub fn of_pattern((a, b): (u8, u8), [c, ..]: [u8; 2]) -> Option<u8> { Some(a + b + c) }
        $(#[$attribute])*
        #[track_caller] pub unsafe fn not_safe<T: Copy>(value: *const T) -> Option<T> { Some(unsafe { *value }) }
        $(#[$attribute])*
        #[track_caller] pub fn longest<'a>(a: &'a str, b: &'a str) -> Result<&'a str, &'a str> { if a.len() > b.len() { Ok(a) } else { Err(b) } }
        $(#[$attribute])*
        #[track_caller] pub fn of_closure<F, R>(f: F) -> Option<R> where F: FnOnce() -> R { Some(f()) }
        $(#[$attribute])*
        #[track_caller] pub fn place() -> Option<&'static str> { Some(std::panic::Location::caller().file()) }
        pub struct Ring<Slot, const LEN: usize>([Slot; LEN]);
        impl<Slot: Copy, const LEN: usize> Ring<Slot, LEN> {
            $(#[$attribute])*
            #[track_caller]
            pub fn whole(with: Slot) -> Option<Self> { Some(Self([with; LEN])) }
            $(#[$attribute])*
            #[track_caller]
            pub(crate) fn last(self: &Self) -> Option<Slot> { self.0.last().copied() }
            $(#[$attribute])*
            #[track_caller]
            pub fn changed(mut self, to: Slot) -> Result<[Slot; LEN], Self> { if LEN == 0 { return Err(self); } self.0[0] = to; Ok(self.0) }
        }
        pub trait Named { fn name(&self) -> Option<String>; #[track_caller] fn twice(&self) -> Option<String> { self.name().map(|name| name.repeat(2)) } }
        impl Named for u8 {
            $(#[$attribute])*
            #[track_caller]
            fn name(&self) -> Option<String> { Some(self.to_string()) }
        }

        pub fn run() -> Vec<String> {
            let mut keys = vec![(1, 2)];
            let taken = Taken::<'_, _, _, fn(&i32, &mut i32) -> bool>::new(&mut keys, .., |_, _| true);
            Pair::<u8, u8>::nothing(1, 2);
            vec![
                format!("{:?}", taken.len()),
                format!("{:?}", (Pair::first(&Pair(1, 2)), Pair::<u8, u8>::second(1).map(Pair::hidden))),
                format!("{:?}", (Pair::<u8, u8>::only_in_body(3), Pair::<u8, u8>::own::<u32>(3))),
                format!("{:?}", (Grid::<3>::filled(1), Grid([1, 2]).at(1), Vec::made(3))),
                format!("{:?}", (Table::<u8, (u8, u8)>::keyed(&1), Table::of(&Table(1, (2, 3))), Shelf::first(&Shelf(1)))),
                format!("{:?}", (Table::<u8, (u8, u8)>::made(1, 2).map(|table| table.1), Shelf::put(1).map(|shelf| shelf.0))),
                format!("{:?}", (of_trait(1_u8), of_pattern((1, 2), [3, 4]), unsafe { not_safe(&5) }, longest("a", "bc"), of_closure(|| 6))),
                format!("{:?}", (place().is_some(), Ring::<u8, 2>::whole(1).and_then(|ring| ring.last()), Ring([1, 2]).changed(3).ok(), 4.twice())),
            ]
        }
    };
}
