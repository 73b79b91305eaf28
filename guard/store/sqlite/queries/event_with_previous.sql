-- One event and the hash of the event before it, by which it is verified.
SELECT events.*, before.hash
FROM events LEFT JOIN events AS before ON before.number = events.previous
WHERE events.number = ?1
