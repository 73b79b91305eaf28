-- What no longer answers, still has the bytes of its arguments and results, and has not changed for longest.
SELECT * FROM effects
WHERE (state = 'done' OR state = 'failed' OR state = 'refused') AND review = '' AND bytes = 1
  AND updated <= ?1 AND coalesce(window_until, 0) <= ?2
ORDER BY updated, number LIMIT ?3
