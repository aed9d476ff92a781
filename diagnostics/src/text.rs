//! Text from a file as it may be shown, and which characters a name may have.

/// What stands for a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character is invisible or moves others about: a control character, a separator of lines, a mark
/// of direction, a space of no width. A name with one of them looks like another name.
#[must_use]
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A character as it is shown.
pub fn shown_char(c: char) -> char {
    match c {
        '\t' => ' ',
        c if deceives(c) => REPLACEMENT,
        c => c,
    }
}

/// A text in one line for a terminal or a log: characters that deceive are replaced.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(shown_char).collect()
}

/// A text of several lines for a terminal: characters that deceive are replaced, the ends of lines stay.
/// Whatever a command says to people goes through it, because any text may quote a file or the wire, whose
/// author is not to write on the terminal.
#[must_use]
pub fn shown_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { shown_char(c) }).collect()
}

/// The same; what is longer than so many characters is cut.
pub fn cut_lines(text: &str, most: usize) -> String {
    let mut lines: String = text.chars().take(most).collect();
    if lines.len() < text.len() {
        lines.push_str("...");
    }
    shown_lines(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_replaced_and_writing_is_not() {
        assert_eq!(shown("a\x1b[31m\u{202e}b\u{2028}c\u{200b}"), "a\u{fffd}[31m\u{fffd}b\u{fffd}c\u{fffd}");
        let fine = "Umspannwerk Zürich-Süd, Ω 變電所 подстанция (110 kV)";
        assert_eq!(shown(fine), fine);
        assert_eq!(cut_lines("a\nb\tc\x07", 4), "a\nb ...");
        assert_eq!(cut_lines("a\nb", 3), "a\nb");
        assert_eq!(shown_lines("a\r\n\x1b]0;b\x07\u{9b}2J\n"), "a\u{fffd}\n\u{fffd}]0;b\u{fffd}\u{fffd}2J\n");
    }
}
