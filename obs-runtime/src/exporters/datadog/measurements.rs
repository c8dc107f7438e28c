//! Everything that is measured at one moment: by obs, and by the program itself.

use crate::exporters::datadog::user_metrics::{UserSeries, bounds};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{Labels, SeriesValue, Snapshot};

/// All series.
#[derive(Debug, Default)]
pub struct Measurements {
    /// What obs measures.
    pub snapshot: Snapshot,
    /// What the program counts by the macros of `metrics`.
    pub users: Vec<UserSeries>,
}

/// Who measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// obs.
    Obs,
    /// The program, by the macros of `metrics`.
    Program,
}

/// A series as it stands now.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'m> {
    pub origin: Origin,
    pub kind: Kind,
    pub name: &'m str,
    /// Names of labels that come first.
    pub own: &'m [&'m str],
    pub labels: &'m Labels,
    /// Upper bounds of a histogram's buckets.
    pub bounds: &'m [f64],
    pub value: &'m SeriesValue,
    /// The last observations of a histogram, oldest first, as far as anybody remembers.
    pub recent: &'m [f64],
}

impl Measurements {
    /// Each series.
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
