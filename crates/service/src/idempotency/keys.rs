//! The table `idempotency_keys`: who asked for what under which key, and what was answered.

use std::{convert::Infallible, time::Duration};

use axum::http::StatusCode;
use futures_util::FutureExt;
use messaging::{
    Store, Verdict, judge,
    retention::{self, Days},
    sql,
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement,
};
use uuid::Uuid;

use super::{answer::Answer, fingerprint::Fingerprint};
use crate::{Context, Problem, Settings, extract::IdempotencyKey};

/// When a client should ask again whose first request is still under way.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A request that its client has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// Method and path.
    pub(super) operation: String,
    pub(super) key: String,
    pub(super) fingerprint: Fingerprint,
}

/// What is written under a key when it is taken.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// How the request is answered, if this transaction commits.
    Answer(&'a Answer),
    /// The request is worked on, and nobody else may for so long.
    Reservation(Uuid, Duration),
}

#[derive(Debug, FromQueryResult)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i16>,
    location: Option<String>,
    body: Option<String>,
}

const TAKE: &str = "SELECT fingerprint, status, location, body FROM idempotency_take($1, $2, $3, $4, $5, $6, $7, $8)";

/// Takes the key for this request: gives nothing, or the answer that a request of this key got before. Another
/// request of this key that is just being done is waited for.
///
/// It is done and undone with the transaction. Nobody else can take the key before that ends.
pub(super) async fn take(
    db: &DatabaseTransaction,
    claim: &Claim,
    entry: Entry<'_>,
) -> Result<Option<Answer>, Problem> {
    let (answer, reservation) = match entry {
        Entry::Answer(answer) => (Some(answer), None),
        Entry::Reservation(id, lease) => (None, Some((id, milliseconds(lease)))),
    };
    let values = [
        claim.operation.as_str().into(),
        claim.key.as_str().into(),
        claim.fingerprint.to_vec().into(),
        answer.map(status).into(),
        answer.and_then(|answer| answer.location.clone()).into(),
        answer.map(|answer| answer.body.clone()).into(),
        reservation.map(|(id, _)| id).into(),
        reservation.map(|(_, lease)| lease).into(),
    ];
    let take = Statement::from_sql_and_values(DbBackend::Postgres, TAKE, values);
    match Row::find_by_statement(take).one(db).await {
        Ok(None) => Ok(None),
        Ok(Some(known)) => known.answer_to(claim).map(Some),
        // It was waited for, and not long enough.
        Err(error) if judge(&error) == Verdict::Conflict => Err(under_way()),
        Err(error) => Err(error.into()),
    }
}

const FIND: &str = "SELECT fingerprint, status, location, body FROM idempotency_keys WHERE operation = $1 AND key = $2";

/// The answer that a request of this key got before, if there is one that is committed.
pub(super) async fn find(
    db: &DatabaseConnection,
    claim: &Claim,
) -> Result<Option<Answer>, Problem> {
    let values = [claim.operation.as_str().into(), claim.key.as_str().into()];
    let find = Statement::from_sql_and_values(DbBackend::Postgres, FIND, values);
    let known = Row::find_by_statement(find).one(db).await?;
    known.map(|known| known.answer_to(claim)).transpose()
}

/// What became of a key that was to be taken together with others.
#[derive(Debug)]
pub enum Taken {
    /// The request is new: its work is to be done in this transaction.
    New,
    /// The key got this answer before, or cannot get one for this request.
    Before(Result<Answer, Problem>),
    /// Somebody else is at the key: to be tried again in a transaction of its own, which waits.
    Busy,
}

#[derive(Debug, FromQueryResult)]
struct Place {
    place: i32,
    fingerprint: Option<Vec<u8>>,
    status: Option<i16>,
    location: Option<String>,
    body: Option<String>,
}

const TAKE_TOGETHER: &str = "SELECT place, fingerprint, status, location, body FROM idempotency_take_together($1, $2, $3, $4, $5, $6)";

/// Takes the keys of several requests, each with its answer, in one statement that waits for nobody.
pub(super) async fn take_together(
    db: &DatabaseTransaction,
    claims: &[(&Claim, &Answer)],
) -> Result<Vec<Taken>, DbErr> {
    let mut taken: Vec<Taken> = claims.iter().map(|_| Taken::New).collect();
    let all = || claims.iter().map(|(claim, _)| claim);
    let answers = || claims.iter().map(|(_, answer)| answer);
    let values = [
        sql::texts(all().map(|claim| &claim.operation)),
        sql::texts(all().map(|claim| &claim.key)),
        sql::texts(all().map(|claim| hex(&claim.fingerprint))),
        sql::smallints(answers().map(|answer| status(answer))),
        sql::optional_texts(answers().map(|answer| answer.location.as_deref())),
        sql::texts(answers().map(|answer| &answer.body)),
    ];
    let take = Statement::from_sql_and_values(DbBackend::Postgres, TAKE_TOGETHER, values);
    for place in Place::find_by_statement(take).all(db).await? {
        let index = usize::try_from(place.place - 1).ok();
        let found = index.and_then(|index| Some((claims.get(index)?.0, taken.get_mut(index)?)));
        let Some((claim, place_taken)) = found else {
            return Err(DbErr::Type("idempotency_take_together.place".to_owned()));
        };
        *place_taken = match place {
            Place {
                fingerprint: Some(fingerprint),
                status,
                location,
                body,
                ..
            } if status.is_some() => Taken::Before(
                Row {
                    fingerprint,
                    status,
                    location,
                    body,
                }
                .answer_to(claim),
            ),
            _ => Taken::Busy,
        };
    }
    Ok(taken)
}

fn hex(fingerprint: &Fingerprint) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Row {
    /// What is answered to one more request of this key.
    fn answer_to(self, claim: &Claim) -> Result<Answer, Problem> {
        if self.fingerprint != claim.fingerprint {
            let detail = "was used for a request with another body";
            return Err(Problem::invalid(IdempotencyKey::HEADER, detail));
        }
        let (Some(status), Some(body)) = (self.status, self.body) else {
            return Err(under_way());
        };
        let status = u16::try_from(status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        metrics::counter!("idempotent_replays_total").increment(1);
        Ok(Answer {
            status: status.ok_or_else(|| DbErr::Type("idempotency_keys.status".to_owned()))?,
            location: self.location,
            body,
            replayed: true,
        })
    }
}

const ANSWER: &str = "\
UPDATE idempotency_keys
SET status = $4, location = $5, body = $6, reservation = NULL, reserved_until = NULL
WHERE operation = $1 AND key = $2 AND reservation = $3";

/// Writes the answer in the place of a reservation. Gives whether it was still there: its time may have passed, and
/// somebody else may have gone on.
pub(super) async fn answer(
    db: &DatabaseTransaction,
    claim: &Claim,
    reservation: Uuid,
    answer: &Answer,
) -> Result<bool, DbErr> {
    let values = [
        claim.operation.as_str().into(),
        claim.key.as_str().into(),
        reservation.into(),
        status(answer).into(),
        answer.location.clone().into(),
        answer.body.as_str().into(),
    ];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, ANSWER, values);
    Ok(db.execute_raw(update).await?.rows_affected() == 1)
}

/// Gives a key back that was reserved and not answered.
pub(super) async fn release(
    db: &DatabaseConnection,
    claim: &Claim,
    reservation: Uuid,
) -> Result<(), DbErr> {
    let delete =
        "DELETE FROM idempotency_keys WHERE operation = $1 AND key = $2 AND reservation = $3";
    let values = [
        claim.operation.as_str().into(),
        claim.key.as_str().into(),
        reservation.into(),
    ];
    let delete = Statement::from_sql_and_values(DbBackend::Postgres, delete, values);
    db.execute_raw(delete).await.map(drop)
}

/// 409: the first request of this key is still being worked on.
pub(super) fn under_way() -> Problem {
    let detail = "a request with this key is under way; ask again in a moment";
    Problem::conflict(format!("{}: {detail}", IdempotencyKey::HEADER))
        .with(IdempotencyKey::HEADER, detail)
        .worth_another_try(RETRY_AFTER)
}

/// Forgets keys by the day, as long as the process runs: none before [`Settings::idempotency_days`] whole days have passed.
pub fn forget(context: &Context, settings: &Settings, store: &Store) {
    let days = Days {
        table: "idempotency_keys",
        keep: settings.idempotency_days,
    };
    let forgetting = retention::maintain(store.clone(), days, context.shutdown.clone());
    context.spawn("keys", forgetting.map(Ok::<_, Infallible>));
}

fn status(answer: &Answer) -> i16 {
    i16::try_from(answer.status.as_u16()).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
