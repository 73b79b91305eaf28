-- The latest other effect on the same thing that still answers: open, or done within its window.
SELECT * FROM effects
WHERE identity = ?1 AND tenant = ?2 AND key <> ?3
  AND state <> 'failed' AND state <> 'refused' AND (state <> 'done' OR window_until > ?4)
ORDER BY number DESC LIMIT 1
