//! Which tables hold finished orders, and which of their columns name an order or what belongs to it.

/// A table with rows of orders.
pub(super) struct Table {
    pub(super) database: &'static str,
    pub(super) name: &'static str,
    /// Which rows are those of the patterns (`$1`).
    rows: &'static str,
    /// What a copy has instead in a column. `k` is the copy's number.
    changed: &'static [(&'static str, &'static str)],
}

const BY_ORDER: &str = "order_id = ANY($1)";
const BY_REFERENCE: &str = "reference = ANY($1::text[])";

/// All of them.
pub(super) const TABLES: &[Table] = &[
    Table {
        database: "orders",
        name: "orders",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            ("ticket_id", "pg_temp.other(ticket_id, k)"),
        ],
    },
    Table {
        database: "orders",
        name: "sagas",
        rows: "saga_id = ANY($1)",
        changed: &[("saga_id", "pg_temp.other(saga_id, k)")],
    },
    Table {
        database: "orders",
        name: "saga_history",
        rows: "saga_id = ANY($1)",
        changed: &[("saga_id", "pg_temp.other(saga_id, k)")],
    },
    Table {
        database: "customers",
        name: "verifications",
        rows: BY_ORDER,
        changed: &[("order_id", "pg_temp.other(order_id, k)")],
    },
    Table {
        database: "restaurants",
        name: "tickets",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            ("ticket_id", "pg_temp.other(ticket_id, k)"),
        ],
    },
    Table {
        database: "payments",
        name: "payments",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            ("payment_id", "pg_temp.other(payment_id, k)"),
            (
                "authorisation",
                "pg_temp.other(authorisation::uuid, k)::text",
            ),
        ],
    },
    Table {
        database: "kitchens",
        name: "cooks",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            ("cook_id", "pg_temp.other(cook_id, k)"),
        ],
    },
    Table {
        database: "deliveries",
        name: "deliveries",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            ("delivery_id", "pg_temp.other(delivery_id, k)"),
        ],
    },
    Table {
        database: "views",
        name: "order_views",
        rows: BY_ORDER,
        changed: &[
            ("order_id", "pg_temp.other(order_id, k)"),
            (
                "facts",
                "jsonb_set(facts, '{ticketId}', to_jsonb(pg_temp.other((facts ->> 'ticketId')::uuid, k)))",
            ),
        ],
    },
    Table {
        database: "gateway",
        name: "authorisations",
        rows: BY_REFERENCE,
        changed: &[
            ("authorisation_id", "pg_temp.other(authorisation_id, k)"),
            ("reference", "pg_temp.other(reference::uuid, k)::text"),
        ],
    },
    Table {
        database: "gateway",
        name: "ledger",
        rows: BY_REFERENCE,
        changed: &[
            ("authorisation_id", "pg_temp.other(authorisation_id, k)"),
            ("reference", "pg_temp.other(reference::uuid, k)::text"),
            ("idempotency_key", KEY),
        ],
    },
    Table {
        database: "gateway",
        name: "answers",
        rows: "idempotency_key = ANY (SELECT id || call FROM unnest($1::text[]) AS id, unnest(ARRAY['-authorise', '-capture']) AS call)",
        changed: &[("idempotency_key", KEY)],
    },
];

/// `<order>-authorise`
const KEY: &str =
    "pg_temp.other(left(idempotency_key, 36)::uuid, k)::text || substr(idempotency_key, 37)";

impl Table {
    /// The statement that copies: patterns are `$1`, copies go from number `$2` down to number `$3`.
    pub(super) fn insert(&self, columns: &[String]) -> String {
        let values = columns.iter().map(|column| {
            let changed = self.changed.iter().find(|(name, _)| name == column);
            changed.map_or_else(|| format!("\"{column}\""), |(_, value)| (*value).to_owned())
        });
        let values: Vec<String> = values.collect();
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("\"{column}\""))
            .collect();
        format!(
            "INSERT INTO {name} ({names}) SELECT {values} FROM generate_series($2::bigint, $3::bigint, -1) AS k, \
             (SELECT * FROM {name} WHERE {rows}) AS pattern",
            name = self.name,
            names = names.join(", "),
            values = values.join(", "),
            rows = self.rows,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_order_is_changed_and_the_rest_is_kept() {
        let table = TABLES.iter().find(|table| table.name == "sagas").unwrap();
        let insert = table.insert(&["saga_id".to_owned(), "state".to_owned()]);
        assert!(insert.starts_with(r#"INSERT INTO sagas ("saga_id", "state") SELECT pg_temp.other(saga_id, k), "state" FROM"#), "{insert}");
    }
}
