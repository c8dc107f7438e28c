//! Fields of a `STRUCT`, and arrays.

use crate::support::{at_most, columns, exactly, small, unknown};

#[test]
fn a_struct_is_the_sum_of_its_fields() {
    exactly(&small("SELECT address.zip FROM p.d.orders"), 800);
    at_most(&small("SELECT o.address.geo.lat FROM p.d.orders o"), 800);
    let whole = small("SELECT address FROM p.d.orders");
    at_most(&whole, 1_600);
    assert_eq!(columns(&whole), ["address.zip", "address.geo.lat"]);
    at_most(&small("SELECT address.* FROM p.d.orders"), 1_600);
    unknown(&small("SELECT address.street FROM p.d.orders"), "address.street");
}

#[test]
fn arrays_are_read_through_unnest() {
    exactly(&small("SELECT tag FROM p.d.orders, UNNEST(tags) AS tag"), 700);
    exactly(&small("SELECT t FROM p.d.orders o CROSS JOIN o.tags AS t"), 700);
    exactly(&small("SELECT tags[OFFSET(0)] FROM p.d.orders"), 700);
    exactly(&small("SELECT item.sku FROM p.d.orders AS o, UNNEST(o.items) AS item WITH OFFSET AS i WHERE i < 3"), 900);
    at_most(&small("SELECT COUNT(*) FROM p.d.orders AS o, UNNEST(o.items) AS item"), 1_700);
    at_most(&small("SELECT ARRAY_LENGTH(tags) FROM p.d.orders"), 700);
    exactly(&small("SELECT items[SAFE_OFFSET(0)].sku FROM p.d.orders"), 900);
    exactly(&small("SELECT x FROM UNNEST([1, 2, 3]) AS x"), 0);
}

#[test]
fn a_query_over_unnest_may_use_outer_columns() {
    let estimate = small(
        "SELECT (SELECT COUNT(*) FROM UNNEST(tags) AS tag WHERE tag = CAST(id AS STRING))
         FROM p.d.orders",
    );
    assert_eq!(columns(&estimate), ["id", "tags"]);
    assert_eq!(estimate.processed_bytes, Some(800 + 700));
}
