//! Text tables: rows of cells, however they are parted.

/// Cells looked at in a row.
const MAX_CELLS: usize = 50;

/// The rows of a table, each with the line that it begins on (from 1); empty ones and comments (`#`, `%`) are left out. Cells are parted as in the
/// first row: by semicolons (then a comma is a decimal point), by commas, or by any whitespace. The first two are CSV, in which cells may be
/// quoted. No more cells than matter, at least one.
pub fn rows(text: &str) -> Box<dyn Iterator<Item = (usize, Vec<String>)> + '_> {
    let is_row = |line: &str| !line.is_empty() && !line.starts_with(['#', '%']);
    let first = text.lines().map(str::trim).find(|line| is_row(line)).unwrap_or_default();
    let Some(delimiter) = [b';', b','].into_iter().find(|d| first.as_bytes().contains(d)) else {
        let lines = text.lines().map(str::trim).enumerate().filter(move |(_, line)| is_row(line));
        return Box::new(lines.map(|(at, line)| (at + 1, line.split_whitespace().take(MAX_CELLS).map(str::to_string).collect())));
    };
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let cell = move |cell: &str| if delimiter == b';' { cell.replace(',', ".") } else { cell.to_string() };
    // Text that is in memory, and flexible, has no errors.
    Box::new(reader.into_records().map_while(Result::ok).filter_map(move |record| {
        let line = record.position().map_or(0, |position| {
            // Where the row before ended: empty lines may follow.
            let rest = text.get(position.byte() as usize..).unwrap_or_default();
            let empty = rest.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| *byte == b'\n').count();
            position.line() as usize + empty
        });
        let cells: Vec<String> = record.iter().take(MAX_CELLS).map(cell).collect();
        let is_comment = cells.first()?.starts_with(['#', '%']);
        let is_empty = cells.iter().all(String::is_empty);
        (!is_comment && !is_empty).then_some((line, cells))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        rows(text).collect()
    }

    fn row(line: usize, cells: &[&str]) -> (usize, Vec<String>) {
        (line, cells.iter().map(|cell| cell.to_string()).collect())
    }

    #[test]
    fn the_first_row_tells_how_cells_are_parted() {
        assert_eq!(cells("# by, a; program\n\n0.0  \t220\r\n0.1 0\n"), [row(3, &["0.0", "220"]), row(4, &["0.1", "0"])]);
        assert_eq!(cells("time,\"f0, Hz\"\n0, 220\n% end, of it\n"), [row(1, &["time", "f0, Hz"]), row(2, &["0", "220"])]);
        assert_eq!(cells("0,01;220,5\n\n0,02;\n"), [row(1, &["0.01", "220.5"]), row(3, &["0.02", ""])]);
        assert_eq!(cells(""), []);
        assert_eq!(cells("# nothing\n"), []);
    }
}
