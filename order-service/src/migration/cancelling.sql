-- How far an order would be if nobody had asked for it to be cancelled, while that is open.
ALTER TABLE orders
    ADD COLUMN held_state text,
    ADD CONSTRAINT orders_held CHECK ((held_state IS NOT NULL) = (state = 'CANCEL_PENDING'));
