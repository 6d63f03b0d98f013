//! Ids read and write as plain UUIDs, and never stand in for one another.

use contracts::OrderId;
use proptest::prelude::*;
use uuid::Uuid;

proptest! {
    #[test]
    fn an_id_survives_text_json_and_uuid(number: u128) {
        let id = OrderId::new(Uuid::from_u128(number));
        prop_assert_eq!(id.to_string().parse::<OrderId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(&json, &format!("\"{id}\""));
        prop_assert_eq!(serde_json::from_str::<OrderId>(&json).unwrap(), id);
        prop_assert_eq!(OrderId::from(Uuid::from(id)), id);
    }

    #[test]
    fn ids_sort_as_their_uuids_do(a: u128, b: u128) {
        let (a, b) = (Uuid::from_u128(a), Uuid::from_u128(b));
        prop_assert_eq!(OrderId::new(a).cmp(&OrderId::new(b)), a.cmp(&b));
    }
}

#[test]
fn a_malformed_id_is_refused() {
    assert!("not-an-id".parse::<OrderId>().is_err());
}
