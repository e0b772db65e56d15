//! A bound that needs no search, from the rule of follow-up (V. Allis, "A Knowledge-based Approach of Connect-Four", 1988:
//! claimeven and baseinverse).
//!
//! Say the first player is to move. The number of free squares is even, so an even number of columns have an odd number of
//! them. The second player may pair these columns, and answer a stone on the lowest free square of one with a stone on that
//! of its partner, and every other stone with the stone on top of it. The first player then gets, at best, these lowest
//! free squares, and the free squares of the odd rows (1, 3, 5 from below) of all columns. If that makes no four, the
//! first player cannot win. If the second player is to move, he puts a stone into one of the odd columns, whose lowest
//! square the first player then does not get, and goes on in the same way.

use crate::board::{BOARD, BOTTOM, Position, has_four};

/// Rows 1, 3 and 5 from below.
const ODD_ROWS: u64 = BOTTOM * 0b01_0101;

/// Whether the second player has at least a draw by follow-up, asked only where that decides if the score exceeds `alpha`.
/// Then 0 is an upper bound if the first player is to move, else a lower one. `n` stones are on the board.
#[inline(always)]
pub(crate) fn second_holds(p: &Position, n: usize, alpha: i32) -> bool {
    let free = BOARD ^ p.all;
    // An odd number of free squares: the lowest is in row 2, 4 or 6.
    let lowest = p.playable() & !ODD_ROWS;
    if n.is_multiple_of(2) {
        return alpha >= 0 && !has_four(p.own | free & ODD_ROWS | lowest);
    }
    let first = (p.own ^ p.all) | free & ODD_ROWS;
    if alpha >= 0 || has_four(first) {
        return false;
    }
    let mut choices = lowest;
    while choices != 0 {
        let choice = choices & choices.wrapping_neg();
        if !has_four(first | lowest ^ choice) {
            return true;
        }
        choices ^= choice;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::games::Games;
    use crate::plain::{Method, Plain};

    /// Late positions, where minimax without any pruning by bounds tells who wins.
    #[test]
    fn whoever_holds_by_parity_does_not_lose() {
        let (mut held, mut search) = ([0, 0], Plain::new(Method::AlphaBeta, 42));
        for p in Games::new(11).filter(|p| p.plies() >= 26).take(400) {
            let n = p.plies();
            let value = search.value(&p);
            if second_holds(&p, n, 0) || second_holds(&p, n, -1) {
                assert!(if n % 2 == 0 { value <= 0 } else { value >= 0 }, "{p}");
                held[n % 2] += 1;
            }
        }
        assert!(held[0] > 20 && held[1] > 20, "both cases occur: {held:?}");
    }
}
