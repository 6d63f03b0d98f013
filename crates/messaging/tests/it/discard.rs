//! Discarding: a message that can never be handled leaves its line, and is kept in the history.

use messaging::{
    Incoming, Raw,
    parking::{self, Filter},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::logbook::{Desk, note, of, request};

#[tokio::test]
async fn a_discarded_message_is_in_the_history_and_what_waited_behind_it_can_be_replayed() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    let nonsense = testing::message("notes", "SING", key, &json!({"verse": 1}));
    let behind = note(key);
    assert_eq!(desk.process(&[&nonsense, &behind]).await.parked, 2);
    let letters = desk.letters(&of(key)).await;
    let id = letters[0].id;

    let discarded = parking::discard(&desk.store, id, request("nobody sings here")).await;
    let discarded = discarded.expect("it can be").expect("it is there");
    assert_eq!(
        (discarded.left, discarded.line.as_str()),
        (1, key.to_string().as_str())
    );
    let twice = parking::discard(&desk.store, id, request("again")).await;
    assert_eq!(twice.expect("it can be tried"), None);
    let kept = Statement::from_string(
        DbBackend::Postgres,
        "SELECT convert_from(payload, 'UTF8') AS payload, headers->>'ce_type' AS kind, requested_by, why, action FROM parked_history",
    );
    let kept = desk.store.db().query_one_raw(kept).await;
    let kept = kept.expect("the history can be read").expect("a row");
    let column = |name| kept.try_get::<String>("", name).expect("a text");
    assert_eq!(column("payload"), nonsense.body);
    assert_eq!(
        (column("kind"), column("action")),
        ("SING".into(), "DISCARDED".into())
    );
    assert_eq!(
        (column("requested_by"), column("why")),
        ("ann".into(), "nobody sings here".into())
    );

    // The one behind is not tried by itself, and newcomers go on joining.
    let newcomer = note(key);
    assert_eq!(desk.process(&[&newcomer]).await.parked, 1);
    assert_eq!(desk.letters(&of(key)).await[0].place, 1);
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await.replayed, 2);
    assert_eq!(desk.written(key).await, [behind.offset, newcomer.offset]);
}

#[tokio::test]
async fn a_discarded_message_that_comes_again_changes_nothing() {
    for forgets in [false, true] {
        let mut desk = Desk::new().await;
        desk.logbook.forgets = forgets;
        let key = ambient::new_id();
        let message = note(key);
        desk.breaks(key, "out of ink");
        desk.process(&[&message]).await;
        let id = desk.letters(&of(key)).await[0].id;
        let discarded = parking::discard(&desk.store, id, request("wrong customer")).await;
        discarded.expect("it can be").expect("it is there");
        desk.mends(key);
        let again = desk.process(&[&message]).await;
        assert_eq!((again.handled, again.duplicates, again.parked), (0, 1, 0));
        assert_eq!(
            desk.process(&[&note(key)]).await.handled,
            1,
            "its key flows"
        );
    }
}

#[tokio::test]
async fn one_from_the_middle_of_a_line_can_be_discarded() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    let notes = [note(key), note(key), note(key)];
    desk.breaks(key, "out of ink");
    desk.process(&[&notes[0], &notes[1], &notes[2]]).await;
    let middle = desk.letters(&of(key)).await[1].id;
    let discarded = parking::discard(&desk.store, middle, request("said twice")).await;
    assert_eq!(discarded.expect("it can be").map(|gone| gone.left), Some(2));
    desk.mends(key);
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await.replayed, 2);
    assert_eq!(desk.written(key).await, [notes[0].offset, notes[2].offset]);
}

#[tokio::test]
async fn a_record_that_is_no_message_can_be_discarded() {
    let desk = Desk::new().await;
    let raw = Raw {
        topic: "notes".into(),
        partition: 3,
        offset: 4,
        key: Some("soup".into()),
        headers: vec![],
        payload: vec![0xff, 0x00],
        at: None,
    };
    desk.process_records(vec![Incoming::from(raw)]).await;
    let id = desk.letters(&Filter::default()).await[0].id;
    let content = parking::content(desk.store.db(), id).await;
    let content = content.expect("it can be read").expect("it is there");
    assert_eq!(
        (content.payload, content.headers),
        (vec![0xff, 0x00], json!({}))
    );
    let discarded = parking::discard(&desk.store, id, request("noise")).await;
    assert_eq!(discarded.expect("it can be").map(|gone| gone.left), Some(0));
    assert_eq!(desk.letters(&Filter::default()).await, []);
    let lines = parking::lines(desk.store.db(), &Filter::default()).await;
    assert_eq!(lines.expect("the lines can be read"), []);
}
