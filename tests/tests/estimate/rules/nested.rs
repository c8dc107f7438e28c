//! Fields and arrays.

use super::Group;
use super::Truth::{Bound, Exact, Unknown};

const KEY: u64 = 1_000;
const STRING: u64 = 2_000;
const INT: u64 = 800;
const SKU: u64 = 500;
const PRICE: u64 = 400;
const TAGS: u64 = 430;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A STRUCT has the bytes of its fields, which are stored as columns. \
               https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes",
        queries: &[
            ("SELECT device.category FROM p.d.events_20240101", Exact(60)),
            ("SELECT device.browser.name FROM p.d.events_20240101", Exact(70)),
            ("SELECT device.browser FROM p.d.events_20240101", Exact(110)),
            ("SELECT device FROM p.d.events_20240101", Exact(170)),
            ("SELECT e.device.browser.version FROM p.d.events_20240101 AS e", Exact(40)),
            ("SELECT * FROM p.d.events_20240101", Exact(5_480)),
            ("SELECT * EXCEPT (event_params, items) FROM p.d.events_20240101", Exact(350)),
            ("SELECT device.category FROM (SELECT device FROM p.d.events_20240101)", Exact(60)),
            ("WITH e AS (SELECT * FROM p.d.events_20240101) SELECT e.device.browser.name FROM e", Exact(70)),
            ("SELECT x.category FROM (SELECT device AS x FROM p.d.events_20240101)", Exact(60)),
            ("SELECT event_date FROM p.d.events_20240101 WHERE device.category = 'mobile'", Exact(160)),
            ("SELECT device.nope FROM p.d.events_20240101", Unknown),
        ],
    },
    Group {
        rule: "UNNEST reads the fields that are used. \
               https://cloud.google.com/bigquery/docs/arrays#querying_nested_arrays",
        queries: &[
            ("SELECT i.sku FROM p.d.events_20240101, UNNEST(items) AS i", Exact(SKU)),
            ("SELECT i.sku, i.price FROM p.d.events_20240101, UNNEST(items) AS i", Exact(SKU + PRICE)),
            ("SELECT sku FROM p.d.events_20240101, UNNEST(items)", Exact(SKU)),
            ("SELECT i.sku FROM p.d.events_20240101 AS e, e.items AS i", Exact(SKU)),
            ("SELECT i.sku FROM p.d.events_20240101 AS e LEFT JOIN UNNEST(e.items) AS i WITH OFFSET", Exact(SKU)),
            ("SELECT i FROM p.d.events_20240101, UNNEST(items) AS i", Exact(SKU + PRICE + TAGS)),
            ("SELECT event_date, i.* FROM p.d.events_20240101, UNNEST(items) AS i", Exact(100 + SKU + PRICE + TAGS)),
            ("SELECT t FROM p.d.events_20240101, UNNEST(items) AS i, UNNEST(i.tags) AS t", Exact(TAGS)),
            ("SELECT i.sku FROM p.d.events_20240101, UNNEST(items) AS i WHERE i.price > 3", Exact(SKU + PRICE)),
            ("SELECT SUM(i.price) FROM p.d.events_20240101, UNNEST(items) AS i GROUP BY i.sku", Exact(SKU + PRICE)),
            ("SELECT items[OFFSET(0)].sku FROM p.d.events_20240101", Exact(SKU)),
            ("SELECT items[SAFE_OFFSET(0)].tags[OFFSET(0)] FROM p.d.events_20240101", Exact(TAGS)),
            (
                "SELECT (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page') FROM p.d.events_20240101",
                Exact(KEY + STRING),
            ),
            (
                "SELECT (SELECT p.value.int_value FROM UNNEST(event_params) p WHERE p.key = 'n') FROM p.d.events_20240101",
                Exact(KEY + INT),
            ),
            (
                "SELECT event_date FROM p.d.events_20240101
                   WHERE EXISTS (SELECT 1 FROM UNNEST(event_params) WHERE key = 'page')",
                Exact(100 + KEY),
            ),
            (
                "WITH e AS (SELECT event_params FROM p.d.events_20240101)
                 SELECT (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'n') FROM e",
                Exact(KEY + INT),
            ),
            (
                "SELECT ARRAY(SELECT AS STRUCT sku FROM UNNEST(items) WHERE price > 1) FROM p.d.events_20240101",
                Exact(SKU + PRICE),
            ),
            // Some field is read for the length; which one is not said.
            ("SELECT COUNT(*) FROM p.d.events_20240101, UNNEST(items)", Bound(SKU + PRICE + TAGS)),
            ("SELECT ARRAY_LENGTH(items) FROM p.d.events_20240101", Bound(SKU + PRICE + TAGS)),
            ("SELECT i.nope FROM p.d.events_20240101, UNNEST(items) AS i", Unknown),
        ],
    },
];
