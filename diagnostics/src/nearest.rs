//! "Did you mean": the known word that a misspelt one is nearest to.

/// The candidate that was probably meant, if one is near enough.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let fold = |s: &str| s.trim().to_lowercase().replace(['-', ' '], "_");
    let word = fold(word);
    let length = word.chars().count();
    let allowance = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        // Each letter more or less is an edit; the case of a letter may make two of one.
        .filter(|candidate| candidate.trim().chars().count().abs_diff(length) <= allowance + 2)
        .map(|candidate| (distance(&word, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_typing_errors_and_leaves_strangers_alone() {
        let words = ["read", "report", "write", "direct_operate"];
        assert_eq!(nearest("raed", words), Some("read"));
        assert_eq!(nearest("Direct-Operate", words), Some("direct_operate"));
        assert_eq!(nearest("wirte", words), Some("write"));
        assert_eq!(nearest("banana", words), None);
    }
}
