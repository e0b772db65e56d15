//! The training table: what is written is read again, and nothing that is wrong is taken.

use connect4::games::Games;
use connect4::table::{BadTable, Row, Split, header, read, solve, split};
use connect4::{Position, Solver};
use std::collections::HashMap;

fn positions(seed: u64, rows: usize) -> Vec<(Position, Split)> {
    split(Games::new(seed).take(rows).collect())
}

/// A small table with late positions, which take no time.
fn rows() -> Vec<Row> {
    let late: Vec<_> = positions(3, 400).into_iter().filter(|(p, _)| p.plies() >= 18).collect();
    solve(&mut [Solver::new(4), Solver::new(4)], &late)
}

fn text(rows: &[Row]) -> String {
    let lines = rows.iter().map(|r| format!("{r}\n"));
    format!("{}\n{}", header(), lines.collect::<String>())
}

#[test]
fn a_table_is_read_as_it_was_written() {
    let rows = rows();
    assert!(read(&text(&rows)).unwrap() == rows);
    for row in &rows {
        let best = row.scores.iter().flatten().max();
        assert_eq!(row.scores[row.best()].as_ref(), best);
        assert!((0..7).all(|c| row.is_best(c) == (row.scores[c].as_ref() == best)));
    }
}

/// No position twice, no mirror image, and the promised shares; the same on every run, and a prefix of the games is one.
#[test]
fn positions_are_distinct_and_split_by_their_key() {
    let all = positions(1, 4_000);
    let mut seen = HashMap::new();
    for (p, split) in &all {
        assert!(!p.is_over());
        assert_eq!(seen.insert(p.canonical_key(), *split), None);
    }
    let count = |s: Split| all.iter().filter(|(_, split)| *split == s).count();
    assert_eq!(Split::ALL.map(count), [3_600, 200, 200]);
    assert_eq!(positions(1, 4_000), all);
    let moves = |list: &[(Position, Split)]| list.iter().map(|(p, _)| *p).collect::<Vec<_>>();
    assert_eq!(moves(&positions(1, 100)), moves(&all)[..100]);
    assert_ne!(moves(&positions(2, 100)), moves(&all)[..100]);
}

#[test]
fn damaged_tables_are_refused_with_the_row() {
    let rows: Vec<Row> = rows().into_iter().filter(|r| r.scores.iter().all(Option::is_some)).take(3).collect();
    let good = text(&rows);
    // The second row, with one of its values replaced.
    let with = |i: usize, value: &str| {
        let mut lines: Vec<String> = good.lines().map(String::from).collect();
        let mut values: Vec<String> = lines[2].split(',').map(String::from).collect();
        values[i] = value.into();
        lines[2] = values.join(",");
        read(&lines.join("\n")).unwrap_err().to_string()
    };
    assert!(with(0, "3").starts_with("row 2, a6: `3`; expected 0, 1 or 2"));
    assert!(with(3, "1").starts_with("row 2: "), "{}", with(3, "1"));
    assert!(with(42, "3").starts_with("row 2, player: `3`; expected "));
    assert!(with(43, "9").starts_with("row 2, best: `9`; expected "));
    assert!(with(44, "22").starts_with("row 2, score_1: `22`; expected a score"));
    assert!(with(44, "").starts_with("row 2, score_1: ``; expected a score"));
    assert!(with(51, "exam").starts_with("row 2, split: `exam`; expected train"));
    assert_eq!(read(""), Err(BadTable::Header { column: 1, found: String::new(), expected: "a6".into() }));
    assert_eq!(read(&header()), Err(BadTable::Empty));
    assert_eq!(
        read(&good.replace("player,best", "best,player")),
        Err(BadTable::Header { column: 43, found: "best".into(), expected: "player".into() })
    );
    assert_eq!(read(&good.replacen("\n0,", "\n0,0,", 1)), Err(BadTable::Width { row: 1, found: 53, expected: 52 }));
    // A mirror image in another split.
    let first = &rows[0];
    let mut scores = first.scores;
    scores.reverse();
    let split = if first.split == Split::Test { Split::Train } else { Split::Test };
    let twin = Row { position: first.position.mirror(), scores, split };
    assert_eq!(read(&format!("{good}{twin}\n")), Err(BadTable::Leak { first: 1, second: 4 }));
}
