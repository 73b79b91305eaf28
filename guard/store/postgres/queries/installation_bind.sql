-- Ties the ledger to an installation, if it is tied to none.
INSERT INTO onceguard.installation VALUES (1, $1) ON CONFLICT DO NOTHING
