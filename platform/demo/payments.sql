-- Three cards of Ada (c1): good (d1), declined (d2), without funds (d3). One each of Grace (c2) and Edsger (c3).
INSERT INTO payment_methods
    (payment_method_id, customer_id, token, brand, last4, expiry_year, expiry_month, created_at)
VALUES
    ('018f0000-0000-7000-8000-0000000000d1', '018f0000-0000-7000-8000-0000000000c1', 'tok_demo_visa',     'visa',       '4242', 2099, 12, now()),
    ('018f0000-0000-7000-8000-0000000000d2', '018f0000-0000-7000-8000-0000000000c1', 'tok_demo_declined', 'visa',       '0002', 2099, 12, now()),
    ('018f0000-0000-7000-8000-0000000000d3', '018f0000-0000-7000-8000-0000000000c1', 'tok_demo_poor',     'visa',       '9995', 2099, 12, now()),
    ('018f0000-0000-7000-8000-0000000000d4', '018f0000-0000-7000-8000-0000000000c2', 'tok_demo_grace',    'mastercard', '4444', 2099, 12, now()),
    ('018f0000-0000-7000-8000-0000000000d5', '018f0000-0000-7000-8000-0000000000c3', 'tok_demo_edsger',   'visa',       '4242', 2099, 12, now())
ON CONFLICT DO NOTHING;
