-- Approved effects that the guard was to send and that nobody claimed, the oldest first.
SELECT * FROM effects
WHERE state = 'approved' AND execute = 'guard' AND since <= ?1
ORDER BY since LIMIT ?2
