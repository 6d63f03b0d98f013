-- A row changes some two dozen times within seconds, and what it was before cannot be cleared away while a transaction may still look at
-- it. Where the page has no room left the row moves to another one, and all five indexes are told.
ALTER TABLE order_views SET (fillfactor = 40);
