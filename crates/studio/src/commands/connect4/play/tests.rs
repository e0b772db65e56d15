use super::*;
use crate::Lang;
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Plays these lines; what was printed, and the moves.
fn play(computer: Option<Level>, computer_starts: bool, moves: &str, lines: &str, lang: Lang) -> (String, String) {
    let out = Out::default();
    let texts = Texts::new(lang);
    let mut shell = Shell::new(texts, false, Box::new(out.clone()));
    let computer = computer.map(|level| Player::new(level, 1));
    let mut game =
        Game { texts, moves: moves.into(), computer, perfect: false, computer_starts, solver: None, colour: false, prompt: false };
    game.play(&mut lines.as_bytes(), &mut shell).unwrap();
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    (text, game.moves)
}

#[test]
fn two_people_play_to_the_end() {
    let (text, moves) = play(None, false, "", "1\n2\n1\n2\nx\n8\n1\n2\n1\n", Lang::En);
    assert_eq!(moves, "1212121");
    assert!(text.contains("●") && text.contains("○") && !text.contains('\x1b'), "{text}");
    assert!(text.contains("`x`") && text.contains("`8`") && text.ends_with("● wins.\nposition: 1212121\n"), "{text}");
    let (text, _) = play(None, false, "111111", "1\n", Lang::Es);
    assert!(text.contains("la columna 1 está llena"), "{text}");
}

#[test]
fn undo_goes_back_to_ones_own_turn() {
    assert_eq!(play(None, false, "", "u\n4\n4\nu\n", Lang::En).1, "4");
    // The computer's stone and the own one.
    assert_eq!(play(Some(Level::AlphaBeta(2)), false, "", "4\nu\n", Lang::En).1, "");
    let (_, moves) = play(Some(Level::AlphaBeta(2)), true, "", "u\n", Lang::En);
    assert_eq!(moves.len(), 1, "its first stone stays");
    let (_, moves) = play(Some(Level::AlphaBeta(2)), true, "", "1\nu\n", Lang::En);
    assert_eq!(moves.len(), 1);
}

#[test]
fn hints_show_all_columns_and_the_best() {
    let moves = "74223417356477411661335734"; // 26 stones, solved at once
    let (text, _) = play(None, false, moves, "h\np\n", Lang::En);
    let scores = Solver::new(1).scores(&Position::parse(moves).unwrap());
    let best = scores.iter().flatten().max();
    let (numbers, columns) = text.split_once("best: ").unwrap();
    let columns: Vec<&str> = columns.lines().next().unwrap().split(", ").collect();
    for (c, s) in scores.iter().enumerate() {
        let number = s.map_or("–".to_string(), |s| s.to_string());
        assert!(numbers.contains(&format!("{}: {number}", c + 1)), "{text}");
        assert_eq!(columns.contains(&&*(c + 1).to_string()), s.as_ref() == best, "{text}");
    }
    assert!(text.contains(&format!("position: {moves}\n")), "{text}");
}

#[test]
fn the_computer_answers_and_wins() {
    let (text, moves) = play(Some(Level::AlphaBeta(4)), true, "414141", "", Lang::En);
    assert_eq!(moves, "4141414", "{text}");
    assert!(text.contains("The computer wins"), "{text}");
}
