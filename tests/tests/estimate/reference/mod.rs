//! Random queries over random tables: the estimate is never below what the result depends on.
//!
//! The reference is SQLite over the same rows. If the result of a query changes when the values of one column in one
//! partition change, BigQuery has to read that column in that partition. The bytes of all such parts, counted value by value,
//! are the least that the query can read.

mod queries;
mod rows;

use std::cell::Cell;

use obs_runtime::bigquery::estimate::{Catalogue, Estimator};
use proptest::prelude::{ProptestConfig, any};
use proptest::test_runner::TestRunner;
use queries::Queries;
use rows::{Table, tables};

use crate::support::moment;

/// Random numbers by the seed of a case.
pub struct Random(u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    pub fn is_one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}

/// The rows of a query's result, in no order; `None` if SQLite refuses it.
fn result(tables: &[Table], sql: &str) -> Option<Vec<String>> {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    for table in tables {
        table.create(&database);
    }
    let mut statement = database.prepare(&sql.replace("p.d.", "")).ok()?;
    let columns = statement.column_count();
    let mut rows: Vec<String> = statement
        .query_map([], |row| {
            let values: Result<Vec<String>, _> = (0..columns)
                .map(|at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}")))
                .collect();
            Ok(values?.join("|"))
        })
        .ok()?
        .collect::<Result<_, _>>()
        .ok()?;
    rows.sort();
    Some(rows)
}

/// The bytes of the parts of the tables that the result depends on.
fn least_bytes(tables: &[Table], sql: &str, before: &[String]) -> u64 {
    let mut bytes = 0;
    for (at, table) in tables.iter().enumerate() {
        for partition in table.partitions() {
            for column in 0..table.columns.len() {
                let depends = [1, 2, 3].into_iter().any(|change| {
                    let mut changed = tables.to_vec();
                    changed[at].change(&partition, column, change);
                    result(&changed, sql).is_some_and(|after| after != before)
                });
                bytes += if depends { table.bytes(Some(&partition), column) } else { 0 };
            }
        }
    }
    bytes
}

#[test]
fn no_estimate_is_below_the_bytes_that_the_result_depends_on() {
    let cases = 300;
    let (run, known, read) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let checked = runner.run(&any::<u64>(), |seed| {
        let mut random = Random(seed);
        let tables = tables(&mut random);
        let sql = Queries::new(&mut random, &tables).query();
        let before = result(&tables, &sql).unwrap_or_else(|| panic!("SQLite refuses {sql}"));
        let catalogue = Catalogue::from_json(&rows::catalogue(&tables), "random.json").unwrap();
        let estimate = Estimator::new(&catalogue).now(moment(rows::AS_OF)).estimate(&sql).unwrap();
        run.set(run.get() + 1);
        let Some(bytes) = estimate.processed_bytes else { return Ok(()) };
        known.set(known.get() + 1);
        let least = least_bytes(&tables, &sql, &before);
        read.set(read.get() + u32::from(least > 0));
        assert!(
            bytes >= least,
            "{sql}\nreads {least} bytes at least, estimated\n{estimate}\n{}",
            rows::catalogue(&tables)
        );
        Ok(())
    });
    checked.unwrap();
    // The test says something only if most queries are known and depend on values.
    assert!(known.get() * 10 >= run.get() * 9, "{} of {} are known", known.get(), run.get());
    assert!(read.get() * 2 >= run.get(), "{} of {} depend on values", read.get(), run.get());
}
