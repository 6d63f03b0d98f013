-- Who may order, and one who may not.
INSERT INTO customers (customer_id, name, email, state, version, created_at, updated_at) VALUES
    ('018f0000-0000-7000-8000-0000000000c1', 'Ada',   'ada@example.com',   'ACTIVE',    1, now(), now()),
    ('018f0000-0000-7000-8000-0000000000c2', 'Grace', 'grace@example.com', 'ACTIVE',    1, now(), now()),
    ('018f0000-0000-7000-8000-0000000000c3', 'Edsger', 'edsger@example.com', 'SUSPENDED', 2, now(), now())
ON CONFLICT DO NOTHING;
