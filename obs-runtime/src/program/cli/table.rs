//! Tables for a terminal: columns aligned by display width, one line for each row.

use console::{Style, measure_text_width, strip_ansi_codes};

use crate::base::text;

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
    right: bool,
}

impl Cell {
    /// Plain text, without control characters and terminal escapes.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = strip_ansi_codes(text.as_ref()).into_owned();
        let text = text.chars().map(|letter| if text::is_active(letter) { ' ' } else { letter }).collect();
        Self { text, style: Style::new(), right: false }
    }

    /// A number, aligned to the right.
    pub fn number(text: impl AsRef<str>) -> Self {
        Self { right: true, ..Self::new(text) }
    }

    /// The style where colours are enabled.
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// Renders a table with a heading. Columns without any text are left out.
pub fn table(heading: &[&str], rows: &[Vec<Cell>]) -> String {
    let mut lines = vec![String::new(); rows.len() + 1];
    for (column, title) in heading.iter().enumerate() {
        let cells: Vec<&Cell> = rows.iter().filter_map(|row| row.get(column)).collect();
        if cells.iter().all(|cell| cell.text.is_empty()) {
            continue;
        }
        let right = cells.iter().any(|cell| cell.right);
        let title = Cell { right, ..Cell::new(title).style(Style::new().bold()) };
        let cells: Vec<&Cell> = std::iter::once(&title).chain(cells).collect();
        let width = cells.iter().map(|cell| measure_text_width(&cell.text)).max().unwrap_or_default();
        for (line, cell) in lines.iter_mut().zip(cells) {
            append(line, cell, width);
        }
    }
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Appends a cell, padded outside of its style, so that spaces at the end of a line can be trimmed.
fn append(line: &mut String, cell: &Cell, width: usize) {
    if !line.is_empty() {
        line.push_str("  ");
    }
    let padding = " ".repeat(width - measure_text_width(&cell.text));
    let styled = if cell.text.is_empty() { String::new() } else { cell.style.apply_to(&cell.text).to_string() };
    line.push_str(&if cell.right { padding + &styled } else { styled + &padding });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_cells_hold() {
        console::set_colors_enabled(false);
        let rows = [
            vec![Cell::new("naïve"), Cell::new(""), Cell::number("1"), Cell::new(""), Cell::new("a\nb\u{1b}[31mred")],
            vec![Cell::new("数据"), Cell::new(""), Cell::number("12.5"), Cell::new("x"), Cell::new("")],
            vec![Cell::new(""), Cell::new(""), Cell::number(""), Cell::new("y"), Cell::new("why")],
        ];
        let text = table(&["name", "nothing", "value", "owner", "message"], &rows);
        let expected = "\
name   value  owner  message
naïve      1         a bred
数据    12.5  x
              y      why
";
        assert_eq!(text, expected);
    }
}
