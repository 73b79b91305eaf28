-- Approved effects that the guard was to send and that nobody claimed, the oldest first.
SELECT * FROM effects
WHERE state = 'approved' AND execute = 'guard' AND updated <= ?1
ORDER BY updated LIMIT ?2
