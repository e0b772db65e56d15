//! Memory plan: values that are never needed at the same time share memory.

use crate::exec::ALIGN;

/// A value's size in bytes and the first and last step that touch it.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Size.
    pub bytes: usize,
    /// First step that writes it.
    pub first: usize,
    /// Last step that reads or writes it.
    pub last: usize,
}

/// Offsets of the values, and the bytes needed in all. Large values are placed first, each at the
/// lowest offset where no value alive at the same time is in its way.
pub fn plan(spans: &[Span]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(spans[i].bytes));
    let mut offsets = vec![0; spans.len()];
    let mut placed: Vec<usize> = vec![];
    let mut total = 0;
    for &i in &order {
        let s = spans[i];
        let mut busy: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&j| spans[j].first <= s.last && s.first <= spans[j].last)
            .map(|&j| (offsets[j], offsets[j] + spans[j].bytes))
            .collect();
        busy.sort();
        let mut at = 0;
        for (from, to) in busy {
            if at + s.bytes <= from {
                break;
            }
            at = at.max(to.next_multiple_of(ALIGN));
        }
        offsets[i] = at;
        total = total.max(at + s.bytes);
        placed.push(i);
    }
    (offsets, total.next_multiple_of(ALIGN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_alive_together_do_not_overlap_and_others_share() {
        let span = |bytes, first, last| Span { bytes, first, last };
        let spans = [span(100, 0, 2), span(50, 1, 3), span(100, 3, 5), span(10, 2, 4)];
        let (at, total) = plan(&spans);
        for i in 0..spans.len() {
            for j in 0..i {
                let together = spans[i].first <= spans[j].last && spans[j].first <= spans[i].last;
                let apart = at[i] + spans[i].bytes <= at[j] || at[j] + spans[j].bytes <= at[i];
                assert!(!together || apart, "{i} and {j}");
            }
        }
        assert_eq!((at[0], at[2]), (0, 0));
        assert!(total < 260);
    }
}
