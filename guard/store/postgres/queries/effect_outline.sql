-- The row of the latest generation under a key, without any event, and what superseded it; one row of NULLs when there is none.
SELECT coalesce($2::timestamptz, clock_timestamp()), pg_is_in_recovery(),
	onceguard.superseder(e.state, e.resource, e.since, e.tenant, e.key), e.*
FROM (SELECT) AS one
LEFT JOIN LATERAL (SELECT * FROM onceguard.effects WHERE key = $1 ORDER BY generation DESC LIMIT 1) AS e ON TRUE
