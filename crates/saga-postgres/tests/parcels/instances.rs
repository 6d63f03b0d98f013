//! Several processes at the same sagas.

use messaging::Message;
use saga::{State, What};
use uuid::Uuid;

use crate::parcel::{Post, first, news};

async fn take(post: &Post, count: usize) -> Vec<Uuid> {
    let mut parcels = Vec::new();
    for _ in 0..count {
        parcels.push(post.take().await);
    }
    parcels
}

async fn answers(post: &Post, parcels: &[Uuid], kind: &str) -> Vec<Message> {
    let mut answers = Vec::new();
    for parcel in parcels {
        answers.push(post.answer(*parcel, kind).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_two_processes_hear_at_once_counts_once() {
    let (one, database) = Post::open(first()).await;
    let two = Post::on(database.store().await, first());
    let parcels = take(&one, 20).await;
    let replies = answers(&one, &parcels, "WEIGHED").await;
    let backwards: Vec<Message> = replies.iter().rev().cloned().collect();
    let (first, second) = tokio::join!(one.hear(&replies), two.hear(&backwards));
    assert_eq!(first.handled + second.handled, 20);
    for parcel in parcels {
        assert_eq!(one.said(parcel).await.len(), 2);
        assert_eq!(one.story(parcel).await.glance.instance.step, "pay");
    }
}

/// The one that waited for the other's lock must see what the other wrote, of the saga and of its data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_change_one_saga_at_once_lose_nothing() {
    let (one, database) = Post::open(first()).await;
    let two = Post::on(database.store().await, first());
    let parcels = take(&one, 20).await;
    let replies = answers(&one, &parcels, "WEIGHED").await;
    let events: Vec<Message> = parcels
        .iter()
        .rev()
        .map(|id| news(*id, "PICKED_UP"))
        .collect();
    tokio::join!(one.hear(&replies), two.hear(&events));
    let replies = answers(&one, &parcels, "PAID").await;
    one.hear(&replies).await;
    for parcel in parcels {
        let told = one.story(parcel).await;
        assert_eq!(told.glance.instance.state, State::Completed);
        let happened = told
            .records
            .iter()
            .filter(|record| record.what == What::Happened)
            .count();
        assert_eq!(happened, 1);
        let versions: Vec<i64> = one
            .said(parcel)
            .await
            .iter()
            .map(|told| told.sequence)
            .collect();
        assert_eq!(versions, [1, 2]);
    }
}
