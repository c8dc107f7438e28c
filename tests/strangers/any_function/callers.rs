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
            ]
        }
    };
}
