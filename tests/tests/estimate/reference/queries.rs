//! Random queries that BigQuery and SQLite both read.

use super::Random;
use super::rows::{Table, Type};

/// A column that can be named.
#[derive(Debug, Clone)]
struct Name {
    sql: String,
    kind: Type,
}

/// A query, and the columns that it returns.
#[derive(Debug, Clone)]
struct Query {
    sql: String,
    columns: Vec<(String, Type)>,
}

pub struct Queries<'r> {
    random: &'r mut Random,
    tables: Vec<(String, Vec<(String, Type)>)>,
    aliases: usize,
}

impl<'r> Queries<'r> {
    pub fn new(random: &'r mut Random, tables: &[Table]) -> Self {
        let columns =
            |table: &Table| table.columns.iter().map(|column| (column.name.to_owned(), column.kind)).collect();
        let tables = tables.iter().map(|table| (format!("p.d.{}", table.name), columns(table))).collect();
        Self { random, tables, aliases: 0 }
    }

    /// A query, perhaps with a query of `WITH`.
    pub fn query(&mut self) -> String {
        if self.random.is_one_in(3) {
            let inner = self.select(1);
            let name = self.alias();
            // It can be named more often than once.
            self.tables.push((name.clone(), inner.columns));
            let outer = self.set(2).sql;
            return format!("WITH {name} AS ({}) {outer}", inner.sql);
        }
        self.set(2).sql
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    /// A query, or two under `UNION ALL`.
    fn set(&mut self, depth: usize) -> Query {
        if depth == 0 || !self.random.is_one_in(5) {
            return self.select(depth);
        }
        let (one, other) = (self.source(depth - 1), self.source(depth - 1));
        let ((one, names), (other, others)) = (one, other);
        let kinds = [Type::Int, Type::Text];
        let list = |names: &[Name], queries: &mut Self| -> Vec<String> {
            kinds.iter().map(|kind| queries.expr(names, *kind, 1)).collect()
        };
        let (left, right) = (list(&names, self), list(&others, self));
        let condition = self.condition(&names, 1);
        Query {
            sql: format!(
                "SELECT {} AS c1, {} AS c2 FROM {one} WHERE {condition} UNION ALL SELECT {}, {} FROM {other}",
                left[0], left[1], right[0], right[1]
            ),
            columns: vec![("c1".to_owned(), Type::Int), ("c2".to_owned(), Type::Text)],
        }
    }

    /// What follows `FROM`, and the names that it gives.
    fn source(&mut self, depth: usize) -> (String, Vec<Name>) {
        let (mut sql, mut names) = self.relation(depth);
        if self.random.is_one_in(3) {
            let (other, more) = self.relation(depth);
            let (a, b) = (self.column(&names, Type::Int), self.column(&more, Type::Int));
            let on = match (a, b) {
                (Some(a), Some(b)) => format!("{a} = {b}"),
                _ => "1 = 1".to_owned(),
            };
            let all: Vec<Name> = [names.clone(), more].concat();
            let and = if self.random.is_one_in(2) { format!(" AND {}", self.comparison(&all)) } else { String::new() };
            let join = self.random.one(&["JOIN", "LEFT JOIN", "CROSS JOIN"]);
            sql = if join == "CROSS JOIN" {
                format!("{sql} CROSS JOIN {other}")
            } else {
                format!("{sql} {join} {other} ON {on}{and}")
            };
            names = all;
        }
        (sql, names)
    }

    /// A table or a subquery.
    fn relation(&mut self, depth: usize) -> (String, Vec<Name>) {
        let alias = self.alias();
        let (sql, columns) = if depth > 0 && self.random.is_one_in(3) {
            let Query { sql, columns } = self.set(depth - 1);
            (format!("({sql}) AS {alias}"), columns)
        } else {
            let table = self.random.below(self.tables.len());
            let (table, columns) = self.tables[table].clone();
            (format!("{table} AS {alias}"), columns)
        };
        let names = columns.into_iter().map(|(name, kind)| Name { sql: format!("{alias}.{name}"), kind }).collect();
        (sql, names)
    }

    fn select(&mut self, depth: usize) -> Query {
        let (from, names) = self.source(depth);
        let filter =
            if self.random.is_one_in(3) { String::new() } else { format!(" WHERE {}", self.condition(&names, 2)) };
        let mut columns = Vec::new();
        let mut items = Vec::new();
        let mut rest = String::new();
        let mut add = |item: String, kind: Type| {
            let name = format!("c{}", items.len() + 1);
            items.push(format!("{item} AS {name}"));
            columns.push((name, kind));
        };
        match self.random.below(6) {
            0 => {
                let key = self.expr(&names, Type::Day, 0);
                add(key.clone(), Type::Day);
                add("COUNT(*)".to_owned(), Type::Int);
                add(format!("SUM({})", self.expr(&names, Type::Int, 1)), Type::Int);
                rest = format!(" GROUP BY {key}");
                if self.random.is_one_in(3) {
                    rest = format!("{rest} HAVING MAX({}) > 2", self.expr(&names, Type::Int, 0));
                }
            }
            1 => add(format!("SUM({})", self.expr(&names, Type::Int, 1)), Type::Int),
            2 => {
                let (by, order) = (self.expr(&names, Type::Day, 0), self.expr(&names, Type::Int, 0));
                add(self.expr(&names, Type::Day, 0), Type::Day);
                add(format!("RANK() OVER (PARTITION BY {by} ORDER BY {order})"), Type::Int);
            }
            _ => {
                for kind in [Type::Int, Type::Text, Type::Day] {
                    if !self.random.is_one_in(3) {
                        let depth = usize::from(kind != Type::Day);
                        add(self.expr(&names, kind, depth), kind);
                    }
                }
                add(self.expr(&names, Type::Int, 0), Type::Int);
            }
        }
        let distinct = if rest.is_empty() && self.random.is_one_in(6) { "DISTINCT " } else { "" };
        Query { sql: format!("SELECT {distinct}{} FROM {from}{filter}{rest}", items.join(", ")), columns }
    }

    fn column(&mut self, names: &[Name], kind: Type) -> Option<String> {
        let fitting: Vec<&Name> = names.iter().filter(|name| name.kind == kind).collect();
        if fitting.is_empty() { None } else { Some(fitting[self.random.below(fitting.len())].sql.clone()) }
    }

    fn constant(&mut self, kind: Type) -> String {
        match kind {
            Type::Int => self.random.below(40).to_string(),
            Type::Text => format!("'{}'", "x".repeat(self.random.below(4))),
            Type::Day => format!("'2024-01-0{}'", self.random.below(5) + 1),
        }
    }

    fn expr(&mut self, names: &[Name], kind: Type, depth: usize) -> String {
        let column = self.column(names, kind).unwrap_or_else(|| self.constant(kind));
        if depth == 0 || self.random.is_one_in(2) {
            return column;
        }
        match (kind, self.random.below(3)) {
            (_, 0) => {
                let (condition, other) = (self.condition(names, 0), self.expr(names, kind, 0));
                format!("CASE WHEN {condition} THEN {column} ELSE {other} END")
            }
            (_, 1) => format!("COALESCE({column}, {})", self.constant(kind)),
            (Type::Int, _) => format!("({column} + {})", self.expr(names, Type::Int, 0)),
            (Type::Text, _) => format!("({column} || 'y')"),
            (Type::Day, _) => column,
        }
    }

    /// A comparison of a column with constants, or with another column.
    fn comparison(&mut self, names: &[Name]) -> String {
        let kind = [Type::Int, Type::Day, Type::Text][self.random.below(3)];
        let Some(column) = self.column(names, kind) else { return "1 = 1".to_owned() };
        let constant = self.constant(kind);
        let other = self.column(names, kind).unwrap_or_else(|| constant.clone());
        match self.random.below(9) {
            0 => format!("{column} BETWEEN {constant} AND {}", self.constant(kind)),
            1 => format!("{column} IN ({constant}, {})", self.constant(kind)),
            2 => format!("{column} IS NOT NULL"),
            3 => format!("{constant} <= {column}"),
            4 => format!("{column} = {other}"),
            5 => format!("{column} BETWEEN {constant} AND {other}"),
            _ => {
                let operator = self.random.one(&["=", "<", ">", "<=", ">=", "<>"]);
                format!("{column} {operator} {constant}")
            }
        }
    }

    fn condition(&mut self, names: &[Name], depth: usize) -> String {
        if depth == 0 || self.random.is_one_in(2) {
            return self.comparison(names);
        }
        let (one, other) = (self.condition(names, depth - 1), self.condition(names, depth - 1));
        match self.random.below(6) {
            0 => format!("NOT ({one})"),
            1 => {
                let (table, columns) = self.tables[self.random.below(3)].clone();
                let alias = self.alias();
                let inner: Vec<Name> =
                    columns.iter().map(|(name, kind)| Name { sql: format!("{alias}.{name}"), kind: *kind }).collect();
                let outer = self.expr(names, Type::Int, 0);
                let condition = self.comparison(&inner);
                format!("EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {alias}.id = {outer} AND {condition})")
            }
            2 => {
                let (table, _) = self.tables[self.random.below(3)].clone();
                let day = self.expr(names, Type::Day, 0);
                format!("{day} IN (SELECT day FROM {table} WHERE a > 1)")
            }
            3 | 4 => format!("({one} OR {other})"),
            _ => format!("{one} AND {other}"),
        }
    }
}
