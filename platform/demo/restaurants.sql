-- One that is open around the clock (b1), with a dish that has run out (a4); and one that is closed (b2).
INSERT INTO restaurants (restaurant_id, name, currency, minimum_order, opening_hours, created_at) VALUES
    ('018f0000-0000-7000-8000-0000000000b1', 'Trattoria Demo', 'EUR', NULL, NULL, now()),
    ('018f0000-0000-7000-8000-0000000000b2', 'Closed for Good', 'EUR', 2000, '[]', now())
ON CONFLICT DO NOTHING;

-- Prices in cents.
INSERT INTO menu_items (menu_item_id, restaurant_id, place, name, price, available) VALUES
    ('018f0000-0000-7000-8000-0000000000a1', '018f0000-0000-7000-8000-0000000000b1', 0, 'Pizza Margherita', 1250, true),
    ('018f0000-0000-7000-8000-0000000000a2', '018f0000-0000-7000-8000-0000000000b1', 1, 'Tagliatelle',      1390, true),
    ('018f0000-0000-7000-8000-0000000000a3', '018f0000-0000-7000-8000-0000000000b1', 2, 'Tiramisu',          690, true),
    ('018f0000-0000-7000-8000-0000000000a4', '018f0000-0000-7000-8000-0000000000b1', 3, 'Truffles',         4900, false),
    ('018f0000-0000-7000-8000-0000000000a5', '018f0000-0000-7000-8000-0000000000b2', 0, 'Toast',             450, true)
ON CONFLICT DO NOTHING;
