//! The estimate, for programs (serde) and for people ([`Display`](fmt::Display)).

use std::fmt;

use serde::Serialize;

use crate::bigquery::estimate::amount::{Amount, Figure};
use crate::bigquery::estimate::price;
use crate::bigquery::estimate::table::TableReads;

/// What a query reads and costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The tables read from, by name.
    pub tables: Vec<TableEstimate>,
    /// Bytes read from all tables, where known.
    pub processed_bytes: Option<u64>,
    /// Bytes billed: rounded up to whole MiB, with 10 MiB for each table at least.
    pub billed_bytes: Option<u64>,
    /// What the query costs on demand, in US dollars; without the free TiB of each month. In an edition it costs slot time instead.
    pub usd: Option<f64>,
    /// The price used, in US dollars for each TiB.
    pub usd_per_tib: f64,
    /// Whether the numbers above are exact, a bound, or unknown.
    pub figure: Figure,
    /// When the oldest of the sizes were read, if the catalogue says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// What the numbers assume: that partitions since the catalogue are as large as the last ones, and its age.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What would make the query cheaper.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

/// What a query reads from one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TableEstimate {
    /// The table's full name: project, dataset and table.
    pub table: String,
    /// The columns read, in the table's order; a field of a `STRUCT` with its path.
    pub columns: Vec<String>,
    /// Bytes read, where known.
    pub bytes: Option<u64>,
    /// Whether `bytes` is exact, a bound, or unknown.
    pub figure: Figure,
}

impl Estimate {
    pub(super) fn new(tables: Vec<TableReads>, unknown: Vec<String>, usd_per_tib: f64) -> Self {
        let nothing = if unknown.is_empty() { Amount::Exact(0) } else { Amount::Unknown(unknown) };
        let total = tables.iter().fold(nothing, |total, TableReads { name, amount, .. }| {
            total.plus(match amount {
                Amount::Unknown(why) => Amount::Unknown(why.iter().map(|why| format!("{name}: {why}")).collect()),
                known => known.clone(),
            })
        });
        let billed_bytes = total.bytes().map(|_| {
            let bytes: Vec<u64> = tables.iter().filter_map(|read| read.amount.bytes()).collect();
            price::billed(&bytes)
        });
        Self {
            processed_bytes: total.bytes(),
            billed_bytes,
            usd: billed_bytes.map(|bytes| price::usd(bytes, usd_per_tib)),
            usd_per_tib,
            figure: total.figure(),
            as_of: None,
            notes: tables.iter().filter_map(|read| read.note.clone()).collect(),
            advice: Vec::new(),
            tables: tables
                .into_iter()
                .map(|read| TableEstimate {
                    table: read.name,
                    columns: read.columns,
                    bytes: read.amount.bytes(),
                    figure: read.amount.figure(),
                })
                .collect(),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "{}", table.table)?;
            let columns = if table.columns.is_empty() { "none".to_owned() } else { table.columns.join(", ") };
            writeln!(f, "  columns    {columns}")?;
            writeln!(f, "  bytes      {}", Labelled(table.bytes, &table.figure))?;
        }
        writeln!(f, "processed    {}", Labelled(self.processed_bytes, &self.figure))?;
        if let (Some(billed), Some(usd)) = (self.billed_bytes, self.usd) {
            writeln!(f, "billed       {}", Size(billed))?;
            let at_most = if self.figure == Figure::UpperBound { "at most " } else { "" };
            writeln!(f, "cost         {at_most}${usd:.6} at ${} per TiB", self.usd_per_tib)?;
        }
        for note in &self.notes {
            writeln!(f, "note         {note}")?;
        }
        for advice in &self.advice {
            writeln!(f, "advice       {advice}")?;
        }
        if let Figure::Unknown { why } = &self.figure {
            for why in why {
                writeln!(f, "not known    {why}")?;
            }
        }
        Ok(())
    }
}

/// Bytes, with whether they are exact.
struct Labelled<'a>(Option<u64>, &'a Figure);

impl fmt::Display for Labelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}, {}", Size(bytes), self.1),
            None => write!(f, "{}", self.1),
        }
    }
}

/// Bytes with separated thousands, and in a binary unit.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str(" bytes")?;
        let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        if let Some((unit, name)) = units.into_iter().find(|(unit, _)| self.0 >= *unit) {
            // Hundredths as integers, so that no size is rounded.
            let hundredths = u128::from(self.0) * 100 / u128::from(unit);
            write!(f, " ({}.{:02} {name})", hundredths / 100, hundredths % 100)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_read_well() {
        assert_eq!(Size(0).to_string(), "0 bytes");
        assert_eq!(Size(999).to_string(), "999 bytes");
        assert_eq!(Size(1_317_248).to_string(), "1,317,248 bytes (1.25 MiB)");
        assert_eq!(Size(10_485_760).to_string(), "10,485,760 bytes (10.00 MiB)");
        assert_eq!(Size(1 << 40).to_string(), "1,099,511,627,776 bytes (1.00 TiB)");
    }
}
