//! A row of the table `payment_methods`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};

use crate::domain::{Expiry, Method, Secret};

#[derive(Clone, DeriveEntityModel)]
#[sea_orm(table_name = "payment_methods")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    payment_method_id: Uuid,
    customer_id: Uuid,
    token: String,
    brand: String,
    last4: String,
    expiry_year: i16,
    expiry_month: i16,
    created_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("payment_method_id", &self.payment_method_id)
            .finish_non_exhaustive()
    }
}

impl From<Model> for Method {
    fn from(row: Model) -> Self {
        Self {
            id: row.payment_method_id.into(),
            customer_id: row.customer_id.into(),
            token: Secret::new(row.token),
            brand: row.brand,
            last4: row.last4,
            expiry: Expiry {
                year: row.expiry_year,
                month: row.expiry_month,
            },
        }
    }
}

/// Stores a new payment method.
///
/// # Errors
/// The database's.
pub async fn insert(
    db: &impl ConnectionTrait,
    method: &Method,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        payment_method_id: Set(method.id.uuid()),
        customer_id: Set(method.customer_id.uuid()),
        token: Set(method.token.expose().to_owned()),
        brand: Set(method.brand.clone()),
        last4: Set(method.last4.clone()),
        expiry_year: Set(method.expiry.year),
        expiry_month: Set(method.expiry.month),
        created_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}
