//! What people and scripts read. A closed pipe (`operator … | head`) is no error.

use std::{
    fmt::Display,
    io::{self, Write},
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// Prints a line.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints what went wrong.
pub(crate) fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "operator: {text}");
}

/// Prints a value for scripts.
///
/// # Errors
/// It cannot be written as JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// UTC, as RFC 3339 has it.
pub(crate) fn time(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// So many of them: `1 message`, `2 messages`.
pub(crate) fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Text from a message, which may hold anything, on a terminal, which obeys some of it.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// The beginning of a text, when it is long.
pub(crate) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Columns, each as wide as its widest cell; the last one as wide as it likes.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(
            rows.iter()
                .map(|row| row.each_ref().map(|cell| plain(cell))),
        )
        .collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_everything_else_is_many() {
        let counted = [0, 1, 2].map(|number: i64| count(number, "message"));
        assert_eq!(counted, ["0 messages", "1 message", "2 messages"]);
    }

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_blanks() {
        let rows = [
            ["küche".to_owned(), "1".to_owned()],
            ["bar".to_owned(), String::new()],
        ];
        assert_eq!(table(["WHERE", "N"], &rows), "WHERE  N\nküche  1\nbar");
    }

    #[test]
    fn a_message_does_not_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(short("größer", 3), "grö…");
        assert_eq!(short("größer", 6), "größer");
    }
}
