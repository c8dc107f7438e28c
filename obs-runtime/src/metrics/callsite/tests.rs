use super::*;
use crate::base::outcome::Outcome;

#[test]
fn tag_values_beyond_the_limit_are_counted_as_other() {
    // Uses a kind that no other test of this crate counts, as limits are per kind.
    static SITE: Callsite = Callsite::cost("load", "m", "f.rs", 1);
    static SECOND: Callsite = Callsite::cost("store", "m", "f.rs", 2);
    for table in ["a", "b", "c", "d", "a"] {
        let (cells, _) = SITE.cells_tagged(vec![("table", table.to_owned())], 2);
        cells.start();
        cells.finish(Outcome::Ok, 1);
    }
    let counts = |site: &Callsite| {
        let mut counts = Vec::new();
        site.for_each_total(|tags, totals, _| counts.push((tags[0].1.clone(), totals.started)));
        counts.sort();
        counts
    };
    assert_eq!(counts(&SITE), [("a".into(), 2), ("b".into(), 1), (OTHER.into(), 2)]);
    let (cells, full) = SECOND.cells_tagged(vec![("table", "a".to_owned())], 2);
    cells.start();
    assert!(full && counts(&SECOND)[0].0 == OTHER, "the limit applies to the family, not to the call site");
}
