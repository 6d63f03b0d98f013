//! What a database of an earlier version holds comes over.

use order_view::{domain::OrderView, migration, store};
use sea_orm::ConnectionTrait;
use sea_orm_migration::SchemaManager;
use serde::Serialize;
use serde_json::json;
use testing::Database;

use crate::{fold::fold, support::Story};

/// A row as it was when parts were `jsonb`.
fn row_of_jsonb(view: &OrderView) -> String {
    fn part(told: Option<&impl Serialize>) -> String {
        told.map_or("NULL".to_owned(), |told| format!("'{}'", json!(told)))
    }
    format!(
        "INSERT INTO order_views (order_id, facts, order_version, \"order\", ticket_version, ticket, payment_version, payment, \
                                  kitchen_version, kitchen, delivery_version, delivery, as_of) \
         VALUES ('{}', {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, '{}')",
        view.order_id,
        part(Some(&view.facts)),
        view.order.version(),
        part(view.order.told()),
        view.ticket.version(),
        part(view.ticket.told()),
        view.payment.version(),
        part(view.payment.told()),
        view.kitchen.version(),
        part(view.kitchen.told()),
        view.delivery.version(),
        part(view.delivery.told()),
        view.as_of.to_rfc3339(),
    )
}

#[tokio::test]
async fn rows_of_jsonb_come_over_and_whoever_grows_such_a_table_begins_again() {
    let database = Database::new().await;
    let db = database.connect(1).await;
    let manager = SchemaManager::new(&db);
    let mut migrations = migration::all();
    let later = migrations.split_off(migrations.len() - 1);
    for migration in migrations {
        migration.up(&manager).await.expect("the version before");
    }
    // One that is complete, one under way, and one of which only the ticket is known.
    let life = |part: std::ops::Range<usize>| fold(&Story::new().life()[part]).expect("a view");
    let views = [life(0..26), life(0..9), life(2..3)];
    for view in &views {
        let row = row_of_jsonb(view);
        db.execute_unprepared(&row).await.expect("a row");
    }
    let rebuild = "INSERT INTO rebuilds (rebuild_id, asked_by, asked_why, asked_at, claimed_by, claimed_until, attempt) \
                   VALUES (uuidv7(), 'somebody', 'a test', now(), 'view-1', now() + interval '1 hour', uuidv7())";
    db.execute_unprepared(rebuild).await.expect("a rebuild");
    for migration in later {
        migration.up(&manager).await.expect("this version");
    }

    for view in &views {
        let found = store::find(&db, view.order_id).await;
        assert_eq!(found.expect("a read").as_ref(), Some(view));
        let ticket = view.facts.ticket_id.expect("a ticket");
        let found = store::find_ticket(&db, ticket).await;
        assert_eq!(found.expect("a read").as_ref(), Some(view));
    }
    for view in &views[..2] {
        let filter = store::Filter {
            state: view.order.told().map(|told| told.state),
            limit: 10,
            ..store::Filter::default()
        };
        let listed = store::list(&db, filter).await;
        assert_eq!(listed.expect("a list"), std::slice::from_ref(view));
    }
    let attempt = ambient::new_id();
    let lasts = std::time::Duration::from_secs(60);
    let claimed = store::rebuilds::claim(&db, "view-2", attempt, lasts).await;
    assert!(claimed.expect("a claim").is_some());
}
