-- The newest other effects on the same thing that still answer.
SELECT * FROM effects WHERE number IN (
	SELECT number FROM effects
	WHERE identity = ?1 AND tenant = ?2 AND key <> ?3
	  AND state <> 'failed' AND state <> 'refused' AND coalesce(window_until, 9223372036854775807) > ?4
	ORDER BY number DESC LIMIT ?5
) ORDER BY number DESC
