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

/// Reads a list out of the bytes of `file`.
pub(super) fn read(bytes: &[u8], file: &Path) -> Result<Vec<Identity>, ListError> {
    let fail = |row, column, message: String| ListError { file: file.to_owned(), row, column, message };
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let row = bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        fail(row, None, "it is not UTF-8: save it as \"CSV UTF-8\"".to_owned())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<Column>> = None;
    let mut list = DeviceList::default();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|e| fail(e.position().map_or(0, csv::Position::line), None, e.to_string()))?;
        let row = row_of(text, record.position());
        let Some(columns) = &columns else {
            columns = Some(named(&record).map_err(|(column, message)| fail(row, column, message))?);
            continue;
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != columns.len() {
            let message = format!("it has {} cells, the first row has {}", record.len(), columns.len());
            return Err(fail(row, None, message));
        }
        let device =
            device(columns, &record).map_err(|(column, message)| fail(row, Some(column), message))?;
        if list.entries().len() == DeviceList::LIMIT {
            return Err(fail(row, None, format!("more than {} devices", DeviceList::LIMIT)));
        }
        list.add(device).map_err(|Twice { part, what, index }| {
            let column = columns.iter().position(|column| column.name() == part).map(letter);
            fail(row, column, format!("{what} stands in row {} already", rows[index]))
        })?;
        rows.push(row);
    }
    if list.entries().is_empty() {
        return Err(fail(1, None, "the list names no device".to_owned()));
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

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Serial,
    Mac,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Mac => "mac",
        }
    }
}

type Fault<C> = (C, String);

/// The columns, by the names in the first row.
fn named(record: &StringRecord) -> Result<Vec<Column>, Fault<Option<String>>> {
    let mut columns = Vec::new();
    for (index, name) in record.iter().enumerate() {
        let column = [Column::Serial, Column::Mac].into_iter().find(|column| column.name() == name);
        let column = column.filter(|column| !columns.contains(column)).ok_or_else(|| {
            (Some(letter(index)), "the first row names the columns: `serial` and `mac`, each once".to_owned())
        })?;
        columns.push(column);
    }
    if columns.is_empty() { Err((None, "the first row names no column".to_owned())) } else { Ok(columns) }
}

fn device(columns: &[Column], record: &StringRecord) -> Result<Identity, Fault<String>> {
    let mut device = Identity { mac: None, serial: None };
    for (index, (column, cell)) in columns.iter().zip(record).enumerate() {
        let fault = |message: String| (format!("{} ({})", letter(index), column.name()), message);
        if cell.is_empty() {
            continue;
        }
        if cell.starts_with(['=', '+', '-', '@']) {
            return Err(fault("a spreadsheet would take it for a formula".to_owned()));
        }
        if is_rounded(cell) {
            return Err(fault("a spreadsheet made a number of it: format the column as text".to_owned()));
        }
        match column {
            Column::Serial => {
                device.serial = Some(cell.parse::<SerialNumber>().map_err(|e| fault(e.to_string()))?);
            }
            Column::Mac => device.mac = Some(cell.parse::<Mac>().map_err(|e| fault(e.to_string()))?),
        }
    }
    Ok(device)
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
