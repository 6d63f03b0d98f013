//! Sagas finish on the definition that they began with.

use saga::{State, What};
use saga_postgres::{Definitions, story};

use crate::parcel::{Post, first, news, second};

#[tokio::test]
async fn a_saga_is_stored_with_its_data_and_its_history_and_read_back() {
    let (post, _database) = Post::open(first()).await;
    let parcel = post.take().await;
    post.hear(&[
        news(parcel, "PICKED_UP"),
        post.answer(parcel, "WEIGHED").await,
    ])
    .await;
    let told = post.story(parcel).await;
    assert_eq!(
        (
            told.glance.instance.state,
            told.glance.instance.step.as_str()
        ),
        (State::Forward, "pay")
    );
    assert_eq!(told.glance.instance.memory.kept.len(), 1);
    let what: Vec<What> = told.records.iter().map(|record| record.what).collect();
    assert_eq!(what, [What::Sent, What::Kept, What::Granted, What::Sent]);
    assert_eq!(post.said(parcel).await[1].body, r#"{"grams":500}"#);
    post.hear(&[post.answer(parcel, "PAID").await]).await;
    assert_eq!(
        post.story(parcel).await.glance.instance.state,
        State::Completed
    );
}

#[tokio::test]
async fn what_is_undone_is_remembered_across_restarts() {
    let (post, database) = Post::open(first()).await;
    let parcel = post.take().await;
    post.hear(&[post.answer(parcel, "WEIGHED").await]).await;
    post.hear(&[post.answer(parcel, "BROKE").await]).await;
    assert_eq!(
        post.story(parcel).await.glance.instance.state,
        State::Backward
    );
    let later = Post::on(database.store().await, first());
    later.hear(&[later.answer(parcel, "RETURNED").await]).await;
    assert_eq!(
        later.story(parcel).await.glance.instance.state,
        State::RolledBack
    );
}

#[tokio::test]
async fn an_old_saga_finishes_on_the_definition_that_it_began_with() {
    let (old, database) = Post::open(first()).await;
    let before = old.take().await;
    let both = Definitions::from(second()).and(first()).unwrap();
    let new = Post::on(database.store().await, both);
    let after = new.take().await;
    assert_eq!(new.story(after).await.glance.instance.step, "pay");
    new.hear(&[new.answer(before, "WEIGHED").await]).await;
    assert_eq!(new.story(before).await.glance.instance.version, 1);
    assert_eq!(new.story(before).await.glance.instance.step, "pay");
}

#[tokio::test]
async fn a_saga_whose_definition_is_gone_waits_for_it() {
    let (old, database) = Post::open(first()).await;
    let parcel = old.take().await;
    let new = Post::on(database.store().await, second());
    let report = new.hear(&[old.answer(parcel, "WEIGHED").await]).await;
    assert_eq!((report.handled, report.parked), (0, 1));
    assert_eq!(new.story(parcel).await.glance.instance.step, "weigh");
}

#[test]
fn two_definitions_cannot_have_one_version() {
    let twice = Definitions::from(first()).and(first()).err().unwrap();
    assert!(
        twice
            .to_string()
            .contains(r#""parcel" has version 1 already"#)
    );
}

#[tokio::test]
async fn a_saga_that_never_began_has_no_story() {
    let (post, _database) = Post::open(first()).await;
    assert_eq!(
        story(post.store.db(), ambient::new_id()).await.unwrap(),
        None
    );
}
