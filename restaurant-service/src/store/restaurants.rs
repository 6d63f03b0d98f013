//! Restaurants and their menus.

use std::collections::{HashMap, HashSet};

use contracts::{CreateTicket, MenuItemId, RestaurantId};
use messaging::sql;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use super::{item, restaurant};
use crate::domain::{Menu, MenuItem, Restaurant};

/// Adds a restaurant.
///
/// # Errors
/// The database's.
pub async fn insert(db: &impl ConnectionTrait, restaurant: &Restaurant) -> Result<(), DbErr> {
    restaurant::ActiveModel::try_from(restaurant)?
        .insert(db)
        .await
        .map(drop)
}

/// The restaurant of this id.
///
/// # Errors
/// The database's.
pub async fn find(
    db: &impl ConnectionTrait,
    id: RestaurantId,
) -> Result<Option<Restaurant>, DbErr> {
    restaurant::Entity::find_by_id(id.uuid())
        .one(db)
        .await?
        .map(Restaurant::try_from)
        .transpose()
}

/// At most `limit` restaurants by id, behind `after`.
///
/// # Errors
/// The database's.
pub async fn list(
    db: &DatabaseConnection,
    after: Option<RestaurantId>,
    limit: u64,
) -> Result<Vec<Restaurant>, DbErr> {
    let mut restaurants = restaurant::Entity::find()
        .order_by_asc(restaurant::Column::RestaurantId)
        .limit(limit);
    if let Some(after) = after {
        restaurants = restaurants.filter(restaurant::Column::RestaurantId.gt(after.uuid()));
    }
    restaurants
        .all(db)
        .await?
        .into_iter()
        .map(Restaurant::try_from)
        .collect()
}

/// The restaurants that new orders are for, with those of their dishes that were ordered. Two round trips for a batch;
/// none for a batch without new orders.
///
/// # Errors
/// The database's.
pub async fn of_orders(
    db: &DatabaseTransaction,
    orders: &[CreateTicket],
) -> Result<HashMap<RestaurantId, (Restaurant, Menu)>, DbErr> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = sql::uuids(orders.iter().map(|order| order.restaurant_id.uuid()));
    let dishes: Vec<Uuid> = orders
        .iter()
        .flat_map(|order| &order.items)
        .map(|item| item.menu_item_id.uuid())
        .collect();
    let select = "SELECT * FROM restaurants WHERE restaurant_id = ANY($1::uuid[])";
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, [ids]);
    let rows = restaurant::Entity::find()
        .from_raw_sql(select)
        .all(db)
        .await?;
    let select = "SELECT * FROM menu_items WHERE menu_item_id = ANY($1::uuid[])";
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, [sql::uuids(dishes)]);
    let items = item::Entity::find().from_raw_sql(select).all(db).await?;

    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let restaurant = Restaurant::try_from(row)?;
        found.insert(restaurant.restaurant_id, (restaurant, Menu::default()));
    }
    for item in items {
        if let Some((restaurant, menu)) = found.get_mut(&item.restaurant_id.into()) {
            menu.add(item.priced_in(restaurant.currency)?);
        }
    }
    Ok(found)
}

/// The restaurant's menu, in its order.
///
/// # Errors
/// The database's.
pub async fn menu(
    db: &impl ConnectionTrait,
    restaurant: &Restaurant,
) -> Result<Vec<MenuItem>, DbErr> {
    let items = item::Entity::find()
        .filter(item::Column::RestaurantId.eq(restaurant.restaurant_id.uuid()))
        .order_by_asc(item::Column::Place);
    items
        .all(db)
        .await?
        .into_iter()
        .map(|item| item.priced_in(restaurant.currency))
        .collect()
}

/// Locks the restaurant, so that its menu is replaced by one at a time.
///
/// # Errors
/// The database's.
pub async fn lock(db: &DatabaseTransaction, id: RestaurantId) -> Result<Option<Restaurant>, DbErr> {
    let row = restaurant::Entity::find_by_id(id.uuid())
        .lock_exclusive()
        .one(db)
        .await?;
    row.map(Restaurant::try_from).transpose()
}

/// In the order of the ids, so that two restaurants that claim the same ones never wait for each other in a circle.
const REPLACE: &str = "\
WITH gone AS (
    DELETE FROM menu_items WHERE restaurant_id = $1 AND NOT (menu_item_id = ANY($2::uuid[]))
)
INSERT INTO menu_items (restaurant_id, menu_item_id, place, name, price, available)
SELECT $1, menu_item_id, place, name, price, available
FROM (SELECT
    unnest($2::uuid[]) AS menu_item_id, unnest($3::int[]) AS place, unnest($4::text[]) AS name, unnest($5::bigint[]) AS price,
    unnest($6::bool[]) AS available
) AS new
ORDER BY menu_item_id
ON CONFLICT (menu_item_id) DO UPDATE
SET place = excluded.place, name = excluded.name, price = excluded.price, available = excluded.available
WHERE menu_items.restaurant_id = excluded.restaurant_id
RETURNING menu_item_id";

/// Makes `items` the menu of the restaurant, which must be locked. Gives those that are dishes of another restaurant:
/// where there are any, the transaction must be rolled back. Postgres tells them while it writes, so that of two
/// restaurants that claim a dish at the same time one is told, too.
///
/// # Errors
/// The database's.
pub async fn replace_menu(
    db: &DatabaseTransaction,
    restaurant: RestaurantId,
    items: &[MenuItem],
) -> Result<Vec<MenuItemId>, DbErr> {
    let values = vec![
        restaurant.uuid().into(),
        sql::uuids(ids(items)),
        sql::ints((0..).take(items.len())),
        sql::texts(items.iter().map(|item| &item.name)),
        sql::bigints(items.iter().map(|item| item.price.amount())),
        sql::booleans(items.iter().map(|item| item.available)),
    ];
    let replace = Statement::from_sql_and_values(DbBackend::Postgres, REPLACE, values);
    let written = db.query_all_raw(replace).await?;
    let written: HashSet<Uuid> = written
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?;
    let foreign = ids(items).filter(|id| !written.contains(id));
    Ok(foreign.map(MenuItemId::from).collect())
}

fn ids(items: &[MenuItem]) -> impl Iterator<Item = Uuid> + '_ {
    items.iter().map(|item| item.menu_item_id.uuid())
}
