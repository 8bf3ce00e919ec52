//! A list of devices from a spreadsheet (docs/work-order.md, section 4). Nothing of a list with an error is taken.

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};
use keystation_core::identity::{Identity, Mac, SerialNumber};

use super::devices::{DeviceList, Twice};

/// A list that was not imported.
#[derive(Debug, thiserror::Error)]
#[error("{}, row {row}{}: {message}", file.display(), column.as_ref().map_or(String::new(), |column| format!(", column {column}")))]
pub struct ListError {
    file: PathBuf,
    row: u64,
    column: Option<String>,
    message: String,
}

/// A cell that is not empty: the number of its column, and its text.
pub(crate) type Cell<'a> = (usize, &'a str);

impl ListError {
    /// What is wrong in a cell, named as a spreadsheet names it; with the name of its column, where that is known.
    pub(crate) fn at(file: &Path, row: u64, column: usize, name: &str, message: String) -> Self {
        let column = if name.is_empty() { letter(column) } else { format!("{} ({name})", letter(column)) };
        Self { file: file.to_owned(), row, column: Some(column), message }
    }

    /// What is wrong with a row.
    pub(crate) fn of_row(file: &Path, row: u64, message: String) -> Self {
        Self { file: file.to_owned(), row, column: None, message }
    }
}

/// Reads the rows of a spreadsheet whose columns are some of `known`, each once, named in its first row. `take` gets the names
/// of the columns, the number of the row and its cells; no cell is a formula, or a number that a spreadsheet rounded.
pub(crate) fn rows<'n>(
    bytes: &[u8],
    file: &Path,
    known: &[&'n str],
    mut take: impl FnMut(&[&'n str], u64, &[Cell<'_>]) -> Result<(), ListError>,
) -> Result<(), ListError> {
    let fail = |row, message: String| ListError::of_row(file, row, message);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let row = bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        fail(row, "it is not UTF-8: save it as \"CSV UTF-8\"".to_owned())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<&'n str>> = None;
    for record in reader.records() {
        let record = record.map_err(|e| fail(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        let row = row_of(text, record.position());
        let Some(columns) = &columns else {
            columns = Some(named(&record, known, file, row)?);
            continue;
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != columns.len() {
            let message = format!("it has {} cells, the first row has {}", record.len(), columns.len());
            return Err(fail(row, message));
        }
        let cells: Vec<Cell<'_>> = record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).collect();
        for (index, cell) in &cells {
            let wrong = if cell.starts_with(['=', '+', '-', '@']) {
                "a spreadsheet would take it for a formula"
            } else if is_rounded(cell) {
                "a spreadsheet made a number of it: format the column as text"
            } else {
                continue;
            };
            return Err(ListError::at(file, row, *index, columns[*index], wrong.to_owned()));
        }
        take(columns, row, &cells)?;
    }
    Ok(())
}

/// Reads a list out of the bytes of `file`.
pub(super) fn read(bytes: &[u8], file: &Path) -> Result<Vec<Identity>, ListError> {
    let mut list = DeviceList::default();
    let mut numbers = Vec::new();
    rows(bytes, file, &["serial", "mac"], |columns, row, cells| {
        let mut device = Identity { mac: None, serial: None };
        for &(index, cell) in cells {
            let fault = |message: String| ListError::at(file, row, index, columns[index], message);
            if columns[index] == "serial" {
                device.serial = Some(cell.parse::<SerialNumber>().map_err(|e| fault(e.to_string()))?);
            } else {
                device.mac = Some(cell.parse::<Mac>().map_err(|e| fault(e.to_string()))?);
            }
        }
        if list.entries().len() == DeviceList::LIMIT {
            return Err(ListError::of_row(file, row, format!("more than {} devices", DeviceList::LIMIT)));
        }
        list.add(device).map_err(|Twice { part, what, index }| {
            let column = columns.iter().position(|column| *column == part).unwrap_or_default();
            let message = format!("{what} stands in row {} already", numbers[index]);
            ListError::at(file, row, column, "", message)
        })?;
        numbers.push(row);
        Ok(())
    })?;
    if list.entries().is_empty() {
        return Err(ListError::of_row(file, 1, "the list names no device".to_owned()));
    }
    Ok(list.entries().to_vec())
}

/// The row of a record. Rows without a cell, which the reader passes over, lie between its position and its first cell.
fn row_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let rest =
        usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + empty.count() as u64
}

/// The columns, by the names in the first row.
fn named<'n>(
    record: &StringRecord,
    known: &[&'n str],
    file: &Path,
    row: u64,
) -> Result<Vec<&'n str>, ListError> {
    let mut columns: Vec<&'n str> = Vec::new();
    for (index, name) in record.iter().enumerate() {
        let column = known.iter().copied().find(|column| *column == name && !columns.contains(column));
        let column = column.ok_or_else(|| {
            let ticked: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("the first row names the columns: {}, each once", ticked.join(" and "));
            ListError::at(file, row, index, "", message)
        })?;
        columns.push(column);
    }
    if columns.is_empty() {
        return Err(ListError::of_row(file, row, "the first row names no column".to_owned()));
    }
    Ok(columns)
}

/// `1.23E+11`: what a spreadsheet shows of a long number, and all that it saves.
fn is_rounded(cell: &str) -> bool {
    let digits =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    cell.split_once("E+").is_some_and(|(number, power)| digits(number) && digits(power))
}

/// The letters of a column: A to Z, then AA.
fn letter(index: usize) -> String {
    let last = char::from(b'A' + (index % 26) as u8).to_string();
    if index < 26 { last } else { letter(index / 26 - 1) + &last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<Identity>, String> {
        read(text.as_bytes(), Path::new("list.csv")).map_err(|e| e.to_string())
    }

    #[test]
    fn lists_of_spreadsheets_are_read() {
        let mac = |text: &str| Some(text.parse::<Mac>().unwrap());
        let both = [("SN-1", "a4:cf:12:00:00:01"), ("SN-2", "a4:cf:12:00:00:02")];
        let both =
            both.map(|(serial, text)| Identity { mac: mac(text), serial: Some(serial.parse().unwrap()) });
        for text in [
            "serial,mac\nSN-1,a4:cf:12:00:00:01\nSN-2,A4CF12000002\n",
            "\u{feff}serial;mac\r\nSN-1;a4-cf-12-00-00-01\r\n\r\n;\r\nSN-2;a4cf.1200.0002\r\n",
            "mac,serial\r\n\"a4:cf:12:00:00:01\",\"SN-1\"\r\n\"a4:cf:12:00:00:02\",SN-2",
        ] {
            assert_eq!(list(text).unwrap(), both, "{text}");
        }
        let half = list("serial,mac\nSN-1,\n,a4:cf:12:00:00:02\n").unwrap();
        assert_eq!((half[0].mac, half[1].mac), (None, mac("a4:cf:12:00:00:02")));
        assert_eq!(list("serial\nSN-1\n").unwrap().len(), 1);
    }

    #[test]
    fn an_error_names_row_and_column_and_nothing_is_taken() {
        let head = "serial,mac\nSN-1,a4:cf:12:00:00:01\n";
        for (text, expected) in [
            (
                format!("{head}SN 2,\n"),
                "list.csv, row 3, column A (serial): serial number: character 3 is a space",
            ),
            (format!("{head}\n\nSN-2,x\n"), "row 5, column B (mac): MAC address: character 1 is 'x'"),
            (
                format!("{head}SN-2,\n\nSN-1,\n"),
                "row 5, column A: serial number SN-1 stands in row 2 already",
            ),
            (
                format!("{head},a4cf12000001\n"),
                "row 3, column B: MAC address a4:cf:12:00:00:01 stands in row 2 already",
            ),
            (format!("{head}SN-2\n"), "row 3: it has 1 cells, the first row has 2"),
            (format!("{head}SN-2,,\n"), "row 3: it has 3 cells"),
            (format!("{head}=1+1,\n"), "row 3, column A (serial): a spreadsheet would take it for a formula"),
            (format!("{head}@SUM(A1),\n"), "a formula"),
            (format!("{head}+1,\n"), "a formula"),
            (format!("{head}\"=HYPERLINK(\"\"x\"\")\",\n"), "row 3, column A (serial): a spreadsheet"),
            (format!("{head}1.23E+11,\n"), "row 3, column A (serial): a spreadsheet made a number of it"),
            (
                format!("{head}\"SN-2\nSN-3\",\n"),
                "row 3, column A (serial): serial number: character 5 is U+000A",
            ),
            (format!("{head}SN\u{202e}2,\n"), "character 3 is U+202E"),
            (format!("{head}\tSN-2,\n"), "character 1 is U+0009"),
            (format!("{head}0000,\n"), "a placeholder"),
            (format!("{head}{},\n", "S".repeat(65536)), "it has 65536 characters"),
            ("serial,name\nSN-1,x\n".to_owned(), "row 1, column B: the first row names the columns"),
            ("serial,serial\n".to_owned(), "row 1, column B: the first row"),
            ("SN-1\nSN-2\n".to_owned(), "row 1, column A: the first row"),
            ("serial\n".to_owned(), "row 1: the list names no device"),
            (String::new(), "row 1: the list names no device"),
        ] {
            let error = list(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let latin = read(b"serial\nSN-1\nSN-\xe9\n", Path::new("list.csv")).unwrap_err();
        assert!(latin.to_string().starts_with("list.csv, row 3: it is not UTF-8"), "{latin}");
    }

    #[test]
    fn columns_are_named_as_a_spreadsheet_names_them() {
        assert_eq!([0, 25, 26, 701, 702].map(letter), ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
