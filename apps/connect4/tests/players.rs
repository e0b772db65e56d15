//! Players, the arrays that networks learn from, and what judges them.

use connect4::horizon::Horizon;
use connect4::judge::{self, Quality};
use connect4::lesson::{Lesson, PRESETS, Preset, mirror, targets};
use connect4::network::Network;
use connect4::planes::Planes;
use connect4::player::{Level, Player, Search};
use connect4::table::{Row, Split};
use connect4::{Position, Solver};
use neurona::Random;

/// A position of random stones, `stones` of them if the game lasts so long.
fn random(stones: usize, random: &mut Random) -> Position {
    loop {
        let mut p = Position::EMPTY;
        while p.plies() < stones && !p.is_over() {
            let moves: Vec<usize> = p.moves().collect();
            p = p.play(moves[random.below(moves.len())]);
        }
        if !p.is_over() {
            return p;
        }
    }
}

fn positions(count: usize, from: usize, to: usize) -> Vec<Position> {
    let mut r = Random::new(7, 0);
    (0..count).map(|i| random(from + i % (to - from), &mut r)).collect()
}

fn built_in() -> Box<Network> {
    Box::new(Network::built_in().unwrap())
}

/// Whether a choice wins if one stone can, else stops the other side if one stone of it can win.
fn sees(p: &Position, choice: Option<usize>) -> bool {
    let wins: Vec<usize> = (0..7).filter(|&c| p.wins_with(c)).collect();
    let stops: Vec<usize> = (0..7).filter(|&c| p.is_threatened(c)).collect();
    let choice = choice.expect("the game is not over");
    p.can_play(choice)
        && match (wins.is_empty(), stops.is_empty()) {
            (false, _) => wins.contains(&choice),
            (true, false) => stops.contains(&choice),
            (true, true) => true,
        }
}

#[test]
fn no_level_above_random_misses_a_win_or_a_block_in_one() {
    let all = positions(10_000, 0, 40);
    let decided = all.iter().filter(|p| (0..7).any(|c| p.wins_with(c) || p.is_threatened(c))).count();
    assert!(decided > 3000, "{decided} positions try it");
    let levels: [(Level, &[Position]); 4] = [
        (Level::Network(built_in()), &all),
        (Level::AlphaBeta(1), &all),
        (Level::Search(built_in(), Box::new(Search::new(2, 0))), &all[..500]),
        (Level::Perfect(Box::new(Solver::new(16))), &positions(500, 28, 40)),
    ];
    for (i, (level, positions)) in levels.into_iter().enumerate() {
        let choices = Player::new(level, 1).choose_all(positions).unwrap();
        for (p, choice) in positions.iter().zip(choices) {
            assert!(sees(p, choice), "level {i}, column {choice:?}\n{p}");
        }
    }
    let choices = Player::new(Level::Random, 1).choose_all(&all).unwrap();
    assert!(all.iter().zip(choices).any(|(p, c)| !sees(p, c)), "random moves miss some");
}

#[test]
fn the_horizon_shows_exactly_the_wins_within_it() {
    let mut solver = Solver::new(16);
    let (mut full, mut near) = (Horizon::new(42), Horizon::new(7));
    let (mut seen, mut hidden) = (0, 0);
    for p in positions(300, 24, 41) {
        let exact = solver.scores(&p);
        assert_eq!(full.scores(&p), exact, "\n{p}");
        let within = exact.map(|s| {
            s.map(|s| {
                // A score of s: the winner's stones are 22 - |s|, so the game ends after this many.
                let winner_first = (s > 0) == p.first_to_move();
                let end = 2 * (22 - s.abs()) - i32::from(winner_first);
                let shown = s == 0 || end - p.plies() as i32 <= 7;
                *(if shown { &mut seen } else { &mut hidden }) += 1;
                if shown { s } else { 0 }
            })
        });
        assert_eq!(near.scores(&p), within, "\n{p}");
    }
    assert!(seen > 100 && hidden > 30, "{seen}, {hidden}");
}

fn rows(count: usize) -> Vec<Row> {
    let mut solver = Solver::new(16);
    let split = |i: usize| [Split::Train, Split::Train, Split::Validation, Split::Test][i % 4];
    let row = |(i, p): (usize, Position)| Row { position: p, scores: solver.scores(&p), split: split(i) };
    positions(count, 24, 38).into_iter().enumerate().map(row).collect()
}

#[test]
fn lessons_hold_the_rows_of_their_part_and_mirror_only_what_is_learnt() {
    let rows = rows(40);
    let best = Preset::of("best").unwrap();
    let train = Lesson::new(&best, &rows, Split::Train);
    assert_eq!((train.shape, train.width), ([40, 6, 7, 6], 14), "20 rows and their mirror images");
    assert_eq!(Lesson::new(&best, &rows, Split::Test).shape[0], 10);
    let first = &rows[0];
    assert_eq!(train.y[..14], targets(first));
    for c in 0..7 {
        assert_eq!(targets(first)[c] == 1.0, first.is_best(c));
        let result = first.scores[c].map_or(0.0, |s| [0.0, 0.5, 1.0][(s.signum() + 1) as usize]);
        assert_eq!(train.y[7 + c], result);
        assert_eq!((train.y[14 + c], train.y[21 + c]), (train.y[6 - c], train.y[13 - c]), "the mirror image");
    }
    assert_eq!(mirror(&mirror(first)), *first);
    let mut again = vec![];
    Planes::Threats.push(&first.position.mirror(), &mut again);
    assert_eq!(train.x[252..504], again);
    let deck = Lesson::new(&PRESETS[0], &rows, Split::Train);
    assert_eq!((deck.shape, deck.width, deck.y[0]), ([20, 6, 7, 2], 1, first.best() as f32));
    let [(name, bytes), _] = deck.files();
    assert_eq!(name, "x_train.npy");
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00") && (bytes.len() - deck.x.len()).is_multiple_of(64) && bytes.ends_with(&deck.x));
    assert_eq!(bytes[bytes.len() - deck.x.len() - 1], b'\n');
}

#[test]
fn planes_show_wins_threats_and_rows() {
    let p = Position::parse("112233").unwrap(); // 4 wins for the side to move, and would for the other
    let mut x = vec![];
    Planes::Threats.push(&p, &mut x);
    let at = |row: usize, column: usize| &x[6 * (7 * (6 - row) + column - 1)..][..6];
    assert_eq!(at(1, 1), [1, 0, 0, 0, 0, 1]);
    assert_eq!(at(2, 1), [0, 1, 0, 0, 0, 0]);
    assert_eq!(at(1, 4), [0, 0, 1, 0, 1, 1]);
    assert_eq!(at(2, 4), [0, 0, 0, 1, 0, 0]);
    assert_eq!(at(3, 3), [0, 0, 0, 0, 1, 1]);
}

#[test]
fn quality_is_full_for_the_solver_and_little_for_random_moves() {
    let rows = rows(200);
    let positions: Vec<Position> = rows.iter().map(|r| r.position).collect();
    let scores: Vec<_> = rows.iter().map(|r| r.scores).collect();
    let of = |level| judge::quality(&mut Player::new(level, 1), &positions, &scores).unwrap();
    let perfect = of(Level::Perfect(Box::new(Solver::new(16))));
    assert_eq!(perfect, Quality { positions: 200, optimal: 200, preserved: 200, lost: 0 });
    let (network, random) = (of(Level::Network(built_in())), of(Level::Random));
    assert!(network.preserved_share() > 0.9 && network.optimal_share() > 0.75, "{network:?}");
    assert!(random.preserved_share() < network.preserved_share() - 0.1 && random.mean_lost() > 2.0 * network.mean_lost(), "{random:?}");
    assert!(of(Level::Search(built_in(), Box::new(Search::new(10, 0)))).preserved_share() > 0.97);
}

#[test]
fn games_are_counted_for_the_right_side() {
    let player = |level| Player::new(level, 1);
    let g = judge::games(&mut player(Level::AlphaBeta(2)), &mut player(Level::Random)).unwrap();
    assert!(g.count() == 98 && g.won > 85, "{g:?}");
    let g = judge::games(&mut player(Level::Random), &mut player(Level::AlphaBeta(2))).unwrap();
    assert!(g.count() == 98 && g.lost > 85, "{g:?}");
}

#[test]
fn mirror_images_are_judged_alike() {
    let all = positions(50, 4, 30);
    let mirrored: Vec<Position> = all.iter().map(Position::mirror).collect();
    let mut network = built_in();
    let pairs = network.opinions(&all).unwrap().into_iter().zip(network.opinions(&mirrored).unwrap());
    for (a, b) in pairs {
        for c in 0..7 {
            let near = |x: f32, y: f32| (x - y).abs() < 1e-5;
            assert!(a.columns[c].zip(b.columns[6 - c]).is_none_or(|(x, y)| near(x, y)) && near(a.value, b.value));
            assert_eq!(a.columns[c].is_some(), b.columns[6 - c].is_some());
        }
    }
}
