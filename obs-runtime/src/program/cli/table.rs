//! Tables for a terminal: aligned by what is seen, each row one line whatever stands in it.

use console::{Alignment, Style, measure_text_width, pad_str, strip_ansi_codes};

/// A cell: what stands there, and how it looks.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
    right: bool,
}

impl Cell {
    /// Plain text. Control characters, as of a terminal, do not get through.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = strip_ansi_codes(text.as_ref()).into_owned();
        let text = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        Self { text, style: Style::new(), right: false }
    }

    /// A number: its digits stand below each other.
    pub fn number(text: impl AsRef<str>) -> Self {
        Self { right: true, ..Self::new(text) }
    }

    /// How it looks where colours are wanted.
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// The table, with a heading; a column in which nothing stands is left out.
pub fn table(heading: &[&str], rows: &[Vec<Cell>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(&cell.text));
        cells.max().filter(|widest| *widest > 0).map(|widest| widest.max(measure_text_width(heading[column])))
    };
    let widths: Vec<Option<usize>> = (0..heading.len()).map(width).collect();
    let bold = Style::new().bold();
    let right = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| cell.right));
    let heading: Vec<Cell> = (heading.iter().enumerate())
        .map(|(column, title)| Cell { right: right(column), ..Cell::new(title).style(bold.clone()) })
        .collect();
    let mut text = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).filter_map(|(cell, width)| Some(padded(cell, (*width)?))).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn padded(cell: &Cell, width: usize) -> String {
    let alignment = if cell.right { Alignment::Right } else { Alignment::Left };
    let text = pad_str(&cell.text, width, alignment, None);
    // Styled without its padding, so that what is trimmed at the end of a line holds no code.
    let (before, behind) = (text.len() - text.trim_start().len(), text.len() - text.trim_end().len());
    let styled = cell.style.apply_to(text.trim());
    format!("{}{styled}{}", " ".repeat(before), " ".repeat(behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        console::set_colors_enabled(false);
        let rows = [
            vec![Cell::new("naïve"), Cell::new(""), Cell::number("1"), Cell::new("a\nb\u{1b}[31mred")],
            vec![Cell::new("数据"), Cell::new(""), Cell::number("12.5"), Cell::new("")],
        ];
        let text = table(&["name", "nothing", "value", "why"], &rows);
        assert_eq!(text, "name   value  why\nnaïve      1  a bred\n数据    12.5\n");
    }
}
