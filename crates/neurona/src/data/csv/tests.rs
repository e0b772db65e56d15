use super::*;
use crate::data::testing::TempDir;

fn either(path: &Path, format: Format) -> Result<Table> {
    read(path, format, |names| Ok(vec![Want::Either; names.len()]))
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| n.to_string()).collect()
}

#[test]
fn numbers_and_categories() {
    let dir = TempDir::new();
    let bytes = "\u{feff}size, colour ,\"a, b\"\r\n1.5,red,1e3\r\n\r\n-2, \"dark \"\"blue\"\"\" ,.5\r\n3,red,+7\r\n";
    let table = either(&dir.file("t.csv", bytes.replace(", \"dark", ",\"dark")), Format::default()).unwrap();
    assert_eq!(table.names, ["size", "colour", "a, b"]);
    assert_eq!(table.cells[0], Cells::Numbers(vec![1.5, -2.0, 3.0]));
    assert_eq!(table.cells[1], Cells::Categories { codes: vec![0, 1, 0], names: texts(&["red", "dark \"blue\""]) });
    assert_eq!(table.cells[2], Cells::Numbers(vec![1000.0, 0.5, 7.0]));
    assert_eq!((table.rows(), &table.lines[..]), (3, &[2, 4, 5][..]));
}

#[test]
fn other_formats() {
    let dir = TempDir::new();
    let path = dir.file("t.tsv", "1\ta\n2\tb");
    let table = either(&path, Format { header: false, delimiter: '\t' }).unwrap();
    assert_eq!((table.names, table.lines), (texts(&["0", "1"]), vec![1, 2]));
    for delimiter in ['"', '\n', 'é'] {
        let error = either(&path, Format { header: false, delimiter }).unwrap_err();
        assert!(matches!(error, DataError::Setting { key: "delimiter", .. }), "{error}");
    }
}

#[test]
fn columns_as_wanted() {
    let dir = TempDir::new();
    let path = dir.file("t.csv", "a,b,c\n1,1,?\n2,x,2\n");
    let table = read(&path, Format::default(), |_| Ok(vec![Want::Numbers, Want::Categories, Want::Nothing])).unwrap();
    assert_eq!(table.cells[0], Cells::Numbers(vec![1.0, 2.0]));
    assert_eq!(table.cells[1], Cells::Categories { codes: vec![0, 1], names: texts(&["1", "x"]) });
    assert_eq!(table.cells[2], Cells::Nothing);
}

/// Line numbers are those of an editor, whatever the ends of lines, blank lines and quoted ends of lines.
#[test]
fn ragged_lines_are_named() {
    let dir = TempDir::new();
    let cases = [
        ("a,b\n1,2\n3\n", 3, 1),
        ("a,b\r\n1,2\r\n3,4,5\r\n", 3, 3),
        ("a,b\n\n\n1,2\n3\n", 5, 1),
        ("a,b\n1,2\n\n\n3\n4,5\n", 5, 1),
        ("a,b\r\n1,2\r\n\r\n3\r\n4,5", 4, 1),
        ("\u{feff}a,b\n1,2\n3\n4,5", 3, 1),
        ("\r\n\r\na,b\r\n1,2\r\n3", 5, 1),
        ("a,b\r1,2\r3", 3, 1),
        ("a,b\n\"1\n1\",2\n3\n", 4, 1),
    ];
    for (text, line, found) in cases {
        let path = dir.file("r.csv", text);
        assert_eq!(either(&path, Format::default()).unwrap_err(), DataError::Ragged { path, line, expected: 2, found }, "{text:?}");
    }
}

#[test]
fn unclosed_quotes_are_named() {
    let dir = TempDir::new();
    let read = |text| either(&dir.file("q.csv", text), Format::default());
    for (text, line) in [("a,b\nx,y\nz,\"2\n3,4\n", 3), ("\"a,b\nx,y\n", 1)] {
        assert!(matches!(read(text), Err(DataError::UnclosedQuote { line: l, .. }) if l == line), "{text:?}");
    }
    // Ends of lines within quotes, and inches, are no mistake.
    assert_eq!(read("a,b\nx,\"y\nz\"\n5\" disk,q\n").unwrap().rows(), 2);
}

#[test]
fn misfits_are_named_with_line_column_and_fix() {
    let dir = TempDir::new();
    let error = |text: &str, header| either(&dir.file("m.csv", text), Format { header, delimiter: ',' }).unwrap_err();
    // In every case the text is what stands out, be it before or after the numbers.
    let cases = [
        ("w\n1\n?\n", 3, "?"),
        ("w\n?\n\n1\n", 2, "?"),
        ("w,v\n1,1\n,1\n", 3, ""),
        ("w\n1\nNaN\n", 3, "NaN"),
        ("w\nnan\n1\n", 2, "nan"),
        ("w\n1\n-inf\n", 3, "-inf"),
        ("w\n1\n1e39\n", 3, "1e39"),
        ("w\n\"3,14\"\n", 2, "3,14"),
        ("w\n1\n1_000\n", 3, "1_000"),
    ];
    for (text, line, found) in cases {
        match error(text, true) {
            DataError::NonNumeric { line: l, column, text: t, .. } => assert_eq!((l, &column[..], &t[..]), (line, "w", found), "{text:?}"),
            other => panic!("{text:?}: {other}"),
        }
    }
    let message = error("w\n1\n?\n", true).to_string();
    assert!(message.contains("m.csv, line 3, column w: \"?\" is not a finite number") && message.contains("`categorical`"), "{message}");
    let message = error("w\n1\n", false).to_string();
    assert!(message.contains("set header = true"), "{message}");
}

#[test]
fn files_that_are_no_tables() {
    let dir = TempDir::new();
    let error = |bytes: &[u8]| either(&dir.file("f.csv", bytes), Format::default()).unwrap_err();
    for empty in [&b""[..], b"\n\n", b"a,b\n", b"a,b"] {
        assert!(matches!(error(empty), DataError::ZeroRows { .. }), "{empty:?}");
    }
    assert!(error(&[0x1f, 0x8b, 8, 0]).to_string().contains("gunzip"));
    match error(b"a,b\n1,2\n3,\xff\n") {
        DataError::NotText { line: 3, .. } => {}
        other => panic!("{other}"),
    }
    let error = error(b"a,b,a\n1,2,3\n").to_string();
    assert!(error.contains("columns 0 and 2 (counted from 0) are both named \"a\""), "{error}");
    let missing = either(&dir.path.join("none.csv"), Format::default()).unwrap_err();
    assert!(missing.to_string().contains("check the name"), "{missing}");
}

#[test]
fn identifiers_are_refused() {
    let dir = TempDir::new();
    let text: String = (0..=MAX_CLASSES).map(|i| format!("c{i}\n")).collect();
    let error = either(&dir.file("i.csv", format!("id\n{text}")), Format::default()).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { size: 10_001, limit: 10_000, .. }) && error.to_string().contains("column id"), "{error}");
    let table = either(&dir.file("i.csv", format!("id\n{}", &text[..text.len() - 7])), Format::default()).unwrap();
    let all: Vec<usize> = (0..table.rows()).collect();
    let error = Encoding::field(&table, 0, &all, MAX_CATEGORIES).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { size: 10_000, limit: 1000, .. }), "{error}");
}
