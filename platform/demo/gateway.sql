-- The tokens behind the demo payment methods: one card that pays, one that is declined, one without funds.
INSERT INTO tokens (token, behaviour, brand, last4, created_at) VALUES
    ('tok_demo_visa',     'APPROVES',    'visa',       '4242', now()),
    ('tok_demo_declined', 'DECLINES',    'visa',       '0002', now()),
    ('tok_demo_poor',     'LACKS_FUNDS', 'visa',       '9995', now()),
    ('tok_demo_grace',    'APPROVES',    'mastercard', '4444', now()),
    ('tok_demo_edsger',   'APPROVES',    'visa',       '4242', now())
ON CONFLICT DO NOTHING;
