//! Aligned tables for people: columns as wide as their content, the long ones cut to fit the terminal.

use console::{Alignment, Term, measure_text_width, pad_str, truncate_str};
use std::io::{self, Write};

/// Rows of text under a header.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(&'static str, Alignment)>,
    rows: Vec<Vec<String>>,
}

/// Columns of text are never cut below this.
const MIN_WIDTH: usize = 12;
const GAP: &str = "  ";

impl Table {
    /// A header whose column is aligned right when it begins with `>`.
    pub fn new(header: &[&'static str]) -> Self {
        let column = |name: &&'static str| match name.strip_prefix('>') {
            Some(name) => (name, Alignment::Right),
            None => (*name, Alignment::Left),
        };
        Table { columns: header.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row; it has as many cells as the header.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells.into_iter().map(printable).collect());
    }

    /// Drops the columns in which no row has anything to say.
    fn without_empty_columns(&self) -> Table {
        let kept: Vec<usize> = (0..self.columns.len()).filter(|&i| self.rows.iter().any(|row| !row[i].is_empty())).collect();
        let rows = self.rows.iter().map(|row| kept.iter().map(|&i| row[i].clone()).collect()).collect();
        Table { columns: kept.iter().map(|&i| self.columns[i]).collect(), rows }
    }

    /// Writes the table; lines are cut to the terminal's width, and left whole when written to a file or a pipe.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.without_empty_columns().write_all_columns(out)
    }

    fn write_all_columns(&self, out: &mut dyn Write) -> io::Result<()> {
        let terminal = Term::stdout();
        let limit = if terminal.is_term() { usize::from(terminal.size().1) } else { usize::MAX };
        let widths = self.widths(limit);
        let header = self.columns.iter().map(|(name, _)| console::style(*name).dim().to_string());
        write_line(out, header, &self.columns, &widths)?;
        self.rows.iter().try_for_each(|row| write_line(out, row.iter().cloned(), &self.columns, &widths))
    }

    /// As wide as the content, but the widest left-aligned columns give way until a line fits `limit`.
    fn widths(&self, limit: usize) -> Vec<usize> {
        let widest = |i: usize| self.rows.iter().map(|row| measure_text_width(&row[i])).max().unwrap_or(0);
        let mut widths: Vec<usize> =
            self.columns.iter().enumerate().map(|(i, (name, _))| measure_text_width(name).max(widest(i))).collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > limit {
            let text = (0..widths.len()).filter(|&i| self.columns[i].1 == Alignment::Left && widths[i] > MIN_WIDTH);
            match text.max_by_key(|&i| widths[i]) {
                Some(i) => widths[i] -= 1,
                None => break,
            }
        }
        widths
    }
}

fn write_line(
    out: &mut dyn Write,
    cells: impl Iterator<Item = String>,
    columns: &[(&'static str, Alignment)],
    widths: &[usize],
) -> io::Result<()> {
    let cells = cells.zip(columns).zip(widths).map(|((cell, &(_, alignment)), &width)| {
        let cut = truncate_str(&cell, width, "…");
        pad_str(&cut, width, alignment, None).into_owned()
    });
    let line = cells.collect::<Vec<_>>().join(GAP);
    writeln!(out, "{}", line.trim_end())
}

/// Tags come from files: control characters must not move the cursor.
pub fn printable(text: String) -> String {
    if text.chars().any(char::is_control) { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_give_way() {
        let mut table = Table::new(&[">n", "title"]);
        table.row(vec!["1".into(), "x".repeat(50)]);
        assert_eq!(table.widths(usize::MAX), [1, 50]);
        assert_eq!(table.widths(33), [1, 30]);
        assert_eq!(table.widths(5), [1, MIN_WIDTH]);
    }

    #[test]
    fn columns_are_aligned_and_harmless() {
        let mut table = Table::new(&[">n", "album", "title"]);
        table.row(vec!["10".into(), String::new(), "Ode\u{1b}[2J\nan die Freude".into()]);
        table.row(vec!["9".into(), String::new(), "Ström".into()]);
        let mut out = Vec::new();
        console::set_colors_enabled(false);
        table.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), " n  title\n10  Ode [2J an die Freude\n 9  Ström\n");
    }
}
