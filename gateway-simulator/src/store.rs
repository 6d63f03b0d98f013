//! Tokens, authorisations and the ledger in Postgres.

mod answers;
mod authorisations;
mod deed;
mod ledger;
mod tokens;

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use uuid::Uuid;

pub use ledger::{Line, Reference, Span, Summary, Total};
pub use tokens::Token;

use deed::Deed;

use crate::domain::{Answer, Authorisation, Behaviour, Command, Illegal};

/// The simulator's database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: DatabaseConnection,
}

/// Who asks, when, and the id for what comes into being.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The idempotency key.
    pub key: String,
    /// The time.
    pub now: DateTime<Utc>,
    /// A fresh id.
    pub id: Uuid,
}

/// What was done, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// What to answer.
    pub answer: Answer,
    /// How the card behaves.
    pub behaviour: Behaviour,
    /// Whether the same was asked before with the same key, so that nothing was done now.
    pub repeated: bool,
}

/// Why a command was not executed. Nothing was written then, and its key is free.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token is not known.
    #[error("the token is not known")]
    UnknownToken,
    /// The authorisation is not known.
    #[error("authorisation {0} is not known")]
    UnknownAuthorisation(Uuid),
    /// The key belongs to another request.
    #[error("the idempotency key was used for another request")]
    KeyTaken,
    /// The authorisation's state does not allow it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
}

impl Store {
    /// The store in this database.
    #[must_use]
    pub const fn new(db: DatabaseConnection) -> Self {
        Self { db }
    }

    /// Executes `command` once per key, also when it is asked several times at once: the others wait, and get the same
    /// answer. State, ledger and answer are written together.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn execute(&self, command: Command, stamp: &Stamp) -> Result<Executed, Error> {
        let tx = self.begin().await?;
        let executed = execute(&tx, command, stamp).await;
        match executed {
            Ok(Executed {
                repeated: false, ..
            }) => tx.commit().await?,
            _ => tx.rollback().await?,
        }
        executed
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a gateway publishes nothing, so it has no outbox; and its handlers run in tasks that nobody cancels"
    )]
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.db.begin().await
    }
}

async fn execute(
    tx: &DatabaseTransaction,
    command: Command,
    stamp: &Stamp,
) -> Result<Executed, Error> {
    let request = command.to_string();
    let decided = decide(tx, command, stamp).await;
    if let Ok(deed) = &decided
        && deed::write(tx, deed, &request, stamp).await?
    {
        return Ok(Executed {
            answer: deed.answer.clone(),
            behaviour: deed.behaviour,
            repeated: false,
        });
    }
    // The key was used before; or it cannot be done, perhaps because it is done already.
    let Some(earlier) = answers::find(tx, stamp).await? else {
        return match decided {
            Err(error) => Err(error),
            Ok(_) => Err(foreign("key").into()),
        };
    };
    if earlier.request != request {
        return Err(Error::KeyTaken);
    }
    let answer = earlier.answer()?;
    let (_, card) = authorisations::lock(tx, answer.authorisation_id).await?;
    Ok(Executed {
        answer,
        behaviour: card.behaviour,
        repeated: true,
    })
}

/// Reads what the command is about, and decides. An authorisation is locked until the transaction ends.
async fn decide(tx: &DatabaseTransaction, command: Command, stamp: &Stamp) -> Result<Deed, Error> {
    match command {
        Command::Authorise {
            token,
            reference,
            amount,
        } => {
            let behaviour = tokens::behaviour(tx, &token)
                .await?
                .ok_or(Error::UnknownToken)?;
            let (authorisation, reason) =
                Authorisation::decide(stamp.id, behaviour, reference, amount);
            Ok(Deed {
                answer: Answer::decided(&authorisation, reason),
                authorisation,
                token,
                behaviour,
            })
        }
        Command::Act {
            action,
            authorisation,
        } => {
            let (mut authorisation, card) = authorisations::lock(tx, authorisation).await?;
            authorisation.apply(action)?;
            Ok(Deed {
                answer: Answer::done(&authorisation),
                authorisation,
                token: card.token,
                behaviour: card.behaviour,
            })
        }
    }
}

/// What is in the database and not in the domain: somebody else wrote it.
fn foreign(what: &str) -> DbErr {
    DbErr::Type(format!("the database holds an unknown {what}"))
}
