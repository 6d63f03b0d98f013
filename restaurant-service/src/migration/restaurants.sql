CREATE TABLE restaurants (
    restaurant_id uuid        PRIMARY KEY,
    name          text        NOT NULL,
    currency      text        NOT NULL,
    minimum_order bigint,
    opening_hours jsonb,
    created_at    timestamptz NOT NULL
);
COMMENT ON COLUMN restaurants.minimum_order IS 'in minor units of the currency';
COMMENT ON COLUMN restaurants.opening_hours IS 'null: always open; empty: closed';

CREATE TABLE menu_items (
    menu_item_id  uuid    PRIMARY KEY,
    restaurant_id uuid    NOT NULL REFERENCES restaurants,
    place         integer NOT NULL,
    name          text    NOT NULL,
    price         bigint  NOT NULL CHECK (price >= 0),
    available     boolean NOT NULL
);
CREATE INDEX menu_items_restaurant ON menu_items (restaurant_id, place);

-- One row per order: the order id is what makes a ticket happen once. A refusal is a ticket, too.
CREATE TABLE tickets (
    order_id      uuid        PRIMARY KEY,
    ticket_id     uuid        NOT NULL UNIQUE,
    restaurant_id uuid        NOT NULL,
    state         text        NOT NULL
        CHECK (state IN ('PENDING', 'ACCEPTED', 'PREPARING', 'READY', 'PICKEDUP', 'COMPLETE', 'REJECTED', 'CANCELLED')),
    version       bigint      NOT NULL CHECK (version > 0),
    items         jsonb       NOT NULL,
    total         jsonb,
    reason        jsonb,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK (total IS NOT NULL OR state = 'REJECTED')
) WITH (fillfactor = 70);
COMMENT ON COLUMN tickets.version IS 'counts what was said about it: the ce_sequence of its last message';
