-- Who stepped in, and why: the audit of what operators do, beside what they did.
ALTER TABLE saga_history ADD COLUMN ordered_by text, ADD COLUMN ordered_why text;
