//! The solver against known numbers: counts of positions, minimax, mirror images, P. Pons's positions.

use connect4::book::{self, Book, Draft};
use connect4::games::Games;
use connect4::plain::{Method, POINT, Plain};
use connect4::sets::{self, Case};
use connect4::{BadPosition, Position, Solver, work};
use std::path::PathBuf;

/// OEIS A212693, number of legal 7 X 6 positions after n plies: <https://oeis.org/A212693>.
const A212693: [usize; 10] = [1, 7, 49, 238, 1120, 4263, 16_422, 54_859, 184_275, 558_186];

#[test]
fn as_many_positions_are_reached_as_are_known() {
    assert_eq!(book::counts(9), A212693);
    // Without mirror images: at least half, and the rest are their own.
    for (plies, &count) in A212693.iter().enumerate().take(7) {
        let canonical = book::positions(plies);
        let symmetric = canonical.iter().filter(|p| p.mirror() == **p).count();
        assert_eq!(2 * canonical.len() - symmetric, count, "no game ends within six plies");
    }
}

/// Minimax with alpha-beta and nothing else, to the end, on late positions: the same score for every column.
#[test]
fn plain_minimax_agrees_on_late_positions() {
    let mut solver = Solver::new(4);
    let (mut full, mut pruned) = (Plain::new(Method::Minimax, 42), Plain::new(Method::AlphaBeta, 42));
    for p in Games::new(5).filter(|p| p.plies() >= 28).take(300) {
        let want = pruned.values(&p).map(|s| s.map(|s| s / POINT));
        assert_eq!(solver.scores(&p), want, "{p}");
        assert_eq!(solver.outcome(&p), solver.solve(&p).signum());
        if p.plies() >= 31 {
            assert_eq!(full.values(&p), pruned.values(&p), "{p}");
        }
    }
    assert!(pruned.nodes() > 100_000, "the search saw something: {}", pruned.nodes());
}

#[test]
fn mirror_images_have_mirrored_scores() {
    let (mut one, mut other) = (Solver::new(4), Solver::new(4));
    for p in Games::new(6).filter(|p| p.plies() >= 22).take(100) {
        let mut scores = one.scores(&p);
        scores.reverse();
        assert_eq!(other.scores(&p.mirror()), scores, "{p}");
        assert_eq!((p.mirror().mirror(), p.mirror().canonical_key()), (p, p.canonical_key()));
    }
}

/// Entries of earlier positions, and of other threads, do no harm.
#[test]
fn a_shared_table_and_a_tiny_one_give_the_same_scores() {
    let positions: Vec<Position> = Games::new(7).filter(|p| p.plies() >= 20).take(200).collect();
    let first = Solver::new(1);
    let mut shared = [first.clone(), first];
    let scores = work::spread(&mut shared, &positions, |s, p| s.scores(p));
    for (p, scores) in positions.iter().zip(scores) {
        assert_eq!(Solver::new(1).scores(p), scores, "{p}");
    }
}

#[test]
fn finished_games_have_scores_too() {
    let mut solver = Solver::new(1);
    let won = Position::parse("4343434").unwrap();
    assert!(won.is_over() && won.is_won());
    assert_eq!((solver.solve(&won), solver.scores(&won)), (-18, [None; 7]));
    let before = Position::parse("434343").unwrap();
    assert_eq!((solver.solve(&before), solver.scores(&before)[3]), (18, Some(18)));
}

/// A set of the developers' share beside this repository; without it the test says so and passes.
fn set(name: &str) -> Option<(Vec<Case>, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/connect4");
    let read = |path: PathBuf| std::fs::read_to_string(path).ok();
    let pair = read(folder.join(name)).zip(read(folder.join(format!("per_column/{name}.json"))));
    if pair.is_none() {
        eprintln!("skipped: no {name} in {}", folder.display());
    }
    pair.map(|(text, columns)| (sets::read(&text).unwrap(), columns))
}

/// Every score of a set is right, at no more nodes than P. Pons's solver takes (part 12 of his tutorial).
fn solves(name: &str, most: f64) {
    let Some((cases, _)) = set(name) else { return };
    let measured = sets::measure(&mut Solver::new(16), &cases, |_| true);
    assert_eq!((measured.positions, measured.errors), (1000, 0));
    assert!(measured.mean_nodes() <= most, "{name}: {} nodes", measured.mean_nodes());
}

#[test]
fn pons_middle_easy() {
    solves("Test_L2_R1", 450.0);
}

#[test]
fn pons_middle_medium() {
    solves("Test_L2_R2", 39_900.0);
}

#[test]
fn pons_begin_easy() {
    solves("Test_L1_R1", 3_298.0);
}

#[test]
fn pons_columns_of_middle_easy() {
    let Some((cases, columns)) = set("Test_L2_R1") else { return };
    let (columns, mut solver) = (sets::read_columns(&columns, &cases).unwrap(), Solver::new(16));
    for (case, want) in cases.iter().zip(columns) {
        assert_eq!(solver.scores(&case.position), want, "{}", case.moves);
    }
}

#[test]
fn a_book_answers_what_the_solver_finds() {
    let mut draft = Draft::new(5).unwrap();
    // Solving its positions would take an hour: their scores here are made up, and found again.
    let bytes = draft.to_bytes();
    let made_up: Vec<u8> = bytes[..8].iter().copied().chain((0..draft.len()).map(|i| 60 + (i % 9) as u8)).collect();
    draft = Draft::from_bytes(&made_up).unwrap();
    assert_eq!((draft.done(), draft.plies(), draft.to_bytes()), (draft.len(), 5, made_up.clone()));
    let made_up = Book::from_bytes(&made_up).unwrap();
    for (i, p) in book::positions(5).iter().enumerate() {
        let score = Some((i % 9) as i32 - 4);
        assert_eq!((made_up.score(p), made_up.score(&p.mirror())), (score, score));
    }
    assert_eq!(Book::from_bytes(&bytes).err(), Some(book::BadBook::Unfinished { missing: draft.len() }));
    assert_eq!(Book::from_bytes(&bytes[..80]).err().map(|e| e.to_string().contains("damaged")), Some(true));
    assert_eq!(Book::from_bytes(b"something").err(), Some(book::BadBook::Magic));
}

/// The book that comes with the crate is whole, and agrees with a solver that does without it.
#[test]
fn the_opening_book_is_whole() {
    let book = book::opening().expect("the file in data/ is whole");
    assert_eq!(book.len(), book::positions(book.plies()).len());
    assert!(book.score(&Position::EMPTY).is_none_or(|s| s == 1), "the first player wins with his last stone but none");
}

#[test]
fn impossible_games_and_boards_are_refused() {
    let wrong = |moves: &str| Position::parse(moves).unwrap_err();
    assert_eq!(wrong("4480"), BadPosition::Move { at: 3, found: '8' });
    assert_eq!(wrong("1111111"), BadPosition::Full { at: 7, column: 1 });
    assert_eq!(wrong("43434345"), BadPosition::Over { at: 8, end: 7 });
    let board = |rows: &str| {
        let cells: Vec<u8> = rows.bytes().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
        Position::from_cells(&[vec![0; 42 - cells.len()], cells].concat())
    };
    assert_eq!(board("0001000 0000000"), Err(BadPosition::Floating { square: "d2".into() }));
    assert_eq!(board("0002000"), Err(BadPosition::Count { first: 0, second: 1 }));
    assert_eq!(board("1112222 1111222"), Err(BadPosition::Ended { player: 1 }));
    // Player 1 has four, and player 2 has moved after that.
    assert_eq!(board("2222000 1111000"), Err(BadPosition::Ended { player: 1 }));
    // Nobody put the first stone: all lowest stones are player 2's.
    assert_eq!(board("1100000 2200000"), Err(BadPosition::Unreachable));
    assert_eq!(Position::from_cells(&[0; 41]), Err(BadPosition::Squares { found: 41 }));
    for p in Games::new(8).take(300) {
        assert_eq!(Position::from_cells(&p.cells()), Ok(p));
    }
}

/// The UCI data set: who wins is right for a sample of it.
#[test]
fn uci_lines_are_read_and_classified() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/connect4/connect-4.half-a.data");
    let Ok(text) = std::fs::read_to_string(&path) else { return eprintln!("skipped: no {}", path.display()) };
    let cases = sets::read_uci(&text).unwrap();
    assert_eq!(cases.len(), 33_779);
    assert_eq!(cases.iter().filter(|(_, r)| *r == 1).count(), 22_229);
    assert!(cases.iter().all(|(p, _)| p.plies() == 8 && p.moves().all(|c| !p.wins_with(c))));
    let mut solver = Solver::new(64);
    let mut checked = 0;
    for (p, result) in cases.iter().step_by(8_000) {
        assert_eq!(solver.outcome(p), *result, "{p}");
        checked += 1;
    }
    assert_eq!(checked, 5);
}
