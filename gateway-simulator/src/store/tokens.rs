//! The table `tokens`: what stands for which kind of card.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Store, foreign};
use crate::domain::{Behaviour, Recognised};

/// A token and what it stands for.
#[derive(Debug, Clone)]
pub struct Token<'a> {
    /// The token itself.
    pub token: &'a str,
    /// The card, as far as it is kept.
    pub card: Recognised<'a>,
}

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep(&self, token: &Token<'_>, now: DateTime<Utc>) -> Result<(), DbErr> {
        let Recognised {
            behaviour,
            brand,
            last4,
        } = token.card;
        let values = [
            token.token.into(),
            behaviour.as_str().into(),
            brand.into(),
            last4.into(),
            now.into(),
        ];
        let sql = "INSERT INTO tokens (token, behaviour, brand, last4, created_at) VALUES ($1, $2, $3, $4, $5)";
        self.db
            .execute_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                sql,
                values,
            ))
            .await?;
        Ok(())
    }
}

/// How the card behind `token` behaves; nothing for a token that is not known.
pub(super) async fn behaviour(
    db: &impl ConnectionTrait,
    token: &str,
) -> Result<Option<Behaviour>, DbErr> {
    let sql = "SELECT behaviour FROM tokens WHERE token = $1";
    let row = db
        .query_one_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            [token.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let name: String = row.try_get("", "behaviour")?;
    Behaviour::named(&name)
        .map(Some)
        .ok_or_else(|| foreign("behaviour"))
}
