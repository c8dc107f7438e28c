//! All series at one moment: those of obs and those of the program.

use crate::exporters::aggregation::user_metrics::UserSeries;
use crate::exporters::datadog::user_metrics::bounds;
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{Labels, SeriesValue, Snapshot};

/// All series.
#[derive(Debug, Default)]
pub struct Measurements {
    /// Series of obs.
    pub snapshot: Snapshot,
    /// Series of the program, from the macros of `metrics`.
    pub users: Vec<UserSeries>,
}

/// The owner of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// obs.
    Obs,
    /// The program, by the macros of `metrics`.
    Program,
}

/// A series and its current value.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'m> {
    pub origin: Origin,
    pub kind: Kind,
    pub name: &'m str,
    /// Names of the family's labels, which come first.
    pub own: &'m [&'m str],
    pub labels: &'m Labels,
    /// Upper bounds of a histogram's buckets.
    pub bounds: &'m [f64],
    pub value: &'m SeriesValue,
    /// The last observations of a histogram, oldest first; empty where they are not kept.
    pub recent: &'m [f64],
}

impl Measurements {
    /// Iterates over all series.
    pub fn iter(&self) -> impl Iterator<Item = Measured<'_>> {
        let families = self.snapshot.families.iter().flat_map(|found| {
            let (family, origin) = (found.family, Origin::Obs);
            let bounds = if family.kind == Kind::Histogram { family.buckets() } else { &[] };
            found.series.iter().map(move |series| Measured {
                origin,
                kind: family.kind,
                name: family.name,
                own: family.labels,
                labels: &series.labels,
                bounds,
                value: &series.value,
                recent: &series.recent,
            })
        });
        let users = self.users.iter().map(|series| Measured {
            origin: Origin::Program,
            kind: series.kind,
            name: &series.name,
            own: &[],
            labels: &series.labels,
            bounds: bounds(),
            value: &series.value,
            recent: &[],
        });
        families.chain(users)
    }
}
