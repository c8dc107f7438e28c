//! What names stand for at one place of a query.

use std::collections::BTreeSet;

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::sql::rows::{Output, Rows};

/// Something that `FROM` names.
#[derive(Debug, Clone)]
pub(super) struct Relation<'c> {
    /// Its alias or, without one, the last part of its name; in lower case.
    pub(super) name: Option<String>,
    pub(super) columns: Columns<'c>,
}

/// The columns of a relation.
#[expect(clippy::large_enum_variant, reason = "few live at once, and most are the large one")]
#[derive(Debug, Clone)]
pub(super) enum Columns<'c> {
    /// Those of a table in the catalogue.
    Table(&'c Table),
    /// Those of a table that is not in the catalogue: any name may be one.
    Missing(String),
    /// Those that a query hands out.
    Rows(Rows),
    /// One value, as of `UNNEST`: it and its fields are already read.
    Value,
}

impl Relation<'_> {
    /// What reading the column, or the field of a column, at `path` reads.
    fn column(&self, path: &[String]) -> Option<Reads> {
        match &self.columns {
            Columns::Table(table) => {
                let leaves = table.leaves_under(path)?;
                Some(Reads::columns(&table.name, leaves))
            }
            Columns::Rows(rows) => {
                let named = |output: &&Output| output.name.as_ref() == path.first();
                let found = rows.outputs.iter().filter(named);
                let found = found.map(|output| output.reads.clone());
                let mut found = found.reduce(Reads::plus)?;
                if path.len() > 1 {
                    // One field of what the query hands out: the others may stay unread.
                    found.set_at_most();
                }
                Some(found)
            }
            Columns::Missing(_) | Columns::Value => None,
        }
    }

    /// What reading a column of a name not known here reads, where there may be such a column.
    fn open(&self, path: &[String]) -> Option<Reads> {
        match &self.columns {
            Columns::Missing(table) => Some(Reads::columns(table, [path.join(".")])),
            Columns::Rows(rows) => rows.open.clone(),
            Columns::Value => Some(Reads::default()),
            Columns::Table(_) => None,
        }
    }

    /// All columns, as `*` hands them out.
    pub(super) fn rows(&self) -> Rows {
        match &self.columns {
            Columns::Table(table) => {
                Rows { outputs: table.columns.iter().filter_map(|c| self.output(&c.name)).collect(), ..Rows::default() }
            }
            Columns::Missing(table) => Rows { open: Some(Reads::table(table)), ..Rows::default() },
            // What it reads always was taken when it was named in FROM.
            Columns::Rows(rows) => Rows { always: Reads::default(), ..rows.clone() },
            Columns::Value => Rows {
                outputs: vec![Output { name: self.name.clone(), reads: Reads::default() }],
                open: Some(Reads::default()),
                ..Rows::default()
            },
        }
    }

    fn output(&self, column: &str) -> Option<Output> {
        Some(Output { name: Some(column.to_lowercase()), reads: self.column(&[column.to_owned()])? })
    }

    /// Says that there is no such column.
    fn without(&self, path: &[String]) -> Reads {
        let path = path.join(".");
        match &self.columns {
            Columns::Table(table) => Reads::doubt(&table.name, format!("the table has no column `{path}`")),
            _ => Reads::not_known(format!("no subquery here hands out a column `{path}`")),
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

/// The names of one query, and of those around it.
#[derive(Debug, Default)]
pub(super) struct Names<'s, 'c> {
    pub(super) relations: Vec<Relation<'c>>,
    /// The columns that `USING` made one.
    pub(super) shared: BTreeSet<String>,
    /// The queries of `WITH`; of two with one name the later counts.
    pub(super) queries: Vec<(String, Rows)>,
    around: Option<&'s Names<'s, 'c>>,
}

impl<'s, 'c> Names<'s, 'c> {
    pub(super) fn inside(around: &'s Names<'s, 'c>) -> Self {
        Self { relations: Vec::new(), shared: BTreeSet::new(), queries: Vec::new(), around: Some(around) }
    }

    /// Whether these are the names of a query inside another.
    pub(super) fn is_inside(&self) -> bool {
        self.around.is_some()
    }

    /// The query that `WITH` gave this name.
    pub(super) fn query(&self, name: &str) -> Option<&Rows> {
        let here = self.queries.iter().rev().find(|(known, _)| known == name);
        match here {
            Some((_, rows)) => Some(rows),
            None => self.around.and_then(|around| around.query(name)),
        }
    }

    /// The relation of this name, in this query's `FROM`.
    pub(super) fn relation(&self, name: &str) -> Option<&Relation<'c>> {
        self.relations.iter().find(|r| r.is_named(name))
    }

    /// What reading the column at `path` reads, here or in the queries around; nothing that is
    /// known is left out when the name could be several things.
    pub(super) fn column(&self, path: &[String]) -> Option<Reads> {
        if let Some(here) = self.column_here(path) {
            return Some(here);
        }
        let around = self.around.and_then(|around| around.column(path));
        let open = self.relations.iter().filter_map(|r| r.open(path));
        self.any_of(open.chain(around).collect(), path)
    }

    /// As [`column`](Self::column), but only where it surely is here.
    fn column_here(&self, path: &[String]) -> Option<Reads> {
        let (first, rest) = path.split_first()?;
        let mut found: Vec<Reads> = Vec::new();
        for relation in &self.relations {
            if relation.is_named(first) && !rest.is_empty() {
                let field = relation.column(rest).or_else(|| relation.open(rest));
                found.push(field.unwrap_or_else(|| relation.without(path)));
            }
            found.extend(relation.column(path));
        }
        if rest.is_empty() {
            // The whole row; of one name with a column, either may be meant.
            let whole = self.relations.iter().filter(|r| r.is_named(first));
            found.extend(whole.map(|r| r.rows().all()));
        }
        self.any_of(found, path)
    }

    /// What is read when a name is one of these, and it is not known which.
    fn any_of(&self, found: Vec<Reads>, path: &[String]) -> Option<Reads> {
        let differ = found.windows(2).any(|pair| pair[0] != pair[1]);
        let mut found = found.into_iter().reduce(Reads::plus)?;
        if differ && !path.iter().any(|name| self.shared.contains(name)) {
            found.set_at_most();
        }
        Some(found)
    }

    /// The tables of the catalogue that are in reach of a name here.
    pub(super) fn tables(&self) -> Vec<&str> {
        let here = self.relations.iter().filter_map(|r| match &r.columns {
            Columns::Table(table) => Some(table.name.as_str()),
            _ => None,
        });
        let around = self.around.map(Names::tables).unwrap_or_default();
        here.chain(around).collect()
    }
}
