//! Prices by location and by type of statement.

use std::fmt;

use crate::config::parse;
use crate::config::parse::Parsed;

/// A price in US dollars, and those of locations that differ from it.
///
/// ```
/// use obs_runtime::config::LocationPrices;
///
/// let prices = LocationPrices::new(6.25).with("europe-west3", 8.13);
/// assert_eq!((prices.at(Some("Europe-West3")), prices.at(Some("EU")), prices.at(None)), (8.13, 6.25, 6.25));
/// assert_eq!(prices.to_string(), "6.25,europe-west3=8.13");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LocationPrices {
    usd: f64,
    elsewhere: NamedPrices,
}

impl LocationPrices {
    /// The same price everywhere.
    #[must_use]
    pub const fn new(usd: f64) -> Self {
        Self { usd, elsewhere: NamedPrices(Vec::new()) }
    }

    /// Sets the price in a location, such as `EU` or `europe-west3`.
    #[must_use]
    pub fn with(mut self, location: impl Into<String>, usd: f64) -> Self {
        self.elsewhere.set(location.into(), usd);
        self
    }

    /// The price in a location; without one, that of all other locations.
    #[must_use]
    pub fn at(&self, location: Option<&str>) -> f64 {
        location.and_then(|location| self.elsewhere.get(location)).unwrap_or(self.usd)
    }

    /// Whether all prices are numbers of 0 or more.
    pub(super) fn are_valid(&self) -> bool {
        is_valid(self.usd) && self.elsewhere.are_valid()
    }
}

impl From<f64> for LocationPrices {
    fn from(usd: f64) -> Self {
        Self::new(usd)
    }
}

impl fmt::Display for LocationPrices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.usd)?;
        self.elsewhere.0.iter().try_for_each(|(location, usd)| write!(formatter, ",{location}={usd}"))
    }
}

/// Prices by name, in US dollars. Names are compared without regard to case.
///
/// ```
/// use obs_runtime::config::NamedPrices;
///
/// let prices = NamedPrices::default().with("CREATE_MODEL", 312.5);
/// assert_eq!((prices.get("create_model"), prices.get("SELECT")), (Some(312.5), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedPrices(Vec<(String, f64)>);

impl NamedPrices {
    /// Sets a price.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, usd: f64) -> Self {
        self.set(name.into(), usd);
        self
    }

    /// The price of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, usd)| *usd)
    }

    fn set(&mut self, name: String, usd: f64) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.0.push((name, usd));
    }

    /// Whether all prices are numbers of 0 or more.
    pub(super) fn are_valid(&self) -> bool {
        self.0.iter().all(|(_, usd)| is_valid(*usd))
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for NamedPrices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prices: Vec<String> = self.0.iter().map(|(name, usd)| format!("{name}={usd}")).collect();
        formatter.write_str(&prices.join(","))
    }
}

fn is_valid(usd: f64) -> bool {
    usd.is_finite() && usd >= 0.0
}

/// Parses a price, and perhaps others by location, such as `6.25,EU=7.5`.
pub fn by_location(text: &str) -> Parsed<LocationPrices> {
    let Some((first, rest)) = text.split_once(',') else { return parse::usd(text).map(LocationPrices::new) };
    let elsewhere = named(rest).map_err(|near| {
        let decimal_comma = || parse::usd(text).err().flatten();
        near.map(|rest| format!("{first},{rest}")).or_else(decimal_comma)
    })?;
    Ok(LocationPrices { usd: parse::usd(first.trim())?, elsewhere })
}

/// Parses prices by name, such as `CREATE_MODEL=312.5`, separated by commas. Names must be unique.
pub fn named(text: &str) -> Parsed<NamedPrices> {
    let mut prices = NamedPrices::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, usd) = part.split_once('=').ok_or(None)?;
        let name = name.trim();
        if name.is_empty() || prices.get(name).is_some() {
            return Err(None);
        }
        let usd = parse::usd(usd.trim()).map_err(|near| near.map(|usd| format!("{name}={usd}")))?;
        prices.set(name.to_owned(), usd);
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_by_location_are_parsed_and_written() {
        let prices = by_location("6.25, EU=7 , europe-west3=8.13").unwrap();
        assert_eq!(prices.to_string(), "6.25,EU=7,europe-west3=8.13");
        let at = ["eu", "EUROPE-WEST3", "US"].map(|location| prices.at(Some(location)));
        assert_eq!((at, prices.at(None)), ([7.0, 8.13, 6.25], 6.25));
        assert_eq!(by_location("5"), Ok(LocationPrices::new(5.0)));
        assert_eq!(named("CREATE_MODEL=312.5").unwrap().to_string(), "CREATE_MODEL=312.5");
    }

    #[test]
    fn invalid_prices_are_rejected_with_a_suggestion() {
        assert_eq!(by_location("6,25").unwrap_err().as_deref(), Some("6.25"));
        assert_eq!(by_location("6.25,EU=$7").unwrap_err().as_deref(), Some("6.25,EU=7"));
        assert_eq!(named("CREATE_MODEL=$5").unwrap_err().as_deref(), Some("CREATE_MODEL=5"));
        for wrong in ["", "x", "EU=7", "6.25,EU=x", "6.25,=7", "6.25,EU=7,eu=8", "-1,EU=7", "6.25,EU=inf"] {
            assert!(by_location(wrong).is_err(), "{wrong}");
        }
    }
}
