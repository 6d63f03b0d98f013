//! `POST /orders`: takes an order and begins its saga.

use axum::extract::State;
use contracts::{
    CustomerId, MenuItemId, OrderId, OrderItem, OrderState, PaymentMethodId, Quantity, RestaurantId,
};
use garde::Validate;
use messaging::{Joint, Stamp, Store, Together, UnitOfWork};
use saga_postgres::Beginning;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Keyed, Trace},
    idempotency::{Answer, Once, Taken},
};
use utoipa::ToSchema;

use crate::{
    Admission,
    domain::{Items, NewOrder, Order},
    messages::Orders,
};

/// What a customer asks for. Prices are the restaurant's business: none are taken from here.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PlaceOrder {
    #[garde(skip)]
    customer_id: CustomerId,
    #[garde(skip)]
    restaurant_id: RestaurantId,
    #[garde(skip)]
    payment_method_id: PaymentMethodId,
    /// Each dish once.
    #[garde(custom(each_dish_once))]
    #[schema(min_items = 1, max_items = 50)]
    order_items: Vec<Line>,
}

/// A dish, and how many of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Line {
    menu_item_id: MenuItemId,
    quantity: Quantity,
}

/// The order was taken. Whether it is accepted turns out within moments: see `GET /orders/{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Placed {
    order_id: OrderId,
    state: OrderState,
    /// The version of the order, to be asked for as `atLeast` where it is read.
    version: i64,
}

impl From<&Order> for Placed {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.id,
            state: order.state,
            version: order.version,
        }
    }
}

fn each_dish_once(lines: &[Line], (): &()) -> garde::Result {
    Items::check(lines.iter().map(|line| line.menu_item_id)).map_err(garde::Error::new)
}

impl PlaceOrder {
    fn into_new_order(self) -> Result<NewOrder, Problem> {
        let items = self.order_items.into_iter().map(
            |Line {
                 menu_item_id,
                 quantity,
             }| OrderItem {
                menu_item_id,
                quantity,
            },
        );
        let items = Items::new(items.collect());
        Ok(NewOrder {
            customer_id: self.customer_id,
            restaurant_id: self.restaurant_id,
            payment_method_id: self.payment_method_id,
            items: items.map_err(|error| Problem::invalid("orderItems", error.to_string()))?,
        })
    }
}

/// Where orders are taken: those that come at the same time in one transaction.
pub(super) type Desk = Together<Placing>;

/// Stores orders.
#[derive(Debug)]
pub(super) struct Placing;

/// An order to be stored, and what is answered then.
#[derive(Debug)]
pub(super) struct Placement {
    once: Once,
    answer: Answer,
    begun: Beginning<Order>,
}

impl Joint for Placing {
    type Request = Placement;
    type Answer = Result<Answer, Problem>;

    async fn together(
        &self,
        work: &mut UnitOfWork,
        placements: &[Placement],
    ) -> Result<Vec<Option<Self::Answer>>, DbErr> {
        let named: Vec<_> = placements.iter().map(|it| (&it.once, &it.answer)).collect();
        let taken = Once::take_together(work, &named).await?;
        let both = || placements.iter().zip(&taken);
        let new = both().filter(|(_, taken)| matches!(taken, Taken::New));
        Beginning::store(work, new.map(|(placement, _)| &placement.begun)).await?;
        let answer = |(placement, taken): (&Placement, Taken)| match taken {
            Taken::New => Some(Ok(placement.answer.clone())),
            Taken::Before(answer) => Some(answer),
            Taken::Busy => None,
        };
        Ok(placements.iter().zip(taken).map(answer).collect())
    }

    async fn alone(
        &self,
        work: &mut UnitOfWork,
        placement: &Placement,
    ) -> Result<Self::Answer, DbErr> {
        match placement.once.take(work, &placement.answer).await {
            Ok(None) => {
                Beginning::store(work, [&placement.begun]).await?;
                Ok(Ok(placement.answer.clone()))
            }
            Ok(Some(earlier)) => Ok(Ok(earlier)),
            Err(problem) => Ok(Err(problem)),
        }
    }
}

/// Takes an order: stores it as PENDING and asks for the verification of its customer, both or neither. While too many orders are
/// under way it answers 503 with `Retry-After`, and has done nothing; a request that was answered before gets its answer also then.
#[utoipa::path(
    post,
    path = "/orders",
    tag = "orders",
    params(Once),
    request_body = PlaceOrder,
    responses(
        (status = CREATED, body = Placed, headers(("Location" = String, description = "`/orders/{orderId}`"))),
        (status = "4XX", body = Problem),
        Once
    )
)]
pub(super) async fn place_order(
    State(store): State<Store>,
    State(desk): State<Desk>,
    State(orders): State<Orders>,
    State(admission): State<Admission>,
    Trace(trace): Trace,
    Keyed { once, body }: Keyed<PlaceOrder>,
) -> Result<Answer, Problem> {
    let new = body.into_new_order()?;
    // Until it is written down, or its transaction is not waited for any more: a connection that falls silent must not take places with it.
    let Some(_place) = admission.admit() else {
        // Who has an answer gets it also now: that the first one was lost is why he comes again.
        let answered = once.answered(&store).await?;
        return answered.ok_or_else(|| admission.refusal());
    };
    let mut stamp = Stamp::live();
    let order = Order::take(OrderId::new(stamp.new_id()), new, stamp.now);
    let begun = orders.begin(order, Some(trace), &mut stamp);
    let begun = begun.map_err(|fault| Problem::internal(&fault))?;
    let placed = Placed::from(begun.data());
    let location = format!("/orders/{}", placed.order_id);
    let answer = Answer::created(Some(location), &placed)?;
    let placement = Placement {
        once,
        answer,
        begun,
    };
    desk.ask(placement).await?
}
