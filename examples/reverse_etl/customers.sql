CREATE TABLE customers (
    customer_id integer PRIMARY KEY,
    email_address text NOT NULL,
    given_name text,
    company_name text,
    tax_number text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO customers VALUES
    (1, 'ada@example.com', 'Ada', 'Analytical, Inc.', 'DE-1815', '2026-01-01'),
    (2, ' Grace@Example.com', 'Grace', 'COBOL "R" Us', 'DE-1906', '2026-01-02');
