//! What restaurateurs do, and what they may not.

use serde_json::{Value, json};

use crate::support::Restaurants;

fn price(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

#[tokio::test]
async fn a_restaurant_is_found_and_listed() {
    let restaurants = Restaurants::open().await;
    let hours = json!([{ "day": "MONDAY", "opens": "11:00", "closes": "24:00" }]);
    let body = json!({ "name": "Osteria", "currency": "EUR", "minimumOrder": price(500), "openingHours": hours });
    let (status, new) = restaurants.client.post("/restaurants", &body).await;
    assert_eq!(status, 201, "{new}");
    let path = format!("/restaurants/{}", new["restaurantId"].as_str().unwrap());
    assert_eq!(restaurants.client.get(&path).await, (200, new.clone()));
    assert_eq!(new["openingHours"], hours);
    restaurants.restaurant(json!({})).await;
    let (_, first) = restaurants.client.get("/restaurants?limit=1").await;
    assert_eq!(first["restaurants"], json!([new]));
    let next = format!(
        "/restaurants?limit=5&cursor={}",
        first["next"].as_str().unwrap()
    );
    let (_, second) = restaurants.client.get(&next).await;
    assert_eq!(second["restaurants"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_restaurant_that_is_added_again_with_the_same_key_is_the_same_restaurant() {
    let restaurants = Restaurants::open().await;
    let hours = json!([{ "day": "FRIDAY", "opens": "11:30", "closes": "24:00" }]);
    let body = json!({ "openingHours": hours, "name": "Trattoria", "currency": "EUR" });
    let add = async |body: &Value| {
        let body = body.to_string();
        restaurants.client.post_as("k", "/restaurants", &body).await
    };
    let (first, again) = (add(&body).await, add(&body).await);
    assert_eq!(first.status(), 201);
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["location"], first.headers()["location"]);
    assert_eq!(again.body(), first.body());
    let other = json!({ "name": "Trattoria", "currency": "EUR" });
    assert_eq!(add(&other).await.status(), 422);
    let (_, all) = restaurants.client.get("/restaurants").await;
    assert_eq!(all["restaurants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_menu_keeps_its_order_and_the_ids_that_it_is_given() {
    let restaurants = Restaurants::open().await;
    let restaurant = restaurants.restaurant(json!({})).await;
    let path = format!("/restaurants/{}/menu", restaurant.id.as_str().unwrap());
    let items = json!([
        { "name": "Bread", "price": price(300) },
        { "menuItemId": restaurant.soup, "name": "Better soup", "price": price(1300), "available": false },
    ]);
    let (status, menu) = restaurants
        .client
        .ask("PUT", &path, Some(&json!({ "items": items })))
        .await;
    assert_eq!(status, 200, "{menu}");
    assert_eq!(restaurants.client.get(&path).await, (200, menu.clone()));
    assert_eq!(menu["items"][1]["menuItemId"], restaurant.soup);
    assert_eq!(
        (&menu["items"][1]["name"], &menu["items"][1]["available"]),
        (&json!("Better soup"), &json!(false))
    );
}

#[tokio::test]
async fn bad_input_names_the_field_and_stores_nothing() {
    let restaurants = Restaurants::open().await;
    let (restaurant, other) = (
        restaurants.restaurant(json!({})).await,
        restaurants.restaurant(json!({})).await,
    );
    let menu = format!("/restaurants/{}/menu", restaurant.id.as_str().unwrap());
    let (_, before) = restaurants.client.get(&menu).await;
    let dish = |fields: Value| {
        let mut dish = json!({ "name": "Soup", "price": price(1) });
        dish.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({ "items": [{ "name": "Bread", "price": price(1) }, dish] })
    };
    let usd = json!({ "amount": 1, "currency": "USD" });
    let hours = |opens: &str, closes: &str| json!({ "name": "X", "currency": "EUR", "openingHours": [{ "day": "MONDAY", "opens": opens, "closes": closes }] });
    for (method, path, body, field) in [
        (
            "POST",
            "/restaurants",
            json!({ "name": " ", "currency": "EUR" }),
            "name",
        ),
        (
            "POST",
            "/restaurants",
            json!({ "name": "X", "currency": "eur" }),
            "currency",
        ),
        (
            "POST",
            "/restaurants",
            json!({ "name": "X", "currency": "EUR", "stars": 3 }),
            "stars",
        ),
        (
            "POST",
            "/restaurants",
            json!({ "name": "X", "currency": "EUR", "minimumOrder": usd }),
            "minimumOrder",
        ),
        (
            "POST",
            "/restaurants",
            hours("11:00", "25:00"),
            "openingHours[0].closes",
        ),
        (
            "POST",
            "/restaurants",
            hours("11:00", "11:00"),
            "openingHours",
        ),
        (
            "PUT",
            &menu,
            dish(json!({ "price": price(-1) })),
            "items[1].price",
        ),
        (
            "PUT",
            &menu,
            dish(json!({ "price": usd })),
            "items[1].price.currency",
        ),
        ("PUT", &menu, dish(json!({ "name": "" })), "items[1].name"),
        (
            "PUT",
            &menu,
            dish(json!({ "menuItemId": "soup" })),
            "items[1].menuItemId",
        ),
        (
            "PUT",
            &menu,
            dish(json!({ "menuItemId": other.soup })),
            "items[1].menuItemId",
        ),
        (
            "PUT",
            &menu,
            dish(json!({ "colour": "red" })),
            "items[1].colour",
        ),
    ] {
        let (status, problem) = restaurants.client.ask(method, path, Some(&body)).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}: {problem}"
        );
    }
    assert_eq!(restaurants.client.get(&menu).await.1, before);
    let (_, all) = restaurants.client.get("/restaurants").await;
    assert_eq!(all["restaurants"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_dish_that_two_restaurants_claim_at_once_becomes_one_restaurants_dish() {
    let restaurants = Restaurants::open().await;
    let one = restaurants.restaurant(json!({})).await;
    let other = restaurants.restaurant(json!({})).await;
    let path = |id: &Value| format!("/restaurants/{}/menu", id.as_str().unwrap());
    for _ in 0..10 {
        let dish = json!({ "menuItemId": ambient::new_id(), "name": "Pie", "price": price(900) });
        let menu = json!({ "items": [dish] });
        let claim = |id| {
            let (path, menu, client) = (path(id), &menu, &restaurants.client);
            async move { client.ask("PUT", &path, Some(menu)).await }
        };
        let (first, second) = tokio::join!(claim(&one.id), claim(&other.id));
        let (won, lost) = if first.0 == 200 {
            (first, second)
        } else {
            (second, first)
        };
        assert_eq!((won.0, lost.0), (200, 422), "{}", lost.1);
        assert_eq!(lost.1["errors"][0]["field"], "items[0].menuItemId");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let restaurants = Restaurants::open().await;
    let id = ambient::new_id();
    for path in [
        format!("/restaurants/{id}"),
        format!("/restaurants/{id}/menu"),
        format!("/tickets/{id}"),
    ] {
        assert_eq!(restaurants.client.get(&path).await.0, 404, "{path}");
    }
    let menu = format!("/restaurants/{id}/menu");
    assert_eq!(
        restaurants
            .client
            .ask("PUT", &menu, Some(&json!({ "items": [] })))
            .await
            .0,
        404
    );
    assert_eq!(restaurants.client.get("/restaurants/nonsense").await.0, 400);
}
