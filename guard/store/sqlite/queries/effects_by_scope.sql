-- The newest of the same calls in other scopes that still answer: their keys lie between the least and the greatest
-- with the same first half. The plus sign keeps the planner from the index of the tenant, which says less.
SELECT * FROM effects WHERE number IN (
	SELECT number FROM effects
	WHERE key BETWEEN ?1 AND ?2 AND +tenant = ?3 AND key <> ?4
	  AND state <> 'failed' AND state <> 'refused' AND coalesce(window_until, 9223372036854775807) > ?5
	ORDER BY number DESC LIMIT ?6
) ORDER BY number DESC
