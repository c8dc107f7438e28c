//! A piece of SQL with the values of its `?`.

use std::panic::Location;

use crate::checks::tables::statement::{Statement, TableValue};

/// A piece of SQL, and the values of its `?` in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    pub text: String,
    pub values: Vec<TableValue>,
}

impl<T: Into<String>> From<T> for Sql {
    fn from(text: T) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }
}

impl Sql {
    /// SQL as a user wrote it, with what would reach beyond it: a semicolon at its end goes, and a comment ends with its line.
    pub fn written(text: &str, values: Vec<TableValue>) -> Self {
        let text = text.trim_end_matches(|letter: char| letter == ';' || letter.is_whitespace());
        let has_comment = text.contains("--") || text.contains('#');
        Self { text: format!("{text}{}", if has_comment { "\n" } else { "" }), values }
    }

    pub const fn new(text: String, values: Vec<TableValue>) -> Self {
        Self { text, values }
    }

    /// The template with the parts in place of `{}`, in this order.
    pub fn of<'s>(template: &str, parts: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut sql = Self::default();
        let mut texts = template.split("{}");
        sql.text.push_str(texts.next().unwrap_or_default());
        for (part, text) in parts.into_iter().zip(texts) {
            sql.text.push_str(&part.text);
            sql.values.extend(part.values.iter().cloned());
            sql.text.push_str(text);
        }
        sql
    }

    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().cloned());
    }

    pub fn join(parts: &[Self], separator: &str) -> Self {
        let mut sql = Self::default();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                sql.push(separator);
            }
            sql.append(part);
        }
        sql
    }

    pub fn at(self, place: &'static Location<'static>) -> Statement {
        let mut statement = Statement::new(self.text, self.values);
        statement.place = place;
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_order_of_their_places() {
        let (first, second) = (Sql::new("a = ?".into(), vec![1.into()]), Sql::new("b = {}?".into(), vec![2.into()]));
        let sql = Sql::of("{} AND {} OR x", [&second, &first]);
        assert_eq!(sql, Sql::new("b = {}? AND a = ? OR x".into(), vec![2.into(), 1.into()]));
        assert_eq!(Sql::join(&[first, "c".into()], ", ").text, "a = ?, c");
    }
}
