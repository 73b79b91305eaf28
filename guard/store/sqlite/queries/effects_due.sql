-- What time has decided, the oldest first.
SELECT * FROM effects
WHERE state IN ('held', 'approved', 'pending') AND until <= ?1
ORDER BY until LIMIT ?2
