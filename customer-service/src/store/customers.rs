//! The table `customers`.

use chrono::{DateTime, Utc};
use contracts::CustomerId;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement};
use uuid::Uuid;

use crate::domain::{Customer, CustomerState};

/// A row.
#[derive(Debug, FromQueryResult)]
struct Row {
    customer_id: Uuid,
    name: String,
    email: String,
    state: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Customer {
    type Error = DbErr;

    fn try_from(row: Row) -> Result<Self, DbErr> {
        Ok(Self {
            customer_id: row.customer_id.into(),
            name: row.name,
            email: row.email,
            state: parse(&row.state)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Reads a state as the database keeps it.
pub(super) fn parse(state: &str) -> Result<CustomerState, DbErr> {
    state
        .parse()
        .map_err(|error| DbErr::Type(format!("customers.state: {error}")))
}

/// Saves a new customer.
///
/// # Errors
/// The database's.
pub async fn insert(db: &impl ConnectionTrait, customer: &Customer) -> Result<(), DbErr> {
    let insert = "INSERT INTO customers \
                  (customer_id, name, email, state, version, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        customer.customer_id.uuid().into(),
        customer.name.as_str().into(),
        customer.email.as_str().into(),
        customer.state.as_str().into(),
        customer.version.into(),
        customer.created_at.into(),
        customer.updated_at.into(),
    ];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, insert, values);
    db.execute_raw(insert).await?;
    Ok(())
}

/// The customer of this id.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, id: CustomerId) -> Result<Option<Customer>, DbErr> {
    let select = "SELECT * FROM customers WHERE customer_id = $1";
    one(db, select, vec![id.uuid().into()]).await
}

/// Lets the customer have this state, and gives the customer. One who has it already is not changed.
///
/// # Errors
/// The database's.
pub async fn change_state(
    db: &DatabaseConnection,
    id: CustomerId,
    state: CustomerState,
    now: DateTime<Utc>,
) -> Result<Option<Customer>, DbErr> {
    let update = "UPDATE customers SET state = $2, \
                  version = version + (state <> $2)::int, \
                  updated_at = CASE WHEN state = $2 THEN updated_at ELSE $3 END \
                  WHERE customer_id = $1 RETURNING *";
    one(
        db,
        update,
        vec![id.uuid().into(), state.as_str().into(), now.into()],
    )
    .await
}

async fn one(
    db: &DatabaseConnection,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Option<Customer>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = Row::find_by_statement(statement).one(db).await?;
    row.map(Customer::try_from).transpose()
}
