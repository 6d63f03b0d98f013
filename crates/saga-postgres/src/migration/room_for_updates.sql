-- A row changes at every step, and what it was before cannot be cleared away while a transaction may still look at it. Where the page has
-- no room left the row moves to another one, and both indexes are told.
ALTER TABLE sagas SET (fillfactor = 45);
