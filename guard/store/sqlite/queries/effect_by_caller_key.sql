-- The latest effect that the same idempotency key of the caller named, with other arguments.
SELECT * FROM effects
WHERE caller_key = ?1 AND tenant = ?2 AND key <> ?3
ORDER BY number DESC LIMIT 1
