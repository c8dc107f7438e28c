//! What names stand for at one place of a query.

use std::collections::BTreeSet;

use crate::bigquery::estimate::catalogue::tables::{Table, is_pseudo};
use crate::bigquery::estimate::sql::reads::{Reads, UseId};
use crate::bigquery::estimate::sql::rows::{Origin, Output, Rows};

/// Something that `FROM` names.
#[derive(Debug, Clone)]
pub(super) struct Relation<'c> {
    /// Its alias or, without one, the last part of its name; in lower case.
    pub(super) name: Option<String>,
    pub(super) columns: Columns<'c>,
    /// An outer join may put `NULL` in place of its columns.
    pub(super) nullable: bool,
}

/// The columns of a relation.
#[expect(clippy::large_enum_variant, reason = "few live at once, and most are the large one")]
#[derive(Debug, Clone)]
pub(super) enum Columns<'c> {
    /// Those of a table in the catalogue.
    Table(&'c Table, UseId),
    /// Those of a table that is not in the catalogue: any name may be one.
    Missing(String),
    /// Those that a query returns.
    Rows(Rows<'c>),
    /// The elements of an array in a table, at this path: values, or the fields of a `STRUCT`.
    Elements(&'c Table, Vec<String>),
    /// One value, or elements of an array that is no column: it and its fields are already read.
    Value,
}

impl<'c> Relation<'c> {
    pub(super) fn new(name: Option<String>, columns: Columns<'c>) -> Self {
        Self { name, columns, nullable: false }
    }

    /// What reading the column, or the field of a column, at `path` reads.
    fn column(&self, path: &[String]) -> Option<Reads> {
        match &self.columns {
            Columns::Table(table, _) => {
                let leaves = table.leaves_under(path)?;
                Some(Reads::columns(&table.name, leaves))
            }
            Columns::Elements(table, array) => {
                if !self.has_fields() {
                    return None;
                }
                let leaves = table.leaves_under(&[array.as_slice(), path].concat())?;
                Some(Reads::columns(&table.name, leaves))
            }
            Columns::Rows(rows) => {
                let (first, rest) = path.split_first()?;
                let found = rows.outputs.iter().filter(|output| output.name.as_ref() == Some(first));
                found.map(|output| field(output, rest)).reduce(Reads::plus)
            }
            Columns::Missing(_) | Columns::Value => None,
        }
    }

    /// The column of a table that a path names, if it is one.
    pub(super) fn origin(&self, path: &[String]) -> Option<Origin<'c>> {
        match &self.columns {
            Columns::Table(table, id) => {
                table.column_at(path)?;
                Some(Origin { table, path: path.to_vec(), use_id: Some(*id).filter(|_| !self.nullable) })
            }
            Columns::Elements(table, array) => {
                let path = [array.as_slice(), path].concat();
                table.column_at(&path)?;
                Some(Origin { table, path, use_id: None })
            }
            Columns::Rows(rows) => {
                let (first, rest) = path.split_first()?;
                let output = rows.outputs.iter().find(|output| output.name.as_ref() == Some(first))?;
                let [origin] = output.origins.as_slice() else { return None };
                if !output.is_column {
                    return None;
                }
                let path = [origin.path.as_slice(), rest].concat();
                origin.table.column_at(&path)?;
                let use_id = origin.use_id.filter(|_| !self.nullable && rest.is_empty());
                Some(Origin { table: origin.table, path, use_id })
            }
            Columns::Missing(_) | Columns::Value => None,
        }
    }

    /// Whether the elements of an array are `STRUCT`s, whose fields are columns.
    fn has_fields(&self) -> bool {
        match &self.columns {
            Columns::Elements(table, path) => {
                table.column_at(path).is_some_and(|(_, column)| !column.fields.is_empty())
            }
            _ => false,
        }
    }

    /// What reading a column of a name that is not known here reads, if there may be such a column.
    fn open(&self, path: &[String]) -> Option<Reads> {
        match &self.columns {
            Columns::Missing(table) => Some(Reads::columns(table, [path.join(".")])),
            Columns::Rows(rows) => rows.open.clone(),
            Columns::Value => Some(Reads::default()),
            Columns::Table(..) | Columns::Elements(..) => None,
        }
    }

    /// All columns, as `*` returns them: without pseudocolumns.
    pub(super) fn rows(&self) -> Rows<'c> {
        match &self.columns {
            Columns::Table(table, _) => {
                let stored = table.columns.iter().filter(|column| !is_pseudo(&column.name));
                Rows { outputs: stored.filter_map(|c| self.output(&c.name)).collect(), ..Rows::default() }
            }
            Columns::Elements(table, path) => {
                let fields = table.column_at(path).map(|(_, column)| column.fields.as_slice()).unwrap_or_default();
                let outputs = if fields.is_empty() {
                    let reads = Reads::columns(&table.name, table.leaves_under(path).unwrap_or_default());
                    vec![Output::new(self.name.clone(), reads)]
                } else {
                    fields.iter().filter_map(|field| self.output(&field.name)).collect()
                };
                Rows { outputs, ..Rows::default() }
            }
            Columns::Missing(table) => Rows { open: Some(Reads::columns(table, [])), ..Rows::default() },
            // What it always reads was added when `FROM` named it.
            Columns::Rows(rows) => {
                let mut rows = Rows { always: Reads::default(), ..rows.clone() };
                if self.nullable {
                    rows.forget_uses();
                }
                rows
            }
            Columns::Value => Rows {
                outputs: vec![Output::new(self.name.clone(), Reads::default())],
                open: Some(Reads::default()),
                ..Rows::default()
            },
        }
    }

    fn output(&self, column: &str) -> Option<Output<'c>> {
        let path = [column.to_owned()];
        Some(Output::column(Some(column.to_lowercase()), self.column(&path)?, self.origin(&path)?))
    }

    /// Says that there is no such column.
    fn without(&self, path: &[String]) -> Reads {
        let path = path.join(".");
        match &self.columns {
            Columns::Table(table, _) => Reads::doubt(&table.name, format!("the table has no column `{path}`")),
            _ => Reads::not_known(format!("no subquery here returns a column `{path}`")),
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

/// What reading a field of a column that a query returns reads.
fn field(output: &Output<'_>, rest: &[String]) -> Reads {
    if rest.is_empty() {
        return output.reads.clone();
    }
    let fields = |origin: &Origin<'_>| {
        let leaves = origin.table.leaves_under(&[origin.path.as_slice(), rest].concat())?;
        Some(Reads::columns(&origin.table.name, leaves))
    };
    let found: Option<Vec<Reads>> = output.origins.iter().map(fields).collect();
    match found {
        Some(found) if output.is_column => found.into_iter().fold(Reads::default(), Reads::plus),
        _ => {
            let mut reads = output.reads.clone();
            // One field of an expression: the others may stay unread.
            reads.set_at_most();
            reads
        }
    }
}

/// The names of one query, and of those around it.
#[derive(Debug, Default)]
pub(super) struct Names<'s, 'c> {
    pub(super) relations: Vec<Relation<'c>>,
    /// The columns that `USING` made one.
    pub(super) shared: BTreeSet<String>,
    /// The queries of `WITH`; of two with one name the later counts.
    pub(super) queries: Vec<(String, Rows<'c>)>,
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
    pub(super) fn query(&self, name: &str) -> Option<&Rows<'c>> {
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

    /// The column of a table that a path names, if it can only be that one.
    pub(super) fn origin(&self, path: &[String]) -> Option<Origin<'c>> {
        let (first, rest) = path.split_first()?;
        let mut found = Vec::new();
        let mut is_named = false;
        for relation in &self.relations {
            if relation.is_named(first) {
                is_named = true;
                found.extend(if rest.is_empty() { None } else { relation.origin(rest) });
            }
            found.extend(relation.origin(path));
        }
        let is_open = self.relations.iter().any(|relation| relation.open(path).is_some());
        match found.len() {
            0 if !is_named && !is_open => {
                let around = self.around.and_then(|around| around.origin(path));
                around.map(|origin| Origin { use_id: None, ..origin })
            }
            1 if !is_open || is_named => found.pop(),
            _ => None,
        }
    }

    /// As [`column`](Self::column), but only if it certainly is here.
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
        let differ = found.first().is_some_and(|first| found.iter().any(|other| other != first));
        let mut found = found.into_iter().reduce(Reads::plus)?;
        if differ && !path.iter().any(|name| self.shared.contains(name)) {
            found.set_at_most();
        }
        Some(found)
    }

    /// The tables of the catalogue that are in reach of a name here.
    pub(super) fn tables(&self) -> Vec<&str> {
        let here = self.relations.iter().filter_map(|r| match &r.columns {
            Columns::Table(table, _) => Some(table.name.as_str()),
            _ => None,
        });
        let around = self.around.map(Names::tables).unwrap_or_default();
        here.chain(around).collect()
    }
}
