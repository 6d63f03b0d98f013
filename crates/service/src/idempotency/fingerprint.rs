//! What makes two bodies the same body.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of a body.
pub(super) type Fingerprint = [u8; 32];

/// The fingerprint of `body` as it was understood, not as it was typed: of its JSON without white space, with sorted
/// names and without members that say nothing. So it also stays the same when a later version of the service knows
/// one more optional member, or declares them in another order.
pub(super) fn of(body: &impl Serialize) -> serde_json::Result<Fingerprint> {
    let mut canonical = serde_json::to_value(body)?;
    leave_out_nulls(&mut canonical);
    // Sorted already, unless some crate of the build asks serde_json to keep the order of members.
    canonical.sort_all_objects();
    Ok(Sha256::digest(canonical.to_string()).into())
}

fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(leave_out_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Dish {
        name: &'static str,
        extra: Option<&'static str>,
        cents: u32,
    }

    const SOUP: Dish = Dish {
        name: "Soup",
        extra: None,
        cents: 1250,
    };

    fn hex(fingerprint: Fingerprint) -> String {
        fingerprint
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn neither_the_order_of_members_nor_those_that_say_nothing_matter() {
        let same = json!({ "cents": 1250, "name": "Soup" });
        assert_eq!(of(&SOUP).unwrap(), of(&same).unwrap());
        for other in [
            json!({ "cents": 1251, "name": "Soup" }),
            json!({ "cents": "1250", "name": "Soup" }),
            json!({ "cents": 1250, "name": "Soup", "extra": "" }),
            json!([{ "cents": 1250, "name": "Soup" }]),
        ] {
            assert_ne!(of(&SOUP).unwrap(), of(&other).unwrap(), "{other}");
        }
        assert_ne!(of(&json!([1, 2])).unwrap(), of(&json!([2, 1])).unwrap());
    }

    /// A key that was taken before a deployment must be known after it: `{"cents":1250,"name":"Soup"}`.
    #[test]
    fn the_fingerprint_of_a_body_is_the_same_in_every_build() {
        let pinned = "515f096c14895ec163cbcd498aa5faff5a96285bd1803dfb2a5cbe1b59fc8ae0";
        assert_eq!(hex(of(&SOUP).unwrap()), pinned);
    }
}
