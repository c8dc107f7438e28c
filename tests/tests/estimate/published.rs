//! Estimates for queries over public tables against published results of BigQuery, or against column widths times rows.
//!
//! The sources of the numbers are in `published-tables.json`, in the shipped catalogue, and next to the queries here.

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, Figure, estimate};

/// What is known about a query.
enum Known {
    /// The bytes that BigQuery reported for this query.
    Reported(u64),
    /// The MiB that BigQuery's console showed for this query, with two decimals.
    Shown(f64),
    /// The bytes of its columns, none of which may be `NULL`, or whose values are counted.
    Exactly(u64),
    /// An upper bound: a `NULL` has no bytes, and a text at most those that the other columns leave.
    AtMost(u64),
    /// Neither published nor derivable from what is published.
    Unknown,
}

use Known::{AtMost, Exactly, Reported, Shown, Unknown};

const SHAKESPEARE: u64 = 164_656;
const GSOD: u64 = 114_420_316;
const NATALITY: u64 = 137_826_763;
const WIKIPEDIA: u64 = 313_797_035;
const NAMES: u64 = 5_552_452;
const TAXI: u64 = 36_256_539;
const TAXI_BYTES: u64 = 7_487_651_196;
const GSOD_2025: u64 = 2_528_312;
const GSOD_2025_BYTES: u64 = 492_127_170;
const GHCN_2025: u64 = 26_803_823;
const GHCN_2025_BYTES: u64 = 3_098_123_624;
const YELLOW: u64 = 20_332_093;
const TRANSACTIONS: u64 = 1_452_070_825;

const QUERIES: &[(&str, Known)] = &[
    // cloud.google.com/bigquery/docs/query-plan-explanation and …/quickstarts/query-public-dataset-bq.
    (
        "SELECT COUNT(1) AS rowcount, COUNTIF(corpus = 'hamlet') AS rowcount_hamlet FROM samples.shakespeare",
        Reported(2_464_625),
    ),
    ("SELECT * FROM samples.shakespeare", Reported(6_432_064)),
    ("SELECT word_count FROM samples.shakespeare", Exactly(SHAKESPEARE * 8)),
    ("SELECT corpus_date, word_count FROM samples.shakespeare", Exactly(SHAKESPEARE * 16)),
    ("SELECT word FROM samples.shakespeare WHERE word = 'huzzah'", Exactly(6_432_064 - 2_464_625 - SHAKESPEARE * 16)),
    (
        "SELECT word, SUM(word_count) AS count FROM samples.shakespeare WHERE word LIKE '%raisin%' GROUP BY word",
        Exactly(6_432_064 - 2_464_625 - SHAKESPEARE * 8),
    ),
    ("SELECT * EXCEPT (word_count) FROM samples.shakespeare", Exactly(6_432_064 - SHAKESPEARE * 8)),
    ("SELECT corpus, MAX(word_count) FROM samples.shakespeare GROUP BY 1", Exactly(2_464_625 + SHAKESPEARE * 8)),
    ("SELECT COUNT(*) FROM samples.shakespeare", Exactly(0)),
    (
        "WITH s AS (SELECT * FROM samples.shakespeare) SELECT SUM(word_count) FROM s WHERE corpus_date > 1600",
        Exactly(SHAKESPEARE * 16),
    ),
    // github.com/Ophiase/learn-gcp, big-query/project_01/README.md: "scans 1.28 GB".
    (
        "SELECT year, COUNTIF (fog) fog_days, COUNTIF (rain) rain_days, COUNTIF (snow) snow_days,
           COUNTIF (thunder) thunder_days FROM samples.gsod GROUP BY year ORDER BY year",
        Shown(1.28 * 1024.0),
    ),
    ("SELECT COUNT(*) as total FROM samples.gsod", Exactly(0)),
    ("SELECT year, month, day FROM samples.gsod", Exactly(GSOD * 24)),
    ("SELECT station_number FROM samples.gsod GROUP BY station_number", Exactly(GSOD * 8)),
    ("SELECT COUNT(DISTINCT year * 12 + month) FROM samples.gsod", Exactly(GSOD * 16)),
    ("SELECT mean_temp FROM samples.gsod", AtMost(GSOD * 8)),
    ("SELECT month, COUNTIF(tornado) FROM samples.gsod GROUP BY month", AtMost(GSOD * 9)),
    ("SELECT snow_depth FROM samples.gsod WHERE snow_depth >= 12.5 LIMIT 1", AtMost(GSOD * 8)),
    ("SELECT * FROM samples.gsod", AtMost(GSOD * (23 * 8 + 8))),
    ("SELECT * EXCEPT (fog, rain, snow, hail, thunder, tornado) FROM samples.gsod", AtMost(GSOD * (23 * 8 + 2))),
    // "On average, you're using the wrong average", part 2: bigrquery reported 0 bytes and 1.0 gigabytes.
    ("SELECT COUNT(*) FROM samples.natality", Reported(0)),
    ("SELECT weight_pounds FROM samples.natality WHERE RAND() < .01", AtMost(NATALITY * 8)),
    ("SELECT source_year FROM samples.natality", Exactly(NATALITY * 8)),
    ("SELECT is_male, COUNT(*) FROM samples.natality GROUP BY is_male", Exactly(NATALITY)),
    (
        "SELECT source_year, COUNTIF(is_male) FROM samples.natality GROUP BY 1 HAVING COUNT(*) > 3",
        Exactly(NATALITY * 9),
    ),
    ("SELECT year, SUM(record_weight) AS births FROM samples.natality GROUP BY year", AtMost(NATALITY * 16)),
    ("SELECT year, is_male, COUNT(1) FROM samples.natality GROUP BY ROLLUP(year, is_male)", AtMost(NATALITY * 9)),
    ("SELECT weight_pounds, state, year, gestation_weeks FROM samples.natality ORDER BY 1 DESC LIMIT 10", Unknown),
    ("SELECT count(1) cnt FROM samples.wikipedia", Exactly(0)),
    ("SELECT SUM(num_characters) FROM samples.wikipedia", Exactly(WIKIPEDIA * 8)),
    (
        "SELECT wp_namespace, MIN(timestamp), AVG(num_characters) FROM samples.wikipedia GROUP BY 1",
        Exactly(WIKIPEDIA * 24),
    ),
    ("SELECT revision_id FROM samples.wikipedia WHERE is_minor", AtMost(WIKIPEDIA * 9)),
    ("SELECT title, num_characters FROM samples.wikipedia WHERE num_characters < 67100 LIMIT 10", Unknown),
    // github.com/MarquezProject/marquez, tests/extractors/job_details.json: totalBytesProcessed of that job.
    ("SELECT name FROM usa_names.usa_1910_2013 WHERE state = \"TX\" LIMIT 100", Reported(65_935_918)),
    (
        "SELECT name, COUNT(*) as name_count FROM usa_names.usa_1910_2013 WHERE state = 'WA' GROUP BY name",
        Reported(65_935_918),
    ),
    ("SELECT year, SUM(number) FROM usa_names.usa_1910_2013 GROUP BY year", AtMost(NAMES * 16)),
    ("SELECT name, SUM(number) total FROM usa_names.usa_1910_2013 GROUP BY 1", AtMost(43_726_110 + NAMES * 8)),
    ("SELECT name, gender, SUM(number) AS total FROM usa_names.usa_1910_2013 GROUP BY name, gender", Unknown),
    // github.com/frazier-at-cpcc/dsba6190-demos, google/session-07-make-the-cost-visible, steps 1 to 6; and "Recorded
    // public-data dry runs" of 2026-10-04.
    ("SELECT * FROM new_york_taxi_trips.tlc_yellow_trips_2022", Reported(TAXI_BYTES)),
    ("SELECT * FROM new_york_taxi_trips.tlc_yellow_trips_2022 LIMIT 10", Reported(TAXI_BYTES)),
    (
        "SELECT pickup_datetime, passenger_count, fare_amount FROM new_york_taxi_trips.tlc_yellow_trips_2022",
        Reported(1_150_274_528),
    ),
    ("SELECT AVG(fare_amount) FROM new_york_taxi_trips.tlc_yellow_trips_2022", Reported(580_104_624)),
    ("SELECT COUNT(*) FROM new_york_taxi_trips.tlc_yellow_trips_2022", Reported(0)),
    (
        "SELECT vendor_id, pickup_datetime, total_amount FROM new_york_taxi_trips.tlc_yellow_trips_2022
           WHERE pickup_datetime >= TIMESTAMP('2022-01-01') AND pickup_datetime < TIMESTAMP('2022-01-02') LIMIT 100",
        Reported(978_926_553),
    ),
    (
        "SELECT pickup_datetime, passenger_count, fare_amount FROM new_york_taxi_trips.tlc_yellow_trips_*
           WHERE _TABLE_SUFFIX = '2022'",
        Reported(1_150_274_528),
    ),
    (
        "SELECT pickup_datetime, passenger_count, fare_amount FROM new_york_taxi_trips.tlc_yellow_trips_*
           WHERE EXTRACT(YEAR FROM pickup_datetime) = 2022",
        Unknown,
    ),
    ("SELECT rate_code FROM new_york_taxi_trips.tlc_yellow_trips_2022", AtMost(TAXI_BYTES - 580_104_624)),
    (
        "SELECT trip_distance, tip_amount FROM new_york_taxi_trips.tlc_yellow_trips_2022 WHERE trip_distance > 0",
        AtMost(TAXI * 32),
    ),
    ("SELECT * EXCEPT (fare_amount) FROM new_york_taxi_trips.tlc_yellow_trips_2022", Exactly(TAXI_BYTES - 580_104_624)),
    // `bq show` of November 2025.
    ("SELECT * FROM noaa_gsod.gsod2025", Reported(GSOD_2025_BYTES)),
    ("SELECT COUNT(*) FROM noaa_gsod.gsod2025", Exactly(0)),
    ("SELECT MAX(temp), MIN(dewp) FROM noaa_gsod.gsod2025", AtMost(GSOD_2025 * 16)),
    ("SELECT date, AVG(temp) FROM noaa_gsod.gsod2025 WHERE visib < 1 GROUP BY date", AtMost(GSOD_2025 * 24)),
    ("SELECT stn, wban FROM noaa_gsod.gsod2025", AtMost(GSOD_2025_BYTES)),
    ("SELECT * FROM ghcn_d.ghcnd_2025", Reported(GHCN_2025_BYTES)),
    ("SELECT AVG(value) FROM ghcn_d.ghcnd_2025 WHERE date > '2025-06-01'", AtMost(GHCN_2025 * 16)),
    ("SELECT id, value FROM ghcn_d.ghcnd_2025 WHERE element = 'TMAX'", AtMost(GHCN_2025_BYTES)),
    (
        "SELECT g.temp, h.value FROM noaa_gsod.gsod2025 g JOIN ghcn_d.ghcnd_2025 h ON g.date = h.date",
        AtMost((GSOD_2025 + GHCN_2025) * 16),
    ),
    // A notebook on theLook eCommerce: "This query will process 2.4 Megabytes", in its units of 1,000,000.
    (
        "SELECT COUNT(DISTINCT(id)) AS total_users, MIN(EXTRACT(DATE FROM created_at)) AS first_customer,
           MAX(EXTRACT(DATE FROM created_at)) AS last_customer, AVG(age) AS average_age FROM thelook_ecommerce.users",
        Reported(2_400_000),
    ),
    ("SELECT country, COUNT(*) FROM thelook_ecommerce.users GROUP BY country", Unknown),
    // A homework on TLC's trips that thousands did: `bq query --dry_run` reported bytes, the console MB.
    ("SELECT DISTINCT PULocationID FROM zoomcamp.nytaxi.yellow_tripdata_2024", Reported(162_656_744)),
    ("SELECT DISTINCT PULocationID, DOLocationID FROM zoomcamp.nytaxi.yellow_tripdata_2024", Reported(325_313_488)),
    ("SELECT PULocationID FROM zoomcamp.nytaxi.yellow_tripdata_2024", Shown(155.12)),
    ("SELECT PULocationID, DOLocationID FROM zoomcamp.nytaxi.yellow_tripdata_2024", Shown(310.24)),
    (
        "SELECT DISTINCT VendorID FROM zoomcamp.nytaxi.yellow_tripdata_2024
           WHERE tpep_dropoff_datetime BETWEEN '2024-03-01' AND '2024-03-15'",
        Reported(325_313_488),
    ),
    (
        "SELECT DISTINCT VendorID FROM zoomcamp.nytaxi.yellow_tripdata_2024_partitioned
           WHERE tpep_dropoff_datetime BETWEEN '2024-03-01' AND '2024-03-15'",
        Reported(28_141_776),
    ),
    ("SELECT COUNT(*) FROM zoomcamp.nytaxi.yellow_tripdata_2024 WHERE fare_amount = 0", AtMost(YELLOW * 8)),
    ("SELECT COUNT(DISTINCT PULocationID) FROM zoomcamp.nytaxi.green_tripdata_2022", Shown(6.41)),
    (
        "SELECT DISTINCT PULocationID FROM zoomcamp.nytaxi.green_tripdata_2022
           WHERE DATE(lpep_pickup_datetime) BETWEEN '2022-06-01' AND '2022-06-30'",
        Shown(12.82),
    ),
    ("SELECT COUNT(DISTINCT(Affiliated_base_number)) FROM zoomcamp.nytaxi.fhv_tripdata_2019", Unknown),
    // "Recorded public-data dry runs" of 2026-10-04.
    (
        "SELECT `hash`, block_timestamp, output_value FROM crypto_bitcoin.transactions LIMIT 100",
        Reported(130_686_374_250),
    ),
    (
        "SELECT `hash`, block_timestamp, output_value FROM crypto_bitcoin.transactions
           WHERE block_timestamp_month = DATE('2024-01-01') AND block_timestamp >= TIMESTAMP('2024-01-01')
             AND block_timestamp < TIMESTAMP('2024-01-02') LIMIT 100",
        Reported(169_415_050),
    ),
    (
        "SELECT COUNT(*) AS transactions FROM crypto_bitcoin.transactions
           WHERE block_timestamp_month = DATE('2024-01-01') AND block_timestamp >= TIMESTAMP('2024-01-01')
             AND block_timestamp < TIMESTAMP('2024-01-02')",
        Reported(27_659_600),
    ),
    (
        "SELECT SUM(transaction_count) AS transactions FROM crypto_bitcoin.blocks
           WHERE timestamp_month = DATE('2024-01-01') AND timestamp >= TIMESTAMP('2024-01-01')
             AND timestamp < TIMESTAMP('2024-01-02')",
        Reported(23_274_984),
    ),
    ("SELECT SUM(fee) FROM crypto_bitcoin.transactions WHERE NOT is_coinbase", AtMost(TRANSACTIONS * 17)),
    ("SELECT SUM(o.value) FROM crypto_bitcoin.transactions t, UNNEST(t.outputs) AS o", Unknown),
];

fn catalogue() -> Catalogue {
    // One catalogue, because the wildcard has a table of the shipped one.
    let shipped = serde_json::to_value(Catalogue::shipped().unwrap()).unwrap();
    let mut all: serde_json::Value = serde_json::from_str(include_str!("published-tables.json")).unwrap();
    all["tables"].as_array_mut().unwrap().extend(shipped["tables"].as_array().unwrap().iter().cloned());
    Catalogue::from_json(&all.to_string(), "published-tables.json").unwrap()
}

/// The query with the full names of its tables.
fn full(sql: &str) -> String {
    const DATASETS: [&str; 7] = [
        "samples.",
        "usa_names.",
        "new_york_taxi_trips.",
        "noaa_gsod.",
        "ghcn_d.",
        "thelook_ecommerce.",
        "crypto_bitcoin.",
    ];
    let word = |word: &str| {
        let name = word.trim_end_matches([')', ',', '\n']);
        match DATASETS.iter().find(|dataset| word.starts_with(**dataset)) {
            Some(_) => format!("`bigquery-public-data.{name}`{}", &word[name.len()..]),
            None => word.to_owned(),
        }
    };
    sql.split_ascii_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// The least and the most bytes that are shown as this many MiB.
fn shown(mib: f64) -> (u64, u64) {
    let bytes = |mib: f64| format!("{:.0}", mib * 1024.0 * 1024.0).parse::<u64>().unwrap();
    let half = if mib > 1024.0 { 0.005 * 1024.0 } else { 0.005 };
    (bytes(mib - half), bytes(mib + half))
}

/// What was expected, if the estimate is wrong.
fn mismatch(estimated: &Estimate, known: &Known) -> Option<String> {
    let is_exact = estimated.figure == Figure::Exact;
    let bytes = estimated.processed_bytes;
    let at_least = |least: u64| bytes.is_some_and(|bytes| bytes >= least);
    let (is_right, expected) = match *known {
        Reported(reported) if is_exact => (bytes == Some(reported), format!("exactly {reported}")),
        Reported(reported) => (at_least(reported), format!("{reported} or more")),
        Shown(mib) => {
            let (least, most) = shown(mib);
            (at_least(least) && bytes <= Some(most), format!("{least} to {most}"))
        }
        Exactly(of_columns) => (is_exact && bytes == Some(of_columns), format!("exactly {of_columns}")),
        AtMost(most) => (estimated.figure == Figure::UpperBound && bytes == Some(most), format!("{most} at most")),
        Unknown => (bytes.is_none(), "unknown".to_owned()),
    };
    (!is_right).then_some(expected)
}

#[test]
fn no_upper_bound_is_too_low_and_columns_of_fixed_width_are_exact() {
    let catalogue = catalogue();
    let mut mismatches = Vec::new();
    for (sql, known) in QUERIES {
        let estimated = estimate(&full(sql), &catalogue, 6.25).unwrap_or_else(|error| panic!("{sql}\n{error}"));
        let expected = mismatch(&estimated, known);
        mismatches.extend(expected.map(|expected| format!("{sql}\nexpected {expected}, estimated\n{estimated}")));
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn the_billed_bytes_are_those_of_a_published_job() {
    // totalBytesBilled of the job: 63 MiB.
    let estimated =
        estimate(&full("SELECT name FROM usa_names.usa_1910_2013 WHERE state = \"TX\" LIMIT 100"), &catalogue(), 6.25);
    assert_eq!(estimated.unwrap().billed_bytes, Some(66_060_288));
}
