//! The table `ledger`: everything that ever happened, in its order, never changed.

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement};
use serde::Serialize;
use uuid::Uuid;

use super::Store;

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// `HOLD`, `DECLINE`, `CHARGE`, `VOID` or `REFUND`.
    pub kind: String,
    /// The authorisation that it happened to.
    pub authorisation_id: Uuid,
    /// What the merchant calls it.
    pub reference: String,
    /// How many minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The key that it was asked for with.
    pub idempotency_key: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A reference with all its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reference {
    /// What the merchant calls it.
    pub reference: String,
    /// In the order in which they happened.
    pub entries: Vec<Line>,
}

/// Which references.
#[derive(Debug, Clone, Default)]
pub struct Span {
    /// Only those behind this one.
    pub after: Option<String>,
    /// Only those up to this one.
    pub up_to: Option<String>,
    /// How many at most.
    pub limit: u16,
}

/// All entries of one kind and currency.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult, Serialize, utoipa::ToSchema)]
pub struct Total {
    /// `HOLD`, `DECLINE`, `CHARGE`, `VOID` or `REFUND`.
    pub kind: String,
    /// ISO 4217.
    pub currency: String,
    /// How many entries.
    pub count: i64,
    /// The sum of their amounts, in minor units.
    pub amount: i64,
}

/// The whole ledger on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Per kind and currency.
    pub totals: Vec<Total>,
    /// How many references have anything in the ledger.
    pub references: i64,
    /// How many references were held more than once.
    pub double_holds: i64,
    /// How many references were charged more than once.
    pub double_charges: i64,
}

#[derive(Debug, FromQueryResult)]
struct Doubles {
    number: i64,
    double_holds: i64,
    double_charges: i64,
}

impl Store {
    /// What happened under `reference`, in its order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lines(&self, reference: &str) -> Result<Vec<Line>, DbErr> {
        let sql = "SELECT kind, authorisation_id, reference, amount, currency, idempotency_key, at \
                   FROM ledger WHERE reference = $1 ORDER BY entry_id";
        let statement =
            Statement::from_sql_and_values(DbBackend::Postgres, sql, [reference.into()]);
        Line::find_by_statement(statement).all(&self.db).await
    }

    /// Some references, in their order, each with everything that happened under it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn references(&self, span: Span) -> Result<Vec<Reference>, DbErr> {
        // Both are ranges of the index, however large the ledger and whatever is guessed about it.
        let sql = "WITH page AS (SELECT DISTINCT reference FROM ledger WHERE reference > $1 AND reference <= $2 \
                                 ORDER BY reference LIMIT $3) \
                   SELECT kind, authorisation_id, reference, amount, currency, idempotency_key, at FROM ledger \
                   WHERE reference > $1 AND reference <= (SELECT max(reference) FROM page) ORDER BY reference, entry_id";
        let Span {
            after,
            up_to,
            limit,
        } = span;
        let values = [
            after.unwrap_or_default().into(),
            up_to.unwrap_or_else(|| char::MAX.to_string()).into(),
            i64::from(limit).into(),
        ];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let mut references: Vec<Reference> = Vec::new();
        for line in Line::find_by_statement(statement).all(&self.db).await? {
            match references.last_mut() {
                Some(last) if last.reference == line.reference => last.entries.push(line),
                _ => references.push(Reference {
                    reference: line.reference.clone(),
                    entries: vec![line],
                }),
            }
        }
        Ok(references)
    }

    /// The whole ledger on one page.
    ///
    /// # Errors
    /// The database failed.
    pub async fn summary(&self) -> Result<Summary, DbErr> {
        let totals = "SELECT kind, currency, count(*) AS count, sum(amount)::bigint AS amount \
                      FROM ledger GROUP BY kind, currency ORDER BY kind, currency";
        let totals = Total::find_by_statement(Statement::from_string(DbBackend::Postgres, totals));
        let doubles = "SELECT count(*) AS number, count(*) FILTER (WHERE holds > 1) AS double_holds, \
                              count(*) FILTER (WHERE charges > 1) AS double_charges \
                       FROM (SELECT count(*) FILTER (WHERE kind = 'HOLD') AS holds, \
                                    count(*) FILTER (WHERE kind = 'CHARGE') AS charges \
                             FROM ledger GROUP BY reference) AS by_reference";
        let doubles =
            Doubles::find_by_statement(Statement::from_string(DbBackend::Postgres, doubles));
        let totals = totals.all(&self.db).await?;
        let doubles = doubles.one(&self.db).await?;
        let Doubles {
            number,
            double_holds,
            double_charges,
        } = doubles.ok_or_else(|| super::foreign("summary"))?;
        Ok(Summary {
            totals,
            references: number,
            double_holds,
            double_charges,
        })
    }
}
