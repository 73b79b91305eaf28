-- The other effects that the same idempotency key of the caller named and that still answer, newest first.
SELECT * FROM effects
WHERE caller_key = ?1 AND tenant = ?2 AND key <> ?3
  AND state <> 'failed' AND state <> 'refused' AND (state <> 'done' OR window_until > ?4)
ORDER BY number DESC
