//! "Did you mean": the closest known word.

/// The candidate that `word` was most likely meant to be: the smallest edit distance, if it is at
/// most one edit per three letters (and one for shorter words).
///
/// ```
/// use lessons::spelling::closest;
/// assert_eq!(closest("learnig_rate", ["epochs", "learning_rate"]), Some("learning_rate"));
/// assert_eq!(closest("color", ["epochs", "learning_rate"]), None);
/// ```
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let measured = candidates.into_iter().map(|c| (distance(word, c), c));
    measured.filter(|(d, c)| *d <= limit && *d < c.chars().count()).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Insertions, deletions, replacements and exchanges of neighbours that turn `a` into `b`
/// (optimal string alignment: three rows of the table of prefixes are enough).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut last) = (vec![], (0..=b.len()).collect::<Vec<_>>());
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut cost = (last[j] + usize::from(a[i] != b[j])).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: &Vec<usize> = &before;
                cost = cost.min(swapped[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        let cases =
            [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("tahn", "tanh", 1), ("learnig", "learning", 1), ("ñu", "nu", 1)];
        for (a, b, want) in cases {
            assert_eq!(distance(a, b), want, "{a} {b}");
            assert_eq!(distance(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn far_words_are_not_suggested() {
        assert_eq!(closest("q", ["x", "y"]), None);
        assert_eq!(closest("sen", ["sin", "exp"]), Some("sin"));
        assert_eq!(closest("tahn", ["tanh", "sin"]), Some("tanh"));
    }
}
