-- The other effects on the same thing that still answer: open, or done within their window. Newest first.
SELECT * FROM effects
WHERE identity = ?1 AND tenant = ?2 AND key <> ?3
  AND state <> 'failed' AND state <> 'refused' AND (state <> 'done' OR window_until > ?4)
ORDER BY number DESC
