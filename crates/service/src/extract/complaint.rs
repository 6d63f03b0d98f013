//! Turns what serde and garde complain about into the name of a field and a sentence for the client.

use std::fmt::Display;

/// The messages of serde that name a field between backticks.
const NAMING: [&str; 3] = ["missing field `", "unknown field `", "duplicate field `"];

/// The field that a serde error is about, and what is wrong with it, without the value that was sent.
///
/// `path` is where the error happened, as `serde_path_to_error` tells it: `.` for the whole.
pub(super) fn of_serde(path: &impl Display, message: &str) -> (String, String) {
    let path = match path.to_string() {
        root if root == "." => String::new(),
        inner => inner,
    };
    let Some((named, rest)) = NAMING.iter().find_map(|start| named(message, start)) else {
        return (path, without_value(message));
    };
    let complaint = message.split(" field").next().unwrap_or("invalid");
    let expected = rest
        .split_once(", expected ")
        .map(|(_, expected)| place_cut_off(expected));
    let detail = match (complaint, expected) {
        ("missing", _) => "missing".to_owned(),
        ("duplicate", _) => "given more than once".to_owned(),
        (_, Some(expected)) => format!("unknown; expected {expected}"),
        _ => "unknown".to_owned(),
    };
    (join(path, named), detail)
}

/// Splits `message` behind `start` into the name up to the next backtick, and the rest.
fn named<'m>(message: &'m str, start: &str) -> Option<(&'m str, &'m str)> {
    message.strip_prefix(start)?.split_once('`')
}

/// The path of a field in an object. Where the path of an unknown field already ends with it, that is the field.
fn join(path: String, field: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    if path.is_empty() {
        field.to_owned()
    } else if last == field {
        path
    } else {
        format!("{path}.{field}")
    }
}

/// `invalid type: string "4242…", expected u32 at line 1 column 7` → `expected u32`.
fn without_value(message: &str) -> String {
    let message = place_cut_off(message);
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => message.to_owned(),
    }
}

/// Where in the text it happened is of no use next to the field's name.
fn place_cut_off(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}

/// The name of a field as clients write it: garde knows fields by their Rust names, JSON has them in camelCase.
pub(super) fn camel_case(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '_' => name.extend(characters.next().map(|next| next.to_ascii_uppercase())),
            other => name.push(other),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_was_sent_is_not_repeated() {
        let message = "invalid type: string \"4242424242424242\", expected u32 at line 1 column 20";
        let (field, detail) = of_serde(&"card.cvc", message);
        assert_eq!(
            (field.as_str(), detail.as_str()),
            ("card.cvc", "expected u32")
        );
    }

    #[test]
    fn a_missing_field_is_named_with_its_path() {
        let complaint = of_serde(&"items[1]", "missing field `quantity` at line 1 column 2");
        assert_eq!(
            complaint,
            ("items[1].quantity".to_owned(), "missing".to_owned())
        );
        let complaint = of_serde(&".", "missing field `items`");
        assert_eq!(complaint.0, "items");
    }

    #[test]
    fn an_unknown_field_is_named_once() {
        for path in ["items[1]", "items[1].price"] {
            let complaint = of_serde(
                &path,
                "unknown field `price`, expected `menuItemId` or `quantity` at line 1 column 2",
            );
            assert_eq!(complaint.0, "items[1].price");
            assert_eq!(complaint.1, "unknown; expected `menuItemId` or `quantity`");
        }
    }

    #[test]
    fn rust_names_become_json_names() {
        assert_eq!(
            camel_case("order_items[0].menu_item_id"),
            "orderItems[0].menuItemId"
        );
    }
}
