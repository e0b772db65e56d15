//! Plain text tables: columns as wide as their content, two spaces apart.

/// Where a column's text stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table under construction.
///
/// ```
/// use studio::table::{Align, Table};
/// let mut t = Table::new(&[("layer", Align::Left), ("parameters", Align::Right)]);
/// t.row(["dense", "1 024"]);
/// assert_eq!(t.to_string(), "layer  parameters\ndense       1 024");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column headings.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        let head = columns.iter().map(|(title, _)| (*title).to_string()).collect();
        Table { aligns: columns.iter().map(|(_, a)| *a).collect(), rows: vec![head] }
    }

    /// Appends a row; missing cells stay empty, surplus ones are dropped.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.aligns.len(), String::new());
        self.rows.push(row);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let widths: Vec<usize> = (0..self.aligns.len()).map(|c| self.rows.iter().map(|r| width(&r[c])).max().unwrap_or(0)).collect();
        for (i, row) in self.rows.iter().enumerate() {
            let cell = |c: usize| {
                let space = " ".repeat(widths[c] - width(&row[c]));
                if self.aligns[c] == Align::Left { format!("{}{space}", row[c]) } else { format!("{space}{}", row[c]) }
            };
            let line: Vec<String> = (0..row.len()).map(cell).collect();
            write!(f, "{}{}", if i > 0 { "\n" } else { "" }, line.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Terminal columns that `text` takes: combining marks (w̄) take none. Wide scripts are not used in our messages.
pub fn width(text: &str) -> usize {
    text.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_space() {
        let mut t = Table::new(&[("i", Align::Right), ("w̄", Align::Left), ("ñ", Align::Right)]);
        t.row(["1", "abc", "2.5"]);
        t.row(["10", "d"]);
        t.row(["7", "", "1", "surplus"]);
        assert_eq!(t.to_string(), " i  w̄      ñ\n 1  abc  2.5\n10  d\n 7         1");
    }
}
