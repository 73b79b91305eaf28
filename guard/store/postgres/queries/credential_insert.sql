-- Does nothing when the id or the hash is known.
INSERT INTO onceguard.credentials (id, hash, label, tenant, subject, agent, role, created, revoked)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::timestamptz, $10, clock_timestamp()), $9) ON CONFLICT DO NOTHING
